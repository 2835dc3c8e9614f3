# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converts a stream of events, packet by packet, into the time bins ("steps") of the SNN.

Bin k is [k * step_us, (k + 1) * step_us) of sensor time, regardless of packet borders:

    packets   |--------|-----|---------|------
    events      . ..  .  . ..    .  ..   .
    bins      0 |  1  |  2  |  3  |  4  | open

A bin is complete once an event at or after its end has been received. Its events are counted only
when it is processed, because the region of the network's input is not known before.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.representation.geometry import InputGeometry

BLOCK_STEPS = 64
"""Maximum number of bins divided in one call."""

NEVER = np.iinfo(np.int64).min


class Step(NamedTuple):
    """A complete time bin."""

    number: int  # k
    end_us: int  # sensor time, (k + 1) * step_us, exclusive
    pieces: tuple[np.ndarray, ...]  # its events, arrays of EVENT_DTYPE; read-only
    events: int  # number of events on the sensor, or in the crop
    last_event_us: int | None  # newest event of the bin, counted or not; None: no event

    def counts(self, geometry: InputGeometry) -> np.ndarray:
        """Return the event counts of each cell, (2, H, W) uint8: OFF, ON, clipped at 255."""
        return count_steps([self], geometry)


class Gap(NamedTuple):
    """A jump of the clock: lost packets, a pause or, if to_us < from_us, a restart."""

    from_us: int  # end of the last complete bin before
    to_us: int  # start of the first bin after


def count_steps(steps: Iterable[Step], geometry: InputGeometry,
                out: np.ndarray | None = None) -> np.ndarray:
    """Return the event counts of each cell over consecutive bins, (2, H, W) uint8: OFF, ON.

    Args:
        steps: the bins.
        geometry: mapping of events to cells.
        out: array for the result; None: allocate one.
    """
    counts = np.empty((2, geometry.height, geometry.width), np.uint8) if out is None else out
    counts[:] = 0
    flat = counts.reshape(2, -1)
    for step in steps:
        for events in step.pieces:
            _count_into(flat, events, geometry.cell_of_px)
    return counts


