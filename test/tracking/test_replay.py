# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How late states catch up and take over, and what happens when time is short."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracker_feeds import (
    BINS, EDGE, GEOMETRY, PARAMS, STEP_US, WEIGHTS, Feed, State, assert_same, bins_of,
    events_of, run_at_once, state, tracker)

from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.events.clock import EVT3_PERIOD_US
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.representation.step_counter import StepCounter, count_steps
from hybrid_pose_ros.tracking.pose_tracker import Pose, PoseTracker
from hybrid_pose_ros.tracking.replay import LateStateReplay, TrackerCounts


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
    feed.until(25)
    pose = track.initialize(state(0))
    engine = SpikingEngine(WEIGHTS, GEOMETRY.width, GEOMETRY.height, STEP_US, longest=10)
    steps = StepCounter(GEOMETRY, STEP_US).update(events_of(range(BINS)))
    expected = engine.initialize(state(0).tensors)
    for first, bins in ((0, 10), (10, 10), (20, 4), (24, 1)):
        engine.step(count_steps(steps[first:first + bins], GEOMETRY), expected, bins=bins)
    cells, _ = locate_joints(expected.heatmap, EDGE.logits)
    np.testing.assert_array_equal(pose.skeleton.joints_px,
                                  GEOMETRY.to_px(cells).astype(np.float32))
    assert track.counts.replayed_steps == 4


def test_a_tracker_that_takes_bins_together_can_be_initialized_again_and_again():
    track = tracker(replay_step_us=5 * STEP_US)
    feed = Feed(track)
    for index in range(1, 55):
        feed.until(index)
        track.initialize(state(max(0, index - 3 - index % 13), seed=index))
    assert track.counts.states + track.counts.states_unneeded >= 53
    assert track.counts.states > 20


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


def test_a_state_older_than_the_kept_bins_is_refused():
    track = tracker(history_us=10_000)
    Feed(track).until(30)
    assert track.initialize(state(19)) is None
    assert track.counts.states_too_old == 1
    assert track.initialize(state(20)) is not None


@pytest.mark.parametrize('turns', [-2, -1, 1, 3])
def test_a_state_of_another_turn_of_the_clock_is_used_as_one_of_this_turn(turns):
    """Tracker and initializer joined on different sides of a wrap: no state was ever used."""
    track = tracker(period_us=EVT3_PERIOD_US)
    feed = Feed(track)
    feed.until(10)
    elsewhere_us = 5 * STEP_US + turns * EVT3_PERIOD_US
    poses = [track.initialize(state(5)._replace(sensor_time_us=elsewhere_us)), *feed.until(20)]
    assert_same(poses, run_at_once(state(5), range(9, 20)))
    assert [pose.state_age_us for pose in poses] == [
        (index + 1 - 5) * STEP_US for index in range(9, 20)]
    assert track.counts.states_too_old == 0


def test_a_state_that_is_older_than_half_a_turn_is_not_one_of_the_future():
    """It would be waited for, without poses: 10 s ago is also 6.8 s ahead."""
    track = tracker(period_us=EVT3_PERIOD_US)
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    assert track.initialize(state(5)._replace(sensor_time_us=-10_000_000)) is None
    assert track.counts.states_too_old == 1
    assert bins_of(feed.until(20)) == list(range(1, 20))


def test_a_state_of_a_clock_that_does_not_wrap_is_as_old_as_it_says():
    track = tracker()
    Feed(track).until(10)
    assert track.initialize(state(5)._replace(sensor_time_us=5 * STEP_US - EVT3_PERIOD_US)) is None
    assert track.counts.states_too_old == 1


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


def test_a_state_ahead_of_the_tracker_takes_over_with_the_bin_after_it():
    track = tracker()
    feed = Feed(track)
    feed.until(1)
    track.initialize(state(0))
    assert track.initialize(state(10, seed=1)) is None
    poses = feed.until(20)
    assert bins_of(poses) == list(range(1, 20))
    assert_same(poses[:9], run_at_once(state(0), range(1, 10)))
    assert_same(poses[9:], run_at_once(state(10, seed=1), range(10, 20)))
    assert poses[9].state_age_us == STEP_US


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


def test_a_tracker_can_be_initialized_again_and_again():
    track = tracker()
    feed = Feed(track)
    for index in range(1, 50):
        feed.until(index)
        track.initialize(state(max(0, index - 3), seed=index))
    counts = track.counts
    assert counts.states + counts.states_unneeded in (48, 49)
    assert counts.states > 10


