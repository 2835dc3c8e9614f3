# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tracker's path without ROS: what a pose is of, and how states take over."""

import subprocess
import sys
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import pieces

from hybrid_pose_ros.checkpoint import untrained
from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.pipeline import Pose, PoseTracker
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.presets import preset
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.representation.step_counter import StepCounter
from hybrid_pose_ros.tracker_params import TrackerParams
from hybrid_pose_ros.warm_up import warm_up

WIDTH, HEIGHT, STEP_US = 24, 20, 1_000
EDGE = preset('edge')
WEIGHTS = untrained(EDGE)
GEOMETRY = input_geometry(EDGE, WIDTH, HEIGHT)
ENGINE = SpikingEngine(WEIGHTS, GEOMETRY.width, GEOMETRY.height, STEP_US)
PARAMS = TrackerParams(history_us=40_000, replay_step_us=STEP_US)  # bin by bin, so exact
BINS = 60


class State(NamedTuple):
    """A state as the transport hands it over."""

    sensor_time_us: int
    tensors: dict[str, np.ndarray]
    intact: bool = True

    def is_intact(self) -> bool:
        return self.intact


def state(bin_index: int, *, seed: int = 0, intact: bool = True) -> State:
    """Return a random state that has seen everything before a bin."""
    rng = np.random.default_rng([seed, bin_index])
    return State(bin_index * STEP_US, {
        name: rng.normal(size=shape).astype(np.float32)
        for name, shape in ENGINE.layout.items()}, intact)


def events_of(bins: range, *, seed: int = 0) -> np.ndarray:
    """Return 30 events in each bin, and the one that completes the last."""
    rng = np.random.default_rng([seed, bins.start])
    count = 30 * len(bins)
    times_us = np.sort(rng.integers(bins.start * STEP_US, bins.stop * STEP_US, count))
    return event_array([*times_us, bins.stop * STEP_US], rng.integers(0, WIDTH, count + 1),
                       rng.integers(0, HEIGHT, count + 1), rng.integers(0, 2, count + 1))


def tracker(**changes) -> PoseTracker:
    """Return a tracker that has seen nothing."""
    return PoseTracker(WEIGHTS, replace(PARAMS, **changes), WIDTH, HEIGHT)


class Feed:
    """One stream of events, given to a tracker bin by bin."""

    def __init__(self, track: PoseTracker, events: np.ndarray | None = None):
        self._tracker = track
        self._events = events_of(range(BINS)) if events is None else events
        self._given = 0

    def until(self, bin_index: int) -> list[Pose]:
        """Complete all bins before one; return the poses that came of it."""
        end = np.searchsorted(self._events['t'], bin_index * STEP_US) + 1
        poses = list(self._tracker.update(self._events[self._given:end]))
        self._given = max(self._given, end)
        return poses


def run_at_once(start: State, bins: range, events: np.ndarray | None = None) -> list:
    """Return joints and confidence of each bin, of a network initialized without any delay.

    The bin that ends with the last event that the ANN saw has the ANN's own heatmap.
    """
    counter = StepCounter(GEOMETRY, STEP_US)
    steps = {step.index: step for step in counter.update(
        events_of(range(BINS)) if events is None else events)}
    engine_state = ENGINE.initialize(start.tensors)
    first = start.sensor_time_us // STEP_US
    poses = []
    for index in range(first - 1, bins.stop):
        if index >= first:
            ENGINE.step(steps[index].counts, engine_state)
        if index in bins:
            cells, confidence = locate_joints(engine_state.heatmap, EDGE.logits)
            poses.append((GEOMETRY.to_px(cells).astype(np.float32), confidence))
    return poses


def assert_same(poses: list[Pose], expected: list) -> None:
    """Compare bit by bit: it is the same arithmetic in the same order."""
    assert len(poses) == len(expected)
    for pose, (joints_px, confidence) in zip(poses, expected):
        np.testing.assert_array_equal(pose.skeleton.joints_px, joints_px)
        np.testing.assert_array_equal(pose.skeleton.confidence, confidence)


