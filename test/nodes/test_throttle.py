# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streams that are thinned out by their own clock."""

from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.nodes.throttle import Throttle


def passed(rate_hz: float, times_us: list[int]) -> list[int]:
    throttle = Throttle(rate_hz)
    return [time_us for time_us in times_us if throttle.passes(time_us)]


def test_one_item_of_each_period_passes():
    assert passed(100.0, list(range(0, 50_000, 4_000))) == [0, 12_000, 20_000, 32_000, 40_000]


def test_a_slower_stream_passes_whole():
    assert passed(100.0, [5_000, 105_000, 205_000]) == [5_000, 105_000, 205_000]


@given(st.integers(0, 1 << 41), st.integers(2, 300))
def test_a_second_has_as_many_items_as_the_rate_says(start_us, rate_hz):
    count = len(passed(rate_hz, list(range(start_us, start_us + 1_000_000, 1_000))))
    assert rate_hz - 1 <= count <= rate_hz + 2


def test_a_clock_that_jumps_back_does_not_stop_the_stream():
    assert passed(10.0, [7_000_000, 7_001_000, 0, 1_000]) == [7_000_000, 0]
