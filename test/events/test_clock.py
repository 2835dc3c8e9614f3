# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sensor time to ROS time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.events.clock import (
    EVT3_PERIOD_US, JUMP_NS, SLEW_NS, SensorClock, nearest_turn)

START_NS = 1_700_000_000_000_000_000
PERIOD_US = 4_000

delays_ns = st.lists(st.integers(0, 20_000_000), min_size=1, max_size=200)


def follow(clock: SensorClock, delays: list[int], *, drift_ns: int = 0) -> list[int]:
    """Give a clock one packet a period; return the ROS time of each packet's first event."""
    stamps = []
    for index, delay_ns in enumerate(delays):
        first_us = index * PERIOD_US
        clock.update(START_NS + 1000 * first_us + index * drift_ns + delay_ns, first_us)
        stamps.append(clock.to_ros_ns(first_us))
    return stamps


def test_nothing_is_known_before_the_first_packet():
    with pytest.raises(RuntimeError, match='before the first packet'):
        SensorClock().to_ros_ns(0)


def test_the_first_packet_sets_the_offset():
    clock = SensorClock()
    clock.update(START_NS, 500)
    assert clock.to_ros_ns(500) == START_NS
    assert clock.to_ros_ns(1_500) == START_NS + 1_000_000


@given(delays_ns)
def test_the_end_of_a_bin_is_always_later_than_that_of_the_bin_before(delays):
    """With the offset of the newest packet each time, whatever the delays."""
    clock = SensorClock()
    stamps = []
    for index, delay_ns in enumerate(delays):
        clock.update(START_NS + 1000 * index * PERIOD_US + delay_ns, index * PERIOD_US)
        stamps += [clock.to_ros_ns(index * PERIOD_US + us) for us in range(0, PERIOD_US, 100)]
    assert all(before < after for before, after in zip(stamps, stamps[1:]))


@given(delays_ns)
def test_the_offset_lies_between_the_least_and_the_first_delay(delays):
    clock = SensorClock()
    follow(clock, delays)
    assert min(delays) <= clock.to_ros_ns(0) - START_NS <= delays[0]


def test_it_comes_down_to_the_least_delay_of_the_last_packets():
    clock = SensorClock()
    delays = [5_000_000] + [2_000_000] * 100
    assert follow(clock, delays)[-1] == START_NS + 1000 * 100 * PERIOD_US + 2_000_000


@pytest.mark.parametrize('drift_ns', (-400, 400))  # 100 ppm, as bad as quartzes get
def test_it_follows_a_drift(drift_ns):
    clock = SensorClock(window=64)
    packets = 5_000
    stamps = follow(clock, [0] * packets, drift_ns=drift_ns)
    true_ns = START_NS + 1000 * (packets - 1) * PERIOD_US + (packets - 1) * drift_ns
    assert abs(stamps[-1] - true_ns) <= 64 * abs(drift_ns)


def test_it_goes_back_by_small_steps_only():
    clock = SensorClock()
    clock.update(START_NS + 10_000_000, 0)
    clock.update(START_NS + 1000 * PERIOD_US, PERIOD_US)
    assert clock.to_ros_ns(0) == START_NS + 10_000_000 - SLEW_NS


def test_it_goes_on_at_once_when_the_least_delay_has_left_the_window():
    """A player that could not keep up had its stamps 130 ms behind: they followed too slowly."""
    clock = SensorClock(window=4)
    stamps = follow(clock, [0] * 4 + [30_000_000] * 4)
    assert stamps[-1] == START_NS + 1000 * 7 * PERIOD_US + 30_000_000


@pytest.mark.parametrize('jump_ns', (-JUMP_NS - 1, JUMP_NS + 1))
def test_another_clock_is_taken_at_once(jump_ns):
    clock = SensorClock()
    clock.update(START_NS, 0)
    clock.update(START_NS + jump_ns, 0)
    assert clock.to_ros_ns(0) == START_NS + jump_ns


def test_a_restart_takes_the_next_offset_at_once_however_near_it_is():
    clock = SensorClock()
    clock.update(START_NS, 0)
    clock.restart()
    clock.update(START_NS - 150_000_000, 0)
    assert clock.to_ros_ns(0) == START_NS - 150_000_000


def test_between_a_restart_and_the_next_packet_the_old_offset_holds():
    """Another thread may ask in between; it used to be told that no packet had been seen."""
    clock = SensorClock()
    clock.update(START_NS, 0)
    clock.restart()
    assert clock.to_ros_ns(1) == START_NS + 1_000


@given(st.integers(-2**40, 2**40), st.integers(-100, 100),
       st.integers(1 - EVT3_PERIOD_US // 2, EVT3_PERIOD_US // 2 - 1))
def test_a_time_is_brought_to_the_turn_of_another_process(now_us, turns, ahead_us):
    """Two processes that joined in different turns agree once one time has been moved."""
    unwrapped_elsewhere_us = now_us + ahead_us + turns * EVT3_PERIOD_US
    assert nearest_turn(unwrapped_elsewhere_us, now_us) == now_us + ahead_us


def test_a_clock_that_does_not_wrap_stays_as_it_is():
    assert nearest_turn(5, 10**9, period_us=0) == 5