def bins_of(poses: list[Pose]) -> list[int]:
    """Return the bins that poses are of."""
    return [pose.skeleton.stamp_us // STEP_US - 1 for pose in poses]


@settings(max_examples=20)
@given(st.integers(0, 30), st.integers(2, 7), st.integers(2, 12))
def test_past_bins_that_are_taken_together_catch_up_sooner(delay, replay_steps, merged):
    track = tracker(replay_steps=replay_steps, replay_step_us=merged * STEP_US)
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    feed.until(5 + delay)
    track.initialize(state(5, seed=1))
    poses = feed.until(55)
    assert bins_of(poses) == list(range(5 + delay, 55))
    waited = next(i for i, pose in enumerate(poses)
                  if pose.skeleton.stamp_us - pose.state_age_us == 5 * STEP_US)
    alone = max(1, -(-delay // (replay_steps - 1))) - 1
    together = delay / (merged * replay_steps - 1) + merged / (replay_steps - 1) + 1
    assert waited <= min(alone, together)


def test_a_long_step_sees_the_events_of_all_its_bins():
    """One bin is left at the end, which is taken by itself."""
    track = tracker(replay_step_us=10 * STEP_US)
    feed = Feed(track)
    feed.until(21)
    pose = track.initialize(state(0))
    engine = SpikingEngine(WEIGHTS, GEOMETRY.width, GEOMETRY.height, 10 * STEP_US)
    steps = StepCounter(GEOMETRY, STEP_US).update(events_of(range(BINS)))
    long_state = engine.initialize(state(0).tensors)
    for first in (0, 10):
        engine.step(sum(step.counts for step in steps[first:first + 10]), long_state)
    expected = ENGINE.initialize()
    expected.take(long_state)
    ENGINE.step(steps[20].counts, expected)
    cells, _ = locate_joints(expected.heatmap, EDGE.logits)
    np.testing.assert_array_equal(pose.skeleton.joints_px,
                                  GEOMETRY.to_px(cells).astype(np.float32))
    assert track.counts.replayed_steps == 3


def test_a_tracker_that_takes_bins_together_can_be_initialized_again_and_again():
    track = tracker(replay_step_us=5 * STEP_US)
    feed = Feed(track)
    for index in range(1, 55):
        feed.until(index)
        track.initialize(state(max(0, index - 3 - index % 13), seed=index))
    assert track.counts.states + track.counts.states_unneeded >= 53
    assert track.counts.states > 20


def test_there_is_no_pose_before_the_first_state():
    track = tracker()
    assert Feed(track).until(10) == []
    assert track.counts.steps == 10 and track.state_age_us is None


@settings(max_examples=20)
@given(st.integers(0, 20), st.integers(0, 20))
def test_the_first_state_gives_the_pose_of_the_newest_bin_at_once(first, delay):
    track = tracker()
    feed = Feed(track)
    feed.until(first + delay + 1)
    pose = track.initialize(state(first))
    assert bins_of([pose]) == [first + delay]
    assert_same([pose], run_at_once(state(first), range(first + delay, first + delay + 1)))


@settings(max_examples=20)
@given(st.integers(0, 20), st.integers(0, 20))
def test_from_then_on_every_bin_has_a_pose_as_if_the_ann_had_taken_no_time(first, delay):
    track = tracker()
    feed = Feed(track)
    now = first + delay + 1
    feed.until(now)
    track.initialize(state(first))
    poses = feed.until(now + 10)
    assert bins_of(poses) == list(range(now, now + 10))
    assert_same(poses, run_at_once(state(first), range(now, now + 10)))
    assert [pose.state_age_us for pose in poses] == [
        (index + 1 - first) * STEP_US for index in range(now, now + 10)]


@settings(max_examples=30)
@given(st.integers(1, 25), st.integers(0, 12), st.integers(2, 6))
def test_a_later_state_takes_over_when_its_replay_has_caught_up(first, delay, replay_steps):
    """With r bins replayed beside each live one, d bins take d / (r - 1) live ones."""
    track = tracker(replay_steps=replay_steps)
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0, seed=1))
    now = first + delay
    before = feed.until(now)
    assert track.initialize(state(first)) is None
    poses = feed.until(now + 20)
    catching_up = max(1, -(-delay // (replay_steps - 1))) - 1
    takes_over = now + catching_up
    assert_same([*before, *poses[:catching_up]],
                run_at_once(state(0, seed=1), range(1, takes_over)))
    assert_same(poses[catching_up:], run_at_once(state(first), range(takes_over, now + 20)))
    ages_us = [pose.state_age_us for pose in poses]
    assert ages_us[catching_up] == (takes_over + 1 - first) * STEP_US
    assert track.counts.states == 2


@settings(max_examples=40)
@given(st.integers(1, 10), st.integers(0, 8),
       st.lists(st.tuples(st.integers(1, 4), st.integers(0, 6)), min_size=1, max_size=8))
def test_a_replay_in_idle_times_changes_no_pose_but_when_it_takes_over(first, delay, packets):
    track = tracker()
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0, seed=1))
    now, poses = first + delay, []
    feed.until(now)
    track.initialize(state(first))
    for bins, idle in packets:
        for _ in range(idle):
            track.catch_up()
        poses += feed.until(now + len(poses) + bins)
    end = now + len(poses)
    assert bins_of(poses) == list(range(now, end))
    old = sum(pose.state_age_us == pose.stamp_us for pose in poses)  # of the state of time 0
    assert_same(poses[:old], run_at_once(state(0, seed=1), range(now, now + old)))
    assert_same(poses[old:], run_at_once(state(first), range(now + old, end)))


@given(st.integers(1, 10), st.integers(0, 12))
def test_who_waits_for_packets_catches_up_without_any(first, delay):
    track = tracker()
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0, seed=1))
    feed.until(first + delay)
    track.initialize(state(first))
    steps = 0
    while track.catch_up():
        steps += 1
    assert steps == max(0, delay - 1)
    assert track.counts.states == 2
    assert track.state_age_us == delay * STEP_US
    assert not track.catch_up()


