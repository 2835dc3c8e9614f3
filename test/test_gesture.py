# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gestures: another task for the same tracker."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hybrid_pose_ros.checkpoint import Checkpoint, load, shipped, untrained
from hybrid_pose_ros.errors import CheckpointError, InputError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.gesture.classes import GESTURES, Gesture, probabilities
from hybrid_pose_ros.gesture.tracker import GestureTracker
from hybrid_pose_ros.presets import for_task, preset
from hybrid_pose_ros.simulation.motions import ACTIVITIES
from hybrid_pose_ros.tracker_params import TrackerParams
from hybrid_pose_ros.warm_up import Rest, warm_up

NETWORK = for_task(preset('edge'), 'gesture')
WIDTH, HEIGHT = 64, 48
PARAMS = TrackerParams()


def moving_events(duration_ms, seed=0):
    """Return 20 events a millisecond all over the sensor."""
    rng = np.random.default_rng(seed)
    count = 20 * duration_ms
    return event_array(np.sort(rng.integers(0, 1000 * duration_ms, count)),
                       rng.integers(0, WIDTH, count), rng.integers(0, HEIGHT, count),
                       rng.integers(0, 2, count))


def test_every_gesture_is_a_motion_of_the_simulator():
    assert set(GESTURES) <= set(ACTIVITIES) and len(set(GESTURES)) == len(GESTURES)


@given(arrays.arrays(np.float32, (3, 4, len(GESTURES)), elements=st.floats(-50, 50, width=32)),
       st.floats(-50, 50))
def test_probabilities_sum_to_1_and_do_not_change_with_all_maps(maps, more):
    found = probabilities(maps)
    assert found.sum() == pytest.approx(1, abs=1e-5) and (found >= 0).all()
    np.testing.assert_allclose(probabilities(maps + np.float32(more)), found, atol=1e-4)


def test_the_gesture_whose_map_is_high_anywhere_is_the_likeliest():
    maps = np.zeros((3, 4, 16), np.float32)
    maps[2, 1, 2] = 12
    maps[..., 12] = 99  # channels beyond the gestures only pad
    gesture = Gesture(5, probabilities(maps))
    assert gesture.name == GESTURES[2] and gesture.confidence > 0.99


def test_maps_without_a_finite_value_say_nothing():
    np.testing.assert_allclose(probabilities(np.full((2, 2, 8), np.nan)), 1 / len(GESTURES))


def test_a_reading_comes_of_every_bin_and_is_of_the_ann_s_maps_at_first():
    checkpoint = untrained(NETWORK)
    checkpoint.tensors['snn.output.weight'][...] = 0
    tracker = GestureTracker(checkpoint, PARAMS, WIDTH, HEIGHT)
    events = moving_events(30)
    early = events['t'] < 10_000
    assert not list(tracker.update(events[early]))  # no state yet
    tensors = {name: np.zeros(shape, np.float32) for name, shape in tracker.layout.items()}
    tensors['heatmap'][..., 3] = 5
    first = tracker.initialize(Rest(9_000, tensors))
    readings = [*tracker.update(events[~early])]
    assert first is None or first.gesture.name == GESTURES[3]
    assert [reading.stamp_us for reading in readings] == list(range(10_000, 30_000, 1000))[
        -len(readings):] and len(readings) >= 18
    assert {reading.gesture.name for reading in readings} == {GESTURES[3]}
    assert not any(reading.stale or reading.skipped_steps for reading in readings[1:])
    assert tracker.counts.poses == len(readings) + (first is not None)


def test_the_path_is_compiled_for_gestures_too():
    warm_up(untrained(NETWORK), PARAMS, GestureTracker)


def test_weights_know_their_task(tmp_path):
    untrained(NETWORK).save(tmp_path / 'gesture.safetensors')
    with pytest.raises(CheckpointError, match="task 'gesture', but pose is required"):
        load(tmp_path / 'gesture.safetensors', 'edge')
    loaded = shipped('edge', str(tmp_path / 'gesture.safetensors'), task=None)
    assert loaded.preset == NETWORK
    with pytest.raises(CheckpointError, match="task 'pose', but gesture is required"):
        untrained(preset('edge')).save(tmp_path / 'pose.safetensors')
        load(tmp_path / 'pose.safetensors', task='gesture')


def test_weights_of_a_task_that_is_not_known_are_refused(tmp_path):
    weights = untrained(preset('edge'))
    Checkpoint(weights.preset, weights.tensors, {'task': 'dance'}).save(tmp_path / 'a.safetensors')
    with pytest.raises(CheckpointError, match="'dance', but pose or gesture is required"):
        load(tmp_path / 'a.safetensors', task=None)


def test_an_unknown_task_is_a_user_s_mistake():
    with pytest.raises(InputError, match="unknown task 'dance': choose from pose, gesture"):
        for_task(preset('edge'), 'dance')


def test_a_network_for_poses_stays_as_it_is():
    assert for_task(preset('edge'), 'pose') is preset('edge')
