# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Long stretches without events."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.recordings.event_times import EventTimes
from hybrid_pose_ros.recordings.gaps import LONGEST_GAP_US, WHOLE_US, find_gaps

STEPS_US = st.lists(st.one_of(st.integers(0, LONGEST_GAP_US),
                              st.integers(LONGEST_GAP_US + WHOLE_US, 10**15)), max_size=8)


@given(STEPS_US, st.integers(-10**9, 10**15))
def test_long_gaps_are_closed_by_whole_seconds_and_all_else_keeps_its_distance(steps_us, start_us):
    times_us = start_us + np.cumsum([0, *steps_us])
    gaps = find_gaps(times_us)
    closed_us = gaps.closed(times_us)
    assert closed_us[0] == start_us and len(gaps.end_us) == sum(
        step_us > LONGEST_GAP_US for step_us in steps_us)
    for step_us, left_us in zip(steps_us, np.diff(closed_us)):
        if step_us <= LONGEST_GAP_US:
            assert left_us == step_us
        else:
            assert LONGEST_GAP_US <= left_us < LONGEST_GAP_US + WHOLE_US
            assert (step_us - left_us) % WHOLE_US == 0
    assert not gaps.skips(times_us).any() and not len(find_gaps(closed_us).end_us)


def test_the_clock_stands_still_in_the_skipped_part_of_a_gap():
    gaps = find_gaps([0, 10_000_000, 10_000_001])
    times_us = np.array([-5, 1_999_999, 2_000_000, 9_999_999, 10_000_000, 10_000_001])
    assert gaps.skipped_us.tolist() == [8_000_000]
    assert gaps.closed(times_us).tolist() == [-5, 1_999_999] + 3 * [2_000_000] + [2_000_001]
    assert gaps.skips(times_us).tolist() == [False, False, True, True, False, False]


def test_a_gap_is_reported_in_one_line_from_where_counting_begins():
    assert find_gaps([0, 5]).line(0) == ''
    assert (find_gaps([1_500_000, 61_500_000]).line(1_000_000)
            == '60.0 s without events at 0.5 s: skipped')
    assert (find_gaps([0, 60_000_000, 90_000_000]).line(0)
            == '2 gaps, 90.0 s in total, the first: 60.0 s without events at 0.0 s: skipped')


def test_a_gap_may_be_within_a_packet():
    times = EventTimes()
    times.add(0, 'libcaer', np.array([1, 2, 20_000_002, 20_000_003]))
    assert times.gaps().start_us.tolist() == [2]
    assert times.gap_line() == '20.0 s without events at 0.0 s: skipped'


def test_times_of_another_process_are_brought_to_the_turn_of_the_events_logged_then():
    """Events pass two turns; the messages' processes began one turn earlier, and three later."""
    period_us, times = 1 << 24, EventTimes()
    for second in range(40):
        times.add(second * 10**9, 'evt3', np.array([second * 10**6, second * 10**6 + 9]))
    own_us = np.arange(1, 40, 5) * 10**6
    log_ns = own_us * 1000 + 200_000_000  # logged 0.2 s late
    for turns in (1, -3, np.where(own_us < 2 * 10**7, 1, -3)):
        assert (times.in_turn(own_us + turns * period_us, log_ns) == own_us).all()


def test_times_before_the_first_event_of_a_bag_are_in_the_turn_of_that_event():
    times = EventTimes()
    times.add(10**9, 'evt3', np.array([500]))
    assert times.in_turn(np.array([(1 << 24) + 100]), np.array([0])).tolist() == [100]


def test_clocks_that_do_not_wrap_are_left_alone():
    times = EventTimes()
    times.add(0, 'libcaer', np.array([500]))
    assert times.in_turn(np.array([1 << 24]), np.array([0])).tolist() == [1 << 24]
