# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tracker's path without ROS: what a pose is of, and when states are asked for."""

from dataclasses import replace

import numpy as np
import pytest
from child_processes import python
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import pieces
from tracker_feeds import (
    PARAMS, STEP_US, WEIGHTS, Feed, assert_same, bins_of, events_of, run_at_once, state,
    tracker)

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.tracking.warm_up import warm_up


def test_there_is_no_pose_before_the_first_state():
    track = tracker()
    assert Feed(track).until(10) == []
    assert track.counts.steps == 10 and track.state_age_us is None


@settings(max_examples=20)
@given(st.data())
def test_packets_may_cut_the_stream_anywhere(data):
    events = events_of(range(20))
    whole, cut = tracker(), tracker()
    for track in (whole, cut):
        Feed(track, events).until(1)
        track.initialize(state(0))
    rest = events[np.searchsorted(events['t'], STEP_US) + 1:]
    expected = list(whole.update(rest))
    poses = [pose for piece in data.draw(pieces(len(rest)))
             for pose in cut.update(rest[piece])]
    assert bins_of(poses) == bins_of(expected) == list(range(1, 20))
    assert_same(poses, [(pose.skeleton.joints_px, pose.skeleton.confidence)
                        for pose in expected])


def test_bins_without_events_have_poses_too():
    track = tracker()
    Feed(track).until(1)
    track.initialize(state(0))
    poses = list(track.update(event_array([11_000], [1], [1], [1])))
    assert bins_of(poses) == list(range(1, 11))
    assert [pose.events for pose in poses[1:]] == [0] * 9
    assert [pose.skipped_steps for pose in poses] == [0] * 10


def test_a_state_of_the_middle_of_a_bin_begins_with_the_next_one():
    """Or the bin's events that the ANN has seen would be counted twice."""
    track = tracker()
    feed = Feed(track)
    feed.until(10)
    track.initialize(state(6)._replace(sensor_time_us=5_500))
    poses = feed.until(12)
    assert_same(poses, run_at_once(state(6), range(10, 12)))
    assert poses[0].state_age_us == 5_500


def test_a_gap_forgets_the_state_and_a_state_behind_it_helps():
    track = tracker()
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    feed.until(20)
    behind = events_of(range(5_000, 5_020))
    poses = list(track.update(behind))
    assert bins_of(poses) == [20]  # the bin that was open when the clock jumped
    assert track.counts.gaps == 1 and track.state_age_us is None
    assert track.initialize(state(19)) is None
    assert bins_of([track.initialize(state(5_010))]) == [5_019]


def test_behind_a_restart_the_first_pose_has_no_past():
    track = tracker()
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    feed.until(20)
    track.restart()
    again = Feed(track)
    assert again.until(5) == []
    pose = track.initialize(state(2))
    assert bins_of([pose]) == [4] and pose.skipped_steps == 0
    assert not pose.skeleton.velocity_px_s.any()


def test_a_pose_is_stale_when_its_state_is_too_old():
    track = tracker(max_age_us=10_000)
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    poses = feed.until(20)
    assert [pose.stale for pose in poses] == [pose.state_age_us > 10_000 for pose in poses]
    assert {pose.stale for pose in poses} == {False, True}


def test_an_old_state_is_asked_for_until_the_next_one_comes():
    track = tracker(max_age_us=10_000, request_interval_us=5_000, least_confidence=0.0)
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    feed.until(7)
    assert track.take_request() is None
    feed.until(8)
    assert track.take_request() == 'old_state' and track.take_request() is None
    feed.until(15)
    track.initialize(state(14))
    feed.until(20)
    assert track.take_request() == 'old_state'  # the second one, before the state came
    feed.until(21)
    assert track.take_request() is None
    assert track.requests['old_state'] == 2


def test_lost_packets_and_gaps_are_asked_about():
    track = tracker(request_interval_us=1_000, least_confidence=0.0, rate_jump=1e6)
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    feed.until(5)
    assert track.take_request() is None
    track.mark_events_lost()
    feed.until(6)
    assert track.take_request() == 'lost_events'
    feed.until(10)
    assert track.take_request() is None
    list(track.update(events_of(range(5_000, 5_010))))
    assert track.take_request() == 'no_state'  # the newest reason
    assert track.requests['lost_events'] == 2


def test_without_a_state_one_is_asked_for():
    track = tracker(request_interval_us=5_000)
    Feed(track).until(20)
    assert track.take_request() == 'no_state'


def test_quiet_joints_stay_where_they_are_until_a_new_state_has_looked_at_them():
    track = tracker(rate_jump=1e6, least_confidence=0.0)
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    feed.until(20)
    silent = event_array([500_000], [1], [1], [1])
    poses = list(track.update(silent))
    held = [pose for pose in poses if pose.held.all()]
    assert 300 < len(held) < 450 and track.held_joints == 13
    assert all((pose.skeleton.joints_px == held[0].skeleton.joints_px).all() for pose in held)
    assert np.abs(held[-1].skeleton.velocity_px_s).max() < 1e-6
    assert track.requests['quiet_joints'] >= 1
    track.initialize(state(490, seed=1))
    moved = list(track.update(event_array([510_000], [1], [1], [1])))
    assert moved[-1].held.all()
    assert (moved[-1].skeleton.joints_px != held[0].skeleton.joints_px).any()


def test_nothing_is_held_where_nobody_wants_it():
    track = tracker(quiet_events_per_s=0.0)
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    poses = list(track.update(event_array([500_000], [1], [1], [1])))
    assert not any(pose.held.any() for pose in poses)


def test_a_state_of_the_wrong_shape_is_not_swallowed():
    track = tracker()
    Feed(track).until(10)
    wrong = state(5)
    wrong.tensors['heatmap'] = wrong.tensors['heatmap'][1:]
    with pytest.raises(ValueError, match='heatmap must have shape'):
        track.initialize(wrong)


def test_warming_up_works_with_any_length_of_step():
    warm_up(WEIGHTS, replace(PARAMS, step_us=10_000))


@pytest.mark.parametrize('changes', (
    {'step_us': 0}, {'step_us': 1e3}, {'replay_steps': 1}, {'preset': 'huge'},
    {'history_us': 10 ** 9}))
def test_parameters_that_are_not_legal_are_refused(changes):
    with pytest.raises(InputError, match=f'parameter {next(iter(changes))}'):
        replace(PARAMS, **changes)


AFTER_WARM_UP = """
import numpy as np
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.engine import kernels
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.tracking.pose_tracker import PoseTracker
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.representation import step_counter
from hybrid_pose_ros.tracking.tracker_params import TrackerParams
from hybrid_pose_ros.tracking.warm_up import Rest, warm_up

weights, compiled = untrained(preset('edge')), (kernels.advance, step_counter._count_into)
warm_up(weights, TrackerParams())
before = [len(function.signatures) for function in compiled]
tracker = PoseTracker(weights, TrackerParams(), 64, 48)
for times in ([0, 500, 1500], [2500], [9500], [9600, 9700], [30500]):
    tracker.initialize(Rest(0, {name: np.zeros(shape, np.float32)
                                 for name, shape in tracker.layout.items()}))
    list(tracker.update(event_array(times, [1] * len(times), [1] * len(times), [1] * len(times))))
assert before == [len(function.signatures) for function in compiled], before
"""


def test_a_warm_tracker_has_nothing_left_to_compile():
    """A bin without events, the first after 6 s, had stopped a new installation for 1 s."""
    ended = python(AFTER_WARM_UP)
    assert ended.returncode == 0, ended.stderr
