# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tracker for tasks other than poses, which reads the maps at the end of every bin."""

import time
from typing import NamedTuple

from hybrid_pose_ros.engine.estimator import EngineState
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.representation.step_counter import Step
from hybrid_pose_ros.representation.geometry import InputGeometry
from hybrid_pose_ros.tasks.table import TASKS
from hybrid_pose_ros.tasks.task import Result
from hybrid_pose_ros.tracking.replay import NetworkOutput
from hybrid_pose_ros.tracking.stream_tracker import StreamTracker
from hybrid_pose_ros.tracking.tracker_params import TrackerParams


class Reading(NamedTuple):
    """A result and its metadata, as in `pose_tracker.Pose`."""

    result: Result
    events: int  # number of events in the time bin
    skipped_steps: int  # bins without a reading since the last one
    state_age_us: int  # time since the last event of the ANN input
    stale: bool
    compute_ns: int

    @property
    def stamp_us(self) -> int:
        """Sensor time of the end of the bin."""
        return self.result.stamp_us


class TaskTracker(StreamTracker[Reading, None]):
    """Computes a reading for every time bin after the first ANN state."""

    def __init__(self, checkpoint: Checkpoint, params: TrackerParams, width: int, height: int, *,
                 period_us: int = 0):
        """Lay out the network, as for `StreamTracker`, for the task of the weights."""
        super().__init__(checkpoint, params, width, height, period_us=period_us)
        read = TASKS[checkpoint.preset.task].read
        if read is None:
            raise ValueError(f'the maps of {checkpoint.preset.task} are joints: use PoseTracker')
        self._read_maps = read

    def _read(self, state: EngineState, geometry: InputGeometry) -> None:
        """Return None, since there are no joints to fuse."""

    def _result(self, output: NetworkOutput[None], started_ns: int) -> Reading:
        step = output.step
        result = self._read_maps(step.end_us, output.state.heatmap)
        skipped = self._skipped(step)
        self.counts.poses += 1
        return Reading(result, step.events, skipped, output.age_us,
                       output.age_us > self._params.max_age_us,
                       time.perf_counter_ns() - started_ns)

    def _watch(self, step: Step, result: Reading | None) -> None:
        self._ask(step, None if result is None else result.result.confidence, quiet=False)
