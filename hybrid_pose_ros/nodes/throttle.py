# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Throttles a stream by its own clock, so that the result depends on no other clock."""


class Throttle:
    """Passes the first item of each period of a stream; resets if its clock jumps back."""

    def __init__(self, rate_hz: float):
        """Pass up to `rate_hz` items per second of the stream's clock."""
        self._period_us = round(1e6 / rate_hz)
        self._passed: int | None = None  # index of the last period with an item

    def passes(self, time_us: int) -> bool:
        """Return whether the item at this time is the first of its period."""
        period = time_us // self._period_us
        first, self._passed = period != self._passed, period
        return first