def hurried_poses(track: PoseTracker, bins: range, waited_us: int) -> list[Pose]:
    """Return the poses of bins, each a packet that has waited so long."""
    poses = []
    for index in bins:
        poses += track.update(events_of(range(index, index + 1)), waited_us=waited_us)
    return poses


def test_packets_that_have_waited_are_taken_in_long_steps_with_a_pose_each():
    track = tracker(replay_step_us=10 * STEP_US)
    hurried_poses(track, range(3), 0)
    track.initialize(state(3))
    poses = hurried_poses(track, range(3, 34), PARAMS.merge_lag_us + 1)
    assert [pose.skeleton.stamp_us for pose in poses] == [13_000, 23_000, 33_000]
    assert [pose.skipped_steps for pose in poses[1:]] == [9, 9]
    assert track.counts.merged_steps == 30
    after = hurried_poses(track, range(34, 37), 0)
    assert [pose.skeleton.stamp_us for pose in after] == [35_000, 36_000, 37_000]


def test_long_steps_are_those_of_a_network_of_that_step():
    track = tracker(replay_step_us=10 * STEP_US, quiet_events_per_s=0.0)
    hurried_poses(track, range(3), 0)
    begun = state(3)
    track.initialize(begun)
    pose, = hurried_poses(track, range(3, 13), PARAMS.merge_lag_us + 1)
    long = SpikingEngine(WEIGHTS, GEOMETRY.width, GEOMETRY.height, 10 * STEP_US)
    counter, reference = StepCounter(GEOMETRY, STEP_US), long.initialize(begun.tensors)
    steps = [step for index in range(13) for step in counter.update(
        events_of(range(index, index + 1)))]
    long.step(count_steps(steps[3:13], GEOMETRY), reference)
    cells, _ = locate_joints(reference.heatmap, EDGE.logits)
    np.testing.assert_allclose(pose.skeleton.joints_px, GEOMETRY.to_px(cells), atol=1e-3)


def test_a_tracker_without_long_steps_goes_on_bin_by_bin():
    track = tracker()
    hurried_poses(track, range(3), 0)
    track.initialize(state(3))
    assert len(hurried_poses(track, range(3, 10), 10**6)) == 7
    assert track.counts.merged_steps == 0


def test_bins_that_wait_for_a_long_step_when_a_state_takes_over_are_counted():
    track = tracker(replay_step_us=10 * STEP_US)
    hurried_poses(track, range(3), 0)
    track.initialize(state(3))
    waited_us = PARAMS.merge_lag_us + 1
    assert not hurried_poses(track, range(3, 8), waited_us)
    track.initialize(state(8, seed=1))
    pose, = hurried_poses(track, range(8, 9), waited_us)
    assert pose.skipped_steps == track.counts.merged_steps == 5


def test_with_a_fixed_delay_a_state_is_used_when_that_has_passed():
    """However early it comes; its tensors may be overwritten in the meantime."""
    track = tracker(state_delay_us=5 * STEP_US, replay_steps=10)
    feed = Feed(track)
    feed.until(10)
    first, second = state(8), state(12, seed=1)
    assert track.initialize(first) is None
    for tensor in first.tensors.values():
        tensor[...] = np.nan
    poses = feed.until(16)
    assert bins_of(poses) == [12, 13, 14, 15]
    assert track.initialize(second) is None
    assert not track.catch_up()
    poses += feed.until(20)
    assert_same(poses[:5], run_at_once(state(8), range(12, 17)))
    assert_same(poses[5:], run_at_once(second, range(17, 20)))


def test_a_state_that_is_torn_while_it_waits_is_not_used():
    track = tracker(state_delay_us=5 * STEP_US)
    feed = Feed(track)
    feed.until(10)
    track.initialize(state(8, intact=False))
    assert feed.until(20) == []
    assert track.counts.states_torn == 1


def test_without_replay_a_state_is_used_as_if_it_were_of_its_arrival():
    track = tracker(replay=False)
    feed = Feed(track)
    feed.until(10)
    track.initialize(state(4))
    poses = feed.until(20)
    assert [pose.state_age_us for pose in poses] == list(range(STEP_US, 11 * STEP_US, STEP_US))
    as_if_new = state(4)._replace(sensor_time_us=10 * STEP_US)
    assert_same(poses, run_at_once(as_if_new, range(10, 20)))


