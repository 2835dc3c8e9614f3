# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Relates the sensor time of a bag's events to log time, as the reference for its other messages.

Each process unwraps a wrapping sensor clock on its own, so the times in messages of a tracker,
player or triangulator may differ from those of the recorded events by whole clock periods. Log
time is the recorder's clock, which is common to all topics. The period of a message is therefore
that of the events logged at about the same time.
"""

import numpy as np

from hybrid_pose_ros.events.clock import nearest_turn
from hybrid_pose_ros.events.codecs import period_us
from hybrid_pose_ros.recordings.gaps import LONGEST_GAP_US, Gaps, find_gaps

FAR_S = 60
"""A message whose time is farther than this from all events of the bag is from another clock."""


class EventTimes:
    """Event times of the packets of one topic of a bag."""

    def __init__(self):
        """Create an empty record."""
        self.period_us = 0  # of the sensor's clock; 0: it does not wrap
        self._log_ns: list[int] = []
        self._latest_us: list[int] = []
        self._edges_us: list[np.ndarray] = []  # event times at the ends of packets and gaps

    def add(self, log_ns: int, encoding: str, times_us: np.ndarray) -> None:
        """Add a packet with its log time and the times of its events."""
        if not len(times_us):
            return
        self.period_us = period_us(encoding)
        self._log_ns.append(log_ns)
        self._latest_us.append(int(times_us[-1]))
        edges_us = times_us[[0, -1]]
        if abs(edges_us[1] - edges_us[0]) > LONGEST_GAP_US:
            edges_us = np.sort(times_us)
        self._edges_us.append(edges_us)

    def in_turn(self, times_us: np.ndarray, log_ns: np.ndarray) -> np.ndarray:
        """Return the times moved to the clock period of the events logged at about the same time.

        Args:
            times_us: (N,) sensor times as unwrapped by another process.
            log_ns: (N,) log times of the messages that contain them.
        """
        if not self.period_us or not len(times_us):
            return times_us
        order = np.argsort(self._log_ns, kind='stable')
        last = np.searchsorted(np.array(self._log_ns)[order], log_ns, side='right') - 1
        near_us = np.array(self._latest_us)[order][np.maximum(last, 0)]
        return nearest_turn(np.asarray(times_us), near_us, self.period_us)

    def in_latest_turn(self, time_us: int) -> int:
        """Return a time in the clock period of the last packet; unchanged without packets."""
        if not self._latest_us:
            return time_us
        return nearest_turn(time_us, self._latest_us[-1], self.period_us)

    def near(self, times_us: np.ndarray) -> np.ndarray:
        """Return which times (N,) are within FAR_S of the events; all without events."""
        if not self._edges_us:
            return np.ones(len(times_us), bool)
        edges_us = np.concatenate(self._edges_us)
        return ((times_us >= edges_us.min() - 1_000_000 * FAR_S)
                & (times_us <= edges_us.max() + 1_000_000 * FAR_S))

    def gaps(self) -> Gaps:
        """Return the long intervals of sensor time without events."""
        return find_gaps(np.sort(np.concatenate([np.zeros(0, np.int64), *self._edges_us])))

    def log_gaps(self) -> Gaps:
        """Return the long intervals of log time [us] without packets that contain events."""
        return find_gaps(np.sort(np.array(self._log_ns, np.int64) // 1000))

    def gap_line(self) -> str:
        """Return a one-line report of the gaps in sensor time, relative to the first event."""
        return self.gaps().line(int(self._edges_us[0][0]) if self._edges_us else 0)
