# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tracker for gestures: bins, states and replay as for poses, but another output."""

import time
from typing import NamedTuple

from hybrid_pose_ros.engine.estimator import EngineState
from hybrid_pose_ros.representation.step_counter import Step
from hybrid_pose_ros.tasks.gesture import Gesture, probabilities
from hybrid_pose_ros.tracking.pose_tracker import PoseTracker
from hybrid_pose_ros.tracking.replay import NetworkOutput


class GestureReading(NamedTuple):
    """A gesture and its origin, as in `pose_tracker.Pose`."""

    gesture: Gesture
    events: int  # in the time bin
    skipped_steps: int  # bins without a reading since the last one
    state_age_us: int  # since the last event of the ANN's input
    stale: bool
    compute_ns: int

    @property
    def stamp_us(self) -> int:
        """Sensor time of the end of the bin."""
        return self.gesture.stamp_us


class GestureTracker(PoseTracker):
    """Reports the gesture at the end of every time bin, from the first state on."""

    def _read(self, state: EngineState) -> None:
        """Do nothing: there are no joints to fuse."""

    def _pose(self, output: NetworkOutput, started_ns: int) -> GestureReading:
        step = output.step
        gesture = Gesture(step.end_us, probabilities(output.state.heatmap))
        skipped = self._skipped(step)
        self.counts.poses += 1
        return GestureReading(gesture, step.events, skipped, output.age_us,
                              output.age_us > self._params.max_age_us,
                              time.perf_counter_ns() - started_ns)

    def _watch(self, step: Step, pose: GestureReading | None) -> None:
        confidence = None if pose is None else pose.gesture.confidence
        self._ask(step, confidence, quiet=False)
