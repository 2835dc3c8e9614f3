# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When the ANN is asked to look again before its time."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.tracking.state_requests import (
    LEAST_JUMP, REASONS, StateRequestParams, StateRequestPolicy)
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

STEP_US = 1_000
PARAMS = StateRequestParams(request_interval_us=20_000)


class Watch:
    """A stream of bins with nothing remarkable, but for what a test says."""

    def __init__(self, **changes):
        self.policy = StateRequestPolicy(replace(PARAMS, **changes), STEP_US)
        self.now_us = 0

    def see(self, bins: int, **remarkable) -> list[tuple[int, str]]:
        """Let bins pass; return the requests, with the bin's number."""
        found = []
        for _ in range(bins):
            self.now_us += STEP_US
            seen = {'events': 100, 'age_us': 10_000, 'confidence': 0.9, **remarkable}
            reason = self.policy.update(self.now_us, **seen)
            found += [(self.now_us // STEP_US, reason)] if reason else []
        return found


def test_nothing_is_asked_for_while_all_is_well():
    watch = Watch()
    assert watch.see(1000) == []
    assert set(watch.policy.counts.values()) == {0}


def test_an_old_state_is_asked_for_before_it_is_older_than_it_may_be():
    watch = Watch()
    watch.see(100)
    assert watch.see(1, age_us=7 * PARAMS.max_age_us // 10) == []
    assert watch.see(1, age_us=7 * PARAMS.max_age_us // 10 + 1) == [(102, 'old_state')]


def test_the_ann_gets_time_to_make_its_first_state_before_it_is_asked():
    watch = Watch()
    assert watch.see(21, age_us=None) == [(21, 'no_state')]


def test_low_confidence_must_last():
    watch = Watch()
    watch.see(200)
    assert watch.see(5, confidence=0.0) == []
    assert watch.see(200) == []
    # 0.9 decays to 0.3 in 20 ms * ln 3 = 22 bins
    assert watch.see(30, confidence=0.0)[0] == (405 + 22, 'low_confidence')


def test_low_confidence_does_not_matter_where_no_joint_moves():
    watch = Watch()
    watch.see(50, confidence=0.1)
    assert watch.see(100, confidence=None) == []


def test_a_jump_of_the_event_rate_is_seen_within_its_average():
    watch = Watch()
    watch.see(300)
    requests = watch.see(20, events=1000)
    assert requests[0][1] == 'rate_jump' and requests[0][0] <= 310


def test_the_rate_is_usual_again_after_a_while():
    watch = Watch()
    watch.see(300)
    watch.see(300, events=1000)
    assert watch.see(300, events=1000) == []


@given(st.integers(0, LEAST_JUMP // 10 - 1))
def test_a_few_events_on_a_dark_sensor_are_no_jump(events):
    watch = Watch()
    watch.see(300, events=0)
    assert watch.see(10, events=events) == []


@given(st.integers(0, 19))
def test_events_that_were_lost_are_asked_about_as_soon_as_may_be(bins):
    watch = Watch()
    watch.see(100)
    watch.see(1, age_us=10**9)
    watch.see(bins)
    watch.policy.mark_events_lost()
    assert watch.see(50) == [(121, 'lost_events')]


def test_a_joint_that_goes_quiet_is_asked_about_once():
    watch = Watch()
    watch.see(100)
    assert watch.see(1, quiet=True) == [(101, 'quiet_joints')]
    assert watch.see(100) == []


def test_nothing_is_asked_for_while_a_state_catches_up():
    watch = Watch()
    watch.see(100)
    watch.policy.mark_events_lost()
    assert watch.see(50, coming=True) == []
    assert watch.see(1) == [(151, 'lost_events')]


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans(), st.booleans(), st.booleans()),
                max_size=20))
def test_requests_keep_their_distance_and_are_all_counted(phases):
    watch = Watch()
    requests = []
    for bins, old, unsure, quiet in phases:
        requests += watch.see(bins, age_us=10**6 if old else 0,
                              confidence=0.1 if unsure else 0.9, quiet=quiet)
    at = [number for number, _ in requests]
    assert all(later - before >= 20 for before, later in zip(at, at[1:]))
    reasons = [reason for _, reason in requests]
    assert watch.policy.counts == {reason: reasons.count(reason) for reason in REASONS}


def test_behind_a_restart_nothing_is_known_of_the_time_before():
    watch = Watch()
    watch.see(1000, events=10)
    watch.policy.restart()
    watch.now_us = 0
    assert watch.see(100, events=1000) == []
    assert watch.see(1, age_us=10**6) == [(101, 'old_state')]


@pytest.mark.parametrize('name', ('max_age_us', 'least_confidence', 'rate_jump'))
def test_the_trackers_parameters_are_those_of_the_policy(name):
    assert getattr(TrackerParams(), name) == getattr(StateRequestParams(), name)