def test_idle_times_are_of_no_use_without_a_state_or_ahead_of_the_events():
    track = tracker()
    assert not track.catch_up()
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    track.initialize(state(5))
    assert not track.catch_up()
    assert track.counts.states == 1
    feed.until(8)
    assert track.counts.states == 2


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


def test_a_state_older_than_the_kept_bins_is_refused():
    track = tracker(history_us=10_000)
    Feed(track).until(30)
    assert track.initialize(state(19)) is None
    assert track.counts.states_too_old == 1
    assert track.initialize(state(20)) is not None


def test_a_state_before_the_first_bin_is_refused():
    track = tracker()
    assert track.initialize(state(0)) is None
    assert track.counts.states_too_old == 1


def test_a_torn_state_leaves_the_live_one_alone():
    track = tracker()
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    feed.until(10)
    assert track.initialize(state(8, seed=1, intact=False)) is None
    assert_same(feed.until(20), run_at_once(state(0), range(10, 20)))
    assert track.counts.states_torn == 1 and track.counts.states == 1


def test_a_torn_first_state_gives_no_pose_and_the_next_one_does():
    track = tracker()
    feed = Feed(track)
    feed.until(10)
    assert track.initialize(state(8, intact=False)) is None
    assert feed.until(12) == []
    assert bins_of([track.initialize(state(8))]) == [11]


def test_what_the_writer_does_to_a_state_afterwards_does_not_matter():
    track = tracker()
    feed = Feed(track)
    feed.until(10)
    given_state = state(5)
    track.initialize(given_state)
    for tensor in given_state.tensors.values():
        tensor[...] = np.nan
    assert_same(feed.until(20), run_at_once(state(5), range(10, 20)))


def test_a_state_that_comes_while_another_catches_up_is_not_needed():
    track = tracker(replay_steps=2)
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    feed.until(20)
    track.initialize(state(10, seed=1))
    feed.until(22)
    track.initialize(state(21, seed=2))
    feed.until(40)
    assert track.counts.states_unneeded == 1
    assert track.state_age_us == 30 * STEP_US


def test_a_state_ahead_of_the_tracker_takes_over_when_its_bins_come():
    track = tracker()
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    assert track.initialize(state(10, seed=1)) is None
    poses = feed.until(20)
    assert bins_of(poses) == list(range(1, 20))
    assert_same(poses[:8], run_at_once(state(0), range(1, 9)))
    assert_same(poses[8:], run_at_once(state(10, seed=1), range(9, 20)))
    assert poses[8].state_age_us == 0


def test_a_tracker_that_is_too_far_behind_leaves_bins_out_and_says_so():
    track = tracker(max_lag_us=10_000)
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    track.initialize(state(15, seed=1))
    poses = feed.until(20)
    assert bins_of(poses) == list(range(14, 20))
    assert [pose.skipped_steps for pose in poses] == [13, 0, 0, 0, 0, 0]
    assert track.counts.left_out_steps == 13
    assert_same(poses, run_at_once(state(15, seed=1), range(14, 20)))


