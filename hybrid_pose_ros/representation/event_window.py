# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The last N events of a stream: the input of the ANN."""

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.events.event_array import EVENT_DTYPE


class EventWindow:
    """Stores the last events of a stream in preallocated memory."""

    def __init__(self, events: int):
        """Allocate memory for `events` events."""
        self._size = events
        self._memory = np.empty(8 * events, EVENT_DTYPE)
        self._end = 0  # end of the window, which has at most _size events

    def append(self, events: np.ndarray) -> None:
        """Append the next events of the stream."""
        events = events[-self._size:]
        if self._end + len(events) > len(self._memory):
            kept = self._memory[max(0, self._end - self._size):self._end]
            self._memory[:len(kept)] = kept
            self._end = len(kept)
        self._memory[self._end:self._end + len(events)] = events
        self._end += len(events)

    def latest(self) -> np.ndarray:
        """Return a copy of the window in order of arrival, (<= N,) of EVENT_DTYPE."""
        return np.array(self._memory[max(0, self._end - self._size):self._end])

    def before(self, end_us: int, cell_of_px: np.ndarray, *, events: int,
               reach_us: int) -> np.ndarray:
        """Return a copy of the last events inside a region before a time.

        Args:
            end_us: the time, exclusive.
            cell_of_px: cell of each pixel; negative outside the region (`InputGeometry`).
            events: maximum number of events.
            reach_us: maximum age of the events.
        """
        window = self._memory[max(0, self._end - self._size):self._end]
        return last_inside(window, cell_of_px, events=events, start_us=end_us - reach_us,
                           end_us=end_us)

    def clear(self) -> None:
        """Discard all events, for example after a restart of the sensor clock."""
        self._end = 0


def last_inside(stream: np.ndarray, cell_of_px: np.ndarray, *, events: int, start_us: int,
                end_us: int) -> np.ndarray:
    """Return a copy of the last events of [start_us, end_us) inside a region.

    Args:
        stream: events in order of arrival, of EVENT_DTYPE.
        cell_of_px: cell of each pixel; negative outside the region (`InputGeometry`).
        events: maximum number of events.
        start_us: start time, inclusive.
        end_us: end time, exclusive.
    """
    chosen = np.empty(events, np.int64)
    return stream[chosen[_choose(chosen, stream, cell_of_px, start_us, end_us):]]


@njit(cache=True, nogil=True)
def _choose(chosen: np.ndarray, events: np.ndarray, cell_of_px: np.ndarray, start_us: int,
            end_us: int) -> int:
    """Write the indices of the last events inside the region, in order, to the end of `chosen`.

    Returns:
        The position of the first index.
    """
    height, width = cell_of_px.shape
    first = len(chosen)
    for i in range(len(events) - 1, -1, -1):
        if first == 0:
            break
        t, x, y = events[i].t, events[i].x, events[i].y
        if start_us <= t < end_us and x < width and y < height and cell_of_px[y, x] >= 0:
            first -= 1
            chosen[first] = i
    return first
