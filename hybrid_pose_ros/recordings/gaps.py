# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Long intervals without events, which are reported in one line and skipped.

A paused recorder, a covered lens or a single wrong time stamp can put minutes, or years, between
two events. Code that processes sensor time bin by bin closes such gaps first, so that its work is
bounded by the number of events.

    sensor time  |||| |||                                  || |||||
    closed       |||| |||  LONGEST_GAP_US  || |||||
"""

from typing import NamedTuple

import numpy as np

LONGEST_GAP_US = 2_000_000
"""Gaps up to this length are kept; longer ones are shortened to it. It is longer than the 1 s
after which the tracker resets its state (`StepCounter`), so that a closed gap has the same effect
as an open one. It is shorter than the 5 s after which nodes warn that no packets arrive."""

WHOLE_US = 1_000_000
"""Only multiples of this are skipped, so that the borders of common time bins do not move."""


class Gaps(NamedTuple):
    """G long intervals without events, in order."""

    start_us: np.ndarray  # (G,) int64, last event before the gap
    end_us: np.ndarray  # (G,) first event after it
    skipped_us: np.ndarray  # (G,) length of the skipped part at the end of the gap

    def closed(self, times_us: np.ndarray) -> np.ndarray:
        """Return times on a clock that stops during the skipped parts."""
        times_us = np.asarray(times_us)
        if not len(self.end_us):
            return times_us
        begin_us = self.end_us - self.skipped_us
        last = np.searchsorted(begin_us, times_us, side='right') - 1
        before_us = np.concatenate([[0], np.cumsum(self.skipped_us)])
        within_us = np.minimum(times_us - begin_us[last], self.skipped_us[last])
        return np.where(last < 0, times_us, times_us - before_us[last] - within_us)

    def skips(self, times_us: np.ndarray) -> np.ndarray:
        """Return which times are in a skipped part."""
        passed = np.searchsorted(self.end_us, times_us, side='right')
        begin_us = np.append(self.end_us - self.skipped_us, np.iinfo(np.int64).max)
        return np.asarray(times_us) >= begin_us[passed]

    @property
    def seconds(self) -> float:
        """Return the total length of the gaps [s], including the skipped parts."""
        return float((self.end_us - self.start_us).sum() * 1e-6)

    def line(self, since_us: int) -> str:
        """Return a one-line report with times relative to `since_us`; empty without gaps."""
        if not len(self.end_us):
            return ''
        first = gap_line(int(self.end_us[0] - self.start_us[0]), int(self.start_us[0]) - since_us)
        if len(self.end_us) == 1:
            return first
        return f'{len(self.end_us)} gaps, {self.seconds:.1f} s in total, the first: {first}'


def find_gaps(times_us: np.ndarray) -> Gaps:
    """Return the gaps between times (N,) in ascending order."""
    times_us = np.asarray(times_us, np.int64)
    excess_us = np.diff(times_us) - LONGEST_GAP_US
    at = np.flatnonzero(excess_us >= WHOLE_US)
    return Gaps(times_us[at], times_us[at + 1], excess_us[at] // WHOLE_US * WHOLE_US)


def gap_line(length_us: int, at_us: int) -> str:
    """Return the report of a gap."""
    return f'{length_us * 1e-6:.1f} s without events at {at_us * 1e-6:.1f} s: skipped'
