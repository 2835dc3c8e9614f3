# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A tracker with random weights, events for it bin by bin, and what it must answer to the bit."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.representation.step_counter import StepCounter
from hybrid_pose_ros.tracking.pose_tracker import Pose, PoseTracker
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

WIDTH, HEIGHT, STEP_US = 24, 20, 1_000
EDGE = preset('edge')
WEIGHTS = untrained(EDGE)
GEOMETRY = input_geometry(EDGE, WIDTH, HEIGHT)
ENGINE = SpikingEngine(WEIGHTS, GEOMETRY.width, GEOMETRY.height, STEP_US)
PARAMS = TrackerParams(history_us=40_000, replay_step_us=STEP_US,  # bin by bin, so exact
                       fusion=False)
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


def tracker(*, period_us: int = 0, **changes) -> PoseTracker:
    """Return a tracker that has seen nothing."""
    return PoseTracker(WEIGHTS, replace(PARAMS, **changes), WIDTH, HEIGHT, period_us=period_us)


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
    steps = {step.number: step for step in counter.update(
        events_of(range(BINS)) if events is None else events)}
    engine_state = ENGINE.initialize(start.tensors)
    first = start.sensor_time_us // STEP_US
    poses = []
    for index in range(first - 1, bins.stop):
        if index >= first:
            ENGINE.step(steps[index].counts(GEOMETRY), engine_state)
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