class StepCounter:
    """Divides a stream's events into steps; returns steps and gaps, storing only the open step.

    `late_events` were added to a newer bin than their own, which was already complete;
    `outside_events` were outside the sensor or the crop. Both are totals since construction.
    """

    def __init__(self, geometry: InputGeometry, step_us: int, *, gap_us: int = 1_000_000,
                 back_us: int = 100_000):
        """Start without an open step.

        Args:
            geometry: geometry of the largest region.
            step_us: length of a bin.
            gap_us: pauses up to this length yield empty steps; longer ones yield a Gap.
            back_us: events late by more than this yield a Gap, since the clock has restarted.
        """
        self.late_events = 0
        self.outside_events = 0
        self._geometry = geometry
        self._step_us = step_us
        self._gap_steps = max(1, gap_us // step_us)
        self._back_us = back_us
        self._open: _OpenBin | None = None  # None before the first event

    def restart(self) -> None:
        """Drop the open step, for example after a restart of the sensor clock."""
        self._open = None

    def update(self, events: np.ndarray) -> list[Step | Gap]:
        """Divide a packet's events; return completed steps and gaps in order."""
        facts: list[Step | Gap] = []
        events = events.copy()  # decoders return slices of larger arrays
        t = events['t']
        first = 0
        while first < len(events):
            current = self._at(int(t[first]), facts)
            ahead = int(t[-1]) // self._step_us - current.number
            rows = min(max(ahead, 0) + 1, BLOCK_STEPS)
            ends, inside = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
            last_us = np.full(rows, NEVER)
            last_us[0] = current.last_us
            start, (first, newest, late, outside) = first, _divide(
                ends, inside, last_us, events, first, self._geometry.cell_of_px, current.number,
                self._step_us, self._gap_steps, self._back_us)
            self.late_events += late
            self.outside_events += outside
            for row in range(newest + 1):
                end = max(start, int(ends[row]))
                if end > start:
                    current.pieces.append(events[start:end])
                current.events += int(inside[row])
                current.last_us = int(last_us[row])
                start = end
                if row < newest:
                    facts.append(current.complete())
        return facts

    def advance(self, sensor_us: int) -> list[Step | Gap]:
        """Complete the steps that end at or before a sensor time, reached without events."""
        facts: list[Step | Gap] = []
        if self._open is not None and sensor_us >= self._open.end_us:
            self._at(sensor_us, facts)
        return facts

    def flush(self) -> list[Step]:
        """Complete the open step, for example at the end of a recording."""
        return [] if self._open is None else [self._open.complete()]

    def _at(self, sensor_us: int, facts: list[Step | Gap]) -> '_OpenBin':
        """Return the open bin after advancing it to a sensor time; slightly late times keep it.

        Completed steps and gaps are appended to `facts`.
        """
        number = sensor_us // self._step_us
        if self._open is None:
            self._open = _OpenBin(number, self._step_us)
        current = self._open
        late_us = current.number * self._step_us - sensor_us
        if late_us > self._back_us or number - current.number > self._gap_steps:
            done = current.complete()
            current.number = number
            facts += [done, Gap(done.end_us, number * self._step_us)]
        for _ in range(number - current.number):
            facts.append(current.complete())
        return current


class _OpenBin:
    """The bin to which events are added; on completion, it becomes the next bin."""

    def __init__(self, number: int, step_us: int):
        self.number = number
        self._step_us = step_us
        self._empty()

    @property
    def end_us(self) -> int:
        return (self.number + 1) * self._step_us

    def complete(self) -> Step:
        step = Step(self.number, self.end_us, tuple(self.pieces), self.events,
                    None if self.last_us == NEVER else self.last_us)
        self.number += 1
        self._empty()
        return step

    def _empty(self) -> None:
        self.pieces: list[np.ndarray] = []
        self.events, self.last_us = 0, NEVER


@njit(cache=True, nogil=True)
def _divide(ends: np.ndarray, inside: np.ndarray, last_us: np.ndarray, events: np.ndarray,
            first: int, cell_of_px: np.ndarray, open_bin: int, step_us: int, gap_steps: int,
            back_us: int) -> tuple[int, int, int, int]:
    """Divide events[first:] into consecutive bins, starting with the open one.

    It stops before an event that needs more rows or is a jump. For each row it writes the index
    after the last event (0 without events), the number of events inside, and the newest time.

    Returns:
        Index of the first undivided event, row of the newest bin, numbers of late and outside
        events.
    """
    rows = len(ends)
    sensor_height, sensor_width = cell_of_px.shape
    row, late, outside = 0, 0, 0
    start_us = open_bin * step_us
    for i in range(first, len(events)):
        t, x, y = events[i].t, events[i].x, events[i].y
        if t >= start_us + step_us:
            skipped = (t - start_us) // step_us
            if skipped > gap_steps or row + skipped >= rows:
                return i, row, late, outside
            row += skipped
            start_us += skipped * step_us
        elif t < start_us:
            if start_us - t > back_us:
                return i, row, late, outside
            late += 1
        ends[row] = i + 1
        last_us[row] = max(last_us[row], t)
        if x < sensor_width and y < sensor_height and cell_of_px[y, x] >= 0:
            inside[row] += 1
        else:
            outside += 1
    return len(events), row, late, outside


@njit(cache=True, nogil=True)
def _count_into(counts: np.ndarray, events: np.ndarray, cell_of_px: np.ndarray) -> None:
    """Add events to counts, (2, H * W)."""
    sensor_height, sensor_width = cell_of_px.shape
    for event in events:
        if event.x >= sensor_width or event.y >= sensor_height:
            continue
        cell = cell_of_px[event.y, event.x]
        if cell < 0:
            continue
        polarity = 1 if event.p else 0
        if counts[polarity, cell] < 255:
            counts[polarity, cell] += 1
