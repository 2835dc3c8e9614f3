# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converts a stream of events, packet by packet, into the time bins ("steps") of the SNN.

Bin k is [k * step_us, (k + 1) * step_us) of the sensor's clock, independent of packet borders:

    packets   |--------|-----|---------|------
    events      . ..  .  . ..    .  ..   .
    bins      0 |  1  |  2  |  3  |  4  | open

A bin is complete as soon as an event at or after its end has been received.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.representation.geometry import InputGeometry

BLOCK_STEPS = 64
"""Maximum number of bins that are allocated together."""

NEVER = np.iinfo(np.int64).min


class Step(NamedTuple):
    """A complete time bin."""

    index: int  # k
    end_us: int  # sensor time, (k + 1) * step_us, exclusive
    counts: np.ndarray  # (2, H, W) uint8: OFF, ON, clipped at 255; read-only
    events: int  # events in the bin that are inside the network's input
    last_event_us: int | None  # newest event of the bin, inside the input or not; None: no event


class Gap(NamedTuple):
    """The clock jumped: lost packets, a pause or, if to_us < from_us, a restart."""

    from_us: int  # end of the last complete bin before
    to_us: int  # start of the first bin after


class StepCounter:
    """Counts a stream's events into steps; returns steps and gaps, and keeps only the open step.

    `late_events` were counted in a newer bin than their own, since that was already complete;
    `outside_events` were outside of the network's input. Both are totals since construction.
    """

    def __init__(self, geometry: InputGeometry, step_us: int, *, kept_steps: int | None = None,
                 gap_us: int = 1_000_000, back_us: int = 100_000):
        """Start without an open step.

        Args:
            geometry: maps events to the network's input.
            step_us: length of a bin.
            kept_steps: number of further steps during which the counts of the steps of an update
                stay valid; None: forever, which costs more than counting.
            gap_us: pauses up to this length yield empty steps, longer ones a Gap.
            back_us: events that are later than this yield a Gap: the clock has restarted.
        """
        self.late_events = 0
        self.outside_events = 0
        self._geometry = geometry
        self._step_us = step_us
        self._gap_steps = max(1, gap_us // step_us)
        self._back_us = back_us
        self._open: int | None = None  # index of the open bin; None before the first event
        shape = 2, geometry.height, geometry.width
        self._ring = None if kept_steps is None else np.full(  # touch the memory now
            (kept_steps + 3 * BLOCK_STEPS, *shape), 0, np.uint8)
        self._next = 0  # row of the ring for the open bin
        self._empty = np.zeros(shape, np.uint8)
        self._counts, self._events, self._last_us = self._empty, 0, NEVER

    def restart(self) -> None:
        """Drop the open step, as when the sensor's clock restarts."""
        self._open = None
        self._counts, self._events, self._last_us = self._empty, 0, NEVER

    def update(self, events: np.ndarray) -> list[Step | Gap]:
        """Count a packet's events; return completed steps and gaps in order."""
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
        """Return space for the counts of several bins, zero except for the first.

        Args:
            rows: number of bins, the last of which may stay open.
            handed_out: number of steps of this update that have not been returned yet.
        """
        if self._ring is None or handed_out + rows > BLOCK_STEPS:
            return np.zeros((rows, *self._empty.shape), np.uint8)
        if self._next + rows > len(self._ring):
            self._next = 0
        block = self._ring[self._next:self._next + rows]
        block[1:] = 0
        return block

    def advance(self, sensor_us: int) -> list[Step | Gap]:
        """Complete the steps that end at or before a sensor time reached without events."""
        behind = self._open is None or sensor_us < (self._open + 1) * self._step_us
        return [] if behind else self._move_to(sensor_us)

    def flush(self) -> list[Step]:
        """Complete the open step, for example at the end of a recording."""
        return [] if self._open is None else [self._complete()]

    def _move_to(self, sensor_us: int) -> list[Step | Gap]:
        """Open the bin of a sensor time, unless that time is only slightly late."""
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
    """Count events[first:] into the rows of consecutive bins, starting with the open one.

    Stops before an event that needs more rows or is a jump.

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
