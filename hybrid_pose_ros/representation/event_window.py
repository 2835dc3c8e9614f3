# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The last N events of a stream: the input of the ANN."""

import numpy as np

from hybrid_pose_ros.events.event_array import EVENT_DTYPE


class EventWindow:
    """Stores the last events in preallocated memory."""

    def __init__(self, events: int):
        """Store up to `events` events."""
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
        return self._memory[max(0, self._end - self._size):self._end].copy()

    def before(self, end_us: int, *, events: int, reach_us: int) -> np.ndarray:
        """Return a copy of the last events before a time, none older than `reach_us`."""
        window = self.latest()
        near = (window['t'] < end_us) & (window['t'] >= end_us - reach_us)
        return window[np.flatnonzero(near)[-events:]]  # a mask takes six times as long

    def clear(self) -> None:
        """Discard all events, for example after a restart of the sensor's clock."""
        self._end = 0