def wide_events(bins: range, width: int, height: int) -> np.ndarray:
    """Return 200 events in each bin of a sensor, and the one that completes the last."""
    rng = np.random.default_rng(5)
    count = 200 * len(bins)
    times_us = np.sort(rng.integers(bins.start * STEP_US, bins.stop * STEP_US, count))
    return event_array([*times_us, bins.stop * STEP_US], rng.integers(0, width, count + 1),
                       rng.integers(0, height, count + 1), rng.integers(0, 2, count + 1))


def state_of(track: PoseTracker, bin_index: int, region: tuple[int, ...] = (0, 0, 0, 0)) -> State:
    """Return a random state, the same for trackers with inputs of the same size."""
    rng = np.random.default_rng(bin_index)
    tensors = {name: rng.normal(size=shape).astype(np.float32)
               for name, shape in track.engine.layout.items()}
    return State(bin_index * STEP_US, tensors | {'region': np.array(region, np.float32)})


def test_a_state_of_a_region_sees_that_part_of_the_sensor_only():
    """A region with a pixel per cell is what a small sensor in its place would see."""
    wide, small = (PoseTracker(WEIGHTS, PARAMS, *size) for size in ((202, 20), (101, 10)))
    events = wide_events(range(20), 202, 20)
    x, y = events['x'].astype(int) - 50, events['y'].astype(int) - 5
    inside = (0 <= x) & (x < 101) & (0 <= y) & (y < 10)
    inside[-1], x[-1], y[-1] = True, 0, 0  # completes the last bin
    near = event_array(events['t'][inside], x[inside], y[inside], events['p'][inside])
    poses = []
    for track, stream, region in ((wide, events, (50, 5, 101, 10)), (small, near, (0,) * 4)):
        list(track.update(stream[stream['t'] < 10 * STEP_US]))
        track.initialize(state_of(track, 8, region))  # two bins are replayed
        poses.append(list(track.update(stream[stream['t'] >= 10 * STEP_US])))
    assert len(poses[0]) == len(poses[1]) == 11
    for of_wide, of_small in zip(*poses):
        np.testing.assert_allclose(of_wide.skeleton.joints_px,
                                   of_small.skeleton.joints_px + [50, 5], atol=1e-3)
        np.testing.assert_array_equal(of_wide.held, of_small.held)


def test_the_region_changes_when_a_state_with_another_one_takes_over():
    """Before, the bins are those of the first state; after, as if the second had been first."""
    events = wide_events(range(40), 202, 20)
    changing, second = (PoseTracker(WEIGHTS, PARAMS, 202, 20) for _ in range(2))
    early, late = events[events['t'] < 20 * STEP_US], events[events['t'] >= 20 * STEP_US]
    list(changing.update(early[early['t'] < 5 * STEP_US]))
    changing.initialize(state_of(changing, 4))
    list(changing.update(early[early['t'] >= 5 * STEP_US]))
    list(second.update(early))
    for track in (changing, second):
        track.initialize(state_of(track, 18, (50, 5, 101, 10)))
    pairs = list(zip(changing.update(late), second.update(late), strict=True))[5:]
    for pose, expected in pairs:
        np.testing.assert_array_equal(pose.skeleton.joints_px, expected.skeleton.joints_px)


@pytest.mark.parametrize('region', (
    (0, 0, 500, 50), (-1, 0, 101, 10), (0, 0, 50, 5), (150, 0, 101, 10),
    (np.nan, 0, 101, 10), (0, 0, np.inf, 10)))
def test_a_state_of_a_region_outside_the_sensor_is_refused(region):
    track = PoseTracker(WEIGHTS, PARAMS, 202, 20)
    list(track.update(wide_events(range(10), 202, 20)))
    assert track.initialize(state_of(track, 8, region)) is None
    assert track.counts.states_of_no_region == 1
    assert track.initialize(state_of(track, 8)) is not None


def test_the_events_of_a_bin_count_for_its_pose_if_the_state_is_of_its_end():
    """The network takes no step then, but the joints near the events are not quiet."""
    *before, last = StepCounter(GEOMETRY, STEP_US).update(events_of(range(10)))
    replay = LateStateReplay(WEIGHTS, PARAMS, GEOMETRY, TrackerCounts(),
                             read=lambda state, geometry: None)
    for step in (*before, last):
        assert replay.advance(step) is None
    output = replay.start(state(10))
    assert output.counts.sum() == last.events > 0
