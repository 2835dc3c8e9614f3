# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Thin out a stream by the stream's own clock, so that no other clock changes what is left."""


class Throttle:
    """Passes the first item of each period of a stream; a clock that jumps back starts again."""

    def __init__(self, rate_hz: float):
        """Pass up to `rate_hz` items per second of the stream's clock."""
        self._period_us = round(1e6 / rate_hz)
        self._passed: int | None = None  # number of the last period with an item

    def passes(self, time_us: int) -> bool:
        """Return whether the item of this time is the first of its period."""
        period = time_us // self._period_us
        first, self._passed = period != self._passed, period
        return first
