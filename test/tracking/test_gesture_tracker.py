# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gestures: another task for the same tracker."""

import numpy as np

from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import for_task, preset
from hybrid_pose_ros.tasks.gesture import GESTURES
from hybrid_pose_ros.tracking.gesture_tracker import GestureTracker
from hybrid_pose_ros.tracking.tracker_params import TrackerParams
from hybrid_pose_ros.tracking.warm_up import Rest, warm_up

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
