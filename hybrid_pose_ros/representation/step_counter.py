# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream of events, packet by packet, into the time bins ("steps") that the SNN takes.

Bin k is [k * step_us, (k + 1) * step_us) of the sensor's clock, whatever the packets' borders:

    packets   |--------|-----|---------|------
    events      . ..  .  . ..    .  ..   .
    bins      0 |  1  |  2  |  3  |  4  | open

A bin is complete as soon as an event at or beyond its end has been seen.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.representation.geometry import InputGeometry

BLOCK_STEPS = 64
"""Bins that are allocated together, at most."""

NEVER = np.iinfo(np.int64).min


class Step(NamedTuple):
    """A complete time bin."""

    index: int  # k
    end_us: int  # sensor time, (k + 1) * step_us; the bin excludes it
    counts: np.ndarray  # (2, H, W) uint8: OFF, ON, clipped at 255; not to be written into
    events: int  # events in the bin, those outside the network's input left out
    last_event_us: int | None  # newest event of the bin, inside the input or not; None: no event


class Gap(NamedTuple):
    """The clock jumped: lost packets, a pause or, where to_us < from_us, a restart."""

    from_us: int  # end of the last complete bin before
    to_us: int  # start of the first bin after


class StepCounter:
    """Count a stream's events into steps; hands out facts, and keeps only the open step.

    `late_events` went into a newer bin than their own, as that one was complete; `outside_events`
    lay outside the network's input. Both count since construction.
    """

    def __init__(self, geometry: InputGeometry, step_us: int, *, kept_steps: int | None = None,
                 gap_us: int = 1_000_000, back_us: int = 100_000):
        """Start with no open step.

        Args:
            geometry: where events lie in the network's input.
            step_us: length of a bin.
            kept_steps: counts stay what they are while the steps of an update are taken, and then
                for so many steps more; None: for ever, which costs more than counting does.
            gap_us: bins that are skipped within such a time are empty steps; more is a Gap.
            back_us: events that are late by more than that are a Gap: the clock has restarted.
        """
        self.late_events = 0
        self.outside_events = 0
        self._geometry = geometry
        self._step_us = step_us
        self._gap_steps = max(1, gap_us // step_us)
        self._back_us = back_us
        self._open: int | None = None  # index of the open bin; None before the first event
        shape = 2, geometry.height, geometry.width
        self._ring = None if kept_steps is None else np.full(  # touched now, not step by step
            (kept_steps + 3 * BLOCK_STEPS, *shape), 0, np.uint8)
        self._next = 0  # row of the ring for the open bin
        self._empty = np.zeros(shape, np.uint8)
        self._counts, self._events, self._last_us = self._empty, 0, NEVER

    def restart(self) -> None:
        """Drop the open step, as when the sensor's clock restarts."""
        self._open = None
        self._counts, self._events, self._last_us = self._empty, 0, NEVER

    def update(self, events: np.ndarray) -> list[Step | Gap]:
        """Count a packet's events; return the steps that it completes, and gaps, in order."""
        facts = []
        t, x, y, p = (events[name] for name in ('t', 'x', 'y', 'p'))
        first = 0
        while first < len(events):
            facts += self._move_to(int(t[first]))
            ahead = int(t[-1]) // self._step_us - self._open
            rows = min(max(ahead, 0) + 1, BLOCK_STEPS)
            counts = self._block(rows, len(facts))
            counted = np.zeros(rows, np.int64)
            last_us = np.full(rows, NEVER)
            counts[0], counted[0], last_us[0] = self._counts, self._events, self._last_us
            first, newest, late, outside = _count_into(
                counts.reshape(rows, 2, -1), counted, last_us, t, x, y, p, first,
                self._geometry.cell_of_px, self._open, self._step_us, self._gap_steps,
                self._back_us)
            self.late_events += late
            self.outside_events += outside
            for row in range(newest + 1):
                self._counts = counts[row]
                self._events, self._last_us = int(counted[row]), int(last_us[row])
                if row < newest:
                    facts.append(self._complete())
        return facts

    def _block(self, rows: int, handed_out: int) -> np.ndarray:
        """Return space for the counts of so many bins, zeros but for the first.

        Args:
            rows: bins, the last of which may stay open.
            handed_out: steps of this update, which nobody has seen yet.
        """
        if self._ring is None or handed_out + rows > BLOCK_STEPS:
            return np.zeros((rows, *self._empty.shape), np.uint8)
        if self._next + rows > len(self._ring):
            self._next = 0
        block = self._ring[self._next:self._next + rows]
        block[1:] = 0
        return block

    def advance(self, sensor_us: int) -> list[Step | Gap]:
        """Complete the steps that end at or before a sensor time that was seen without events."""
        behind = self._open is None or sensor_us < (self._open + 1) * self._step_us
        return [] if behind else self._move_to(sensor_us)

    def flush(self) -> list[Step]:
        """Complete the open step, as at the end of a recording."""
        return [] if self._open is None else [self._complete()]

    def _move_to(self, sensor_us: int) -> list[Step | Gap]:
        """Make the bin of a sensor time the open one, unless that time is only a little late."""
        step = sensor_us // self._step_us
        if self._open is None:
            self._open = step
        late_us = self._open * self._step_us - sensor_us
        if late_us > self._back_us or step - self._open > self._gap_steps:
            done = self._complete()
            self._open = step
            return [done, Gap(done.end_us, step * self._step_us)]
        return [self._complete() for _ in range(step - self._open)]

    def _complete(self) -> Step:
        step = Step(self._open, (self._open + 1) * self._step_us, self._counts, self._events,
                    None if self._last_us == NEVER else self._last_us)
        self._open += 1
        self._next += self._counts is not self._empty
        self._counts, self._events, self._last_us = self._empty, 0, NEVER
        return step


@njit(cache=True, nogil=True)
def _count_into(counts, counted, last_us, t, x, y, p, first, cell_of_px, open_step, step_us,
                gap_steps, back_us):
    """Count events[first:] into the rows of consecutive bins, the open one first.

    Stops before an event that needs more rows or that jumps.

    Returns:
        Index of the first event not counted, row of the newest bin, late and outside events.
    """
    rows = len(counts)
    sensor_height, sensor_width = cell_of_px.shape
    row, late, outside = 0, 0, 0
    start_us = open_step * step_us
    for i in range(first, len(t)):
        if t[i] >= start_us + step_us:
            skipped = (t[i] - start_us) // step_us
            if skipped > gap_steps or row + skipped >= rows:
                return i, row, late, outside
            row += skipped
            start_us += skipped * step_us
        elif t[i] < start_us:
            if start_us - t[i] > back_us:
                return i, row, late, outside
            late += 1
        last_us[row] = max(last_us[row], t[i])
        cell = -1
        if x[i] < sensor_width and y[i] < sensor_height:
            cell = cell_of_px[y[i], x[i]]
        if cell < 0:
            outside += 1
            continue
        counted[row] += 1
        polarity = 1 if p[i] else 0
        if counts[row, polarity, cell] < 255:
            counts[row, polarity, cell] += 1
    return len(t), row, late, outside
