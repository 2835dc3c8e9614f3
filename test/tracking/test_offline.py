# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes on a recorded stream: the exchange of states follows from the sensor clock."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labeled_clips import HEIGHT, WIDTH, circling_clip

from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

pytest.importorskip('torch')

from hybrid_pose_ros.tracking.offline import (
    OfflineInitializer, OfflineTracker, RecordingAnn, pieces, play)

WEIGHTS = untrained(preset('edge'))
CLIP = circling_clip(duration_ms=200, events_ms=20)
RATE_HZ = 30.0
"""States are due at 25 ms, which brings the 500th event, and at 34, 67, 100, ... ms."""


@pytest.fixture(scope='module')
def network():
    return OfflineInitializer(WEIGHTS, InitializerParams(), WIDTH, HEIGHT).network


def run(network, packets, *, delay_us=0, step_us=1_000, events=None):
    """Return the poses of a stream, and the times of its states."""
    initializer = OfflineInitializer(
        WEIGHTS, InitializerParams(rate_hz=RATE_HZ, step_us=step_us), WIDTH, HEIGHT,
        network=network)
    tracker = OfflineTracker(WEIGHTS, TrackerParams(step_us=step_us, state_delay_us=delay_us),
                             WIDTH, HEIGHT)
    states = [state.sensor_time_us for state in play(packets, initializer, [tracker])]
    return tracker.poses, states


@settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, len(CLIP.events)), max_size=12).map(sorted),
       delay_us=st.sampled_from([0, 12_000, 45_000]), step_us=st.sampled_from([1_000, 10_000]))
def test_any_cut_of_the_events_into_packets_gives_the_same_poses(network, cuts, delay_us,
                                                                 step_us):
    poses, states = run(network, np.split(CLIP.events, cuts), delay_us=delay_us, step_us=step_us)
    whole, states_of_whole = run(network, [CLIP.events], delay_us=delay_us, step_us=step_us)
    assert states == states_of_whole and len(states) >= 5
    assert len(poses) == len(whole) > 8
    for pose, expected in zip(poses, whole):
        for name in ('joints_px', 'confidence', 'velocity_px_s', 'stamp_us'):
            np.testing.assert_array_equal(getattr(pose.skeleton, name),
                                          getattr(expected.skeleton, name))
        assert pose.state_age_us == expected.state_age_us
        np.testing.assert_array_equal(pose.held, expected.held)


def ages_us(poses) -> dict[int, int]:
    """Return the age of the state at each pose, by the time of the pose."""
    return {pose.stamp_us: pose.state_age_us for pose in poses}


def test_a_state_without_a_delay_is_used_from_the_bin_after_it_on(network):
    poses, states = run(network, pieces(CLIP.events))
    assert states == [25_000, 34_000, 67_000, 100_000, 134_000, 167_000]
    ages = ages_us(poses)
    assert min(ages) == 25_000  # the pose of the first state itself
    assert (ages[67_000], ages[68_000]) == (33_000, 1_000)


def test_a_state_with_a_delay_is_used_when_that_has_passed(network):
    """The third state, 12 bins old, is replayed in two steps before the pose of the next bin."""
    poses, _ = run(network, pieces(CLIP.events), delay_us=12_000)
    ages = ages_us(poses)
    assert min(ages) == 37_000
    assert (ages[79_000], ages[80_000]) == (45_000, 13_000)


def test_a_state_of_an_earlier_time_is_the_same_as_on_the_way_there(network):
    ann = RecordingAnn(WEIGHTS, CLIP, network=network)
    early, late, again = (ann.state_at(at_us) for at_us in (100_000, 180_000, 100_000))
    np.testing.assert_array_equal(again.joints_px, early.joints_px)
    assert (late.joints_px != early.joints_px).any()


def test_a_silence_costs_no_pass_of_the_ann_and_no_bin(network):
    events = CLIP.events.copy()
    events['t'] += (events['t'] >= 100_500) * 600_000_000
    poses, states = run(network, [events])
    assert states == [25_000, 34_000, 67_000, 100_000, 134_000, 600_134_000, 600_167_000]
    assert len(poses) < 200
