# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Other tasks than poses for the same tracker, such as gestures."""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import for_task, preset
from hybrid_pose_ros.tasks.gesture import GESTURES
from hybrid_pose_ros.tasks.table import TASKS
from hybrid_pose_ros.tasks.task import Task
from hybrid_pose_ros.tracking.task_tracker import TaskTracker
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
    tracker = TaskTracker(checkpoint, PARAMS, WIDTH, HEIGHT)
    events = moving_events(30)
    early = events['t'] < 10_000
    assert not list(tracker.update(events[early]))  # no state yet
    tensors = {name: np.zeros(shape, np.float32) for name, shape in tracker.layout.items()}
    tensors['heatmap'][..., 3] = 5
    first = tracker.initialize(Rest(9_000, tensors))
    readings = [*tracker.update(events[~early])]
    assert first is None or first.result.name == GESTURES[3]
    assert [reading.stamp_us for reading in readings] == list(range(10_000, 30_000, 1000))[
        -len(readings):] and len(readings) >= 18
    assert {reading.result.name for reading in readings} == {GESTURES[3]}
    assert not any(reading.stale or reading.skipped_steps for reading in readings[1:])
    assert tracker.counts.poses == len(readings) + (first is not None)


def test_the_path_is_compiled_for_gestures_too():
    warm_up(untrained(NETWORK), PARAMS, TaskTracker)


def test_a_task_that_is_added_to_the_table_is_read(monkeypatch):
    """Its result is the number of the highest map, with a confidence that requests no state."""
    class Highest(NamedTuple):
        stamp_us: int
        number: int
        confidence: float = 1.0
    monkeypatch.setitem(TASKS, 'highest', Task(
        ('a', 'b', 'c'), 'Gesture', lambda stamp_us, maps: Highest(
            stamp_us, int(maps[..., :3].max(axis=(0, 1)).argmax()))))
    network = for_task(preset('edge'), 'highest')
    assert network.joints == 3
    checkpoint = untrained(network)
    checkpoint.tensors['snn.output.weight'][...] = 0
    tracker = TaskTracker(checkpoint, PARAMS, WIDTH, HEIGHT)
    assert not list(tracker.update(moving_events(10)))
    tensors = {name: np.zeros(shape, np.float32) for name, shape in tracker.layout.items()}
    tensors['heatmap'][3, 4, 1] = 5
    assert tracker.initialize(Rest(8_000, tensors)).result == Highest(9_000, 1)