def test_an_older_state_says_that_the_one_that_is_waited_for_is_of_another_time():
    """A state of the last pass of a bag's loop used to keep all of the next pass's out."""
    track = tracker(max_lag_us=10_000)
    feed = Feed(track)
    feed.until(1)
    assert track.initialize(state(50, seed=1)) is None
    feed.until(5)
    assert bins_of([track.initialize(state(3))]) == [4]
    assert bins_of(feed.until(10)) == list(range(5, 10))


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


def test_a_tracker_can_be_initialized_again_and_again():
    track = tracker()
    feed = Feed(track)
    for index in range(1, 50):
        feed.until(index)
        track.initialize(state(max(0, index - 3), seed=index))
    counts = track.counts
    assert counts.states + counts.states_unneeded in (48, 49)
    assert counts.states > 10


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
    track.lose()
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
from hybrid_pose_ros.checkpoint import untrained
from hybrid_pose_ros.engine import kernels
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.pipeline import PoseTracker
from hybrid_pose_ros.presets import preset
from hybrid_pose_ros.representation import step_counter
from hybrid_pose_ros.tracker_params import TrackerParams
from hybrid_pose_ros.warm_up import Rest, warm_up

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
    subprocess.run([sys.executable, '-c', AFTER_WARM_UP], check=True)


def hurried_poses(track: PoseTracker, bins: range, waited_us: int) -> list[Pose]:
    """Return the poses of bins, each a packet that has waited so long."""
    poses = []
    for index in bins:
        poses += track.update(events_of(range(index, index + 1)), waited_us=waited_us)
    return poses


def test_packets_that_have_waited_are_taken_in_long_steps_with_a_pose_each():
    track = tracker(replay_step_us=10 * STEP_US)
    hurried_poses(track, range(0, 3), 0)
    track.initialize(state(3))
    poses = hurried_poses(track, range(3, 34), PARAMS.merge_lag_us + 1)
    assert [pose.skeleton.stamp_us for pose in poses] == [13_000, 23_000, 33_000]
    assert [pose.skipped_steps for pose in poses[1:]] == [9, 9]
    assert track.counts.merged_steps == 30
    after = hurried_poses(track, range(34, 37), 0)
    assert [pose.skeleton.stamp_us for pose in after] == [35_000, 36_000, 37_000]


def test_long_steps_are_those_of_a_network_of_that_step():
    track = tracker(replay_step_us=10 * STEP_US, quiet_events_per_s=0.0)
    hurried_poses(track, range(0, 3), 0)
    begun = state(3)
    track.initialize(begun)
    pose, = hurried_poses(track, range(3, 13), PARAMS.merge_lag_us + 1)
    long = SpikingEngine(WEIGHTS, GEOMETRY.width, GEOMETRY.height, 10 * STEP_US)
    counter, reference = StepCounter(GEOMETRY, STEP_US), long.initialize(begun.tensors)
    steps = [step for index in range(13) for step in counter.update(
        events_of(range(index, index + 1)))]
    long.step(np.sum([step.counts for step in steps[3:13]], axis=0, dtype=np.uint8), reference)
    cells, _ = locate_joints(reference.heatmap, EDGE.logits)
    np.testing.assert_allclose(pose.skeleton.joints_px, GEOMETRY.to_px(cells), atol=1e-3)


def test_a_tracker_without_long_steps_goes_on_bin_by_bin():
    track = tracker()
    hurried_poses(track, range(0, 3), 0)
    track.initialize(state(3))
    assert len(hurried_poses(track, range(3, 10), 10**6)) == 7
    assert track.counts.merged_steps == 0


def test_bins_that_wait_for_a_long_step_when_a_state_takes_over_are_counted():
    track = tracker(replay_step_us=10 * STEP_US)
    hurried_poses(track, range(0, 3), 0)
    track.initialize(state(3))
    waited_us = PARAMS.merge_lag_us + 1
    assert not hurried_poses(track, range(3, 8), waited_us)
    track.initialize(state(8, seed=1))
    pose, = hurried_poses(track, range(8, 9), waited_us)
    assert pose.skipped_steps == track.counts.merged_steps == 5
