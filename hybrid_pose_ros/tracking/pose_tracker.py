# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pose tracker: heatmaps -> joints -> fusion with the ANN -> held joints -> skeletons.

Events, time bins, states and replay are in `stream_tracker.py`.
"""

import time
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.engine.estimator import EngineState
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.pose.fusion import JointFusion
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.pose.holding import JointHolder
from hybrid_pose_ros.pose.velocity import VelocityState, velocity_step
from hybrid_pose_ros.representation.geometry import InputGeometry
from hybrid_pose_ros.representation.step_counter import Step
from hybrid_pose_ros.tasks.skeleton import JOINTS, Skeleton
from hybrid_pose_ros.tracking.replay import NetworkOutput
from hybrid_pose_ros.tracking.stream_tracker import StreamTracker
from hybrid_pose_ros.tracking.tracker_params import TrackerParams


class Pose(NamedTuple):
    """A skeleton and its metadata."""

    skeleton: Skeleton
    held: np.ndarray  # (J,) bool: held at its position since there are too few events nearby
    events: int  # number of events in the time bin
    skipped_steps: int  # bins without a pose since the last one
    state_age_us: int  # time since the events of the ANN pass
    stale: bool  # state_age_us exceeds max_age_us: the pose may have drifted
    compute_ns: int

    @property
    def stamp_us(self) -> int:
        """Sensor time of the end of the bin."""
        return self.skeleton.stamp_us


class SeenJoints(NamedTuple):
    """The joints in a state of the network."""

    joints_px: np.ndarray  # (J, 2) float32
    confidence: np.ndarray  # (J,) float32, 0 to 1


class _Track:
    """Track data carried from pose to pose since the last jump of the sensor clock."""

    def __init__(self, params: TrackerParams, kept_steps: int):
        self.holder = JointHolder(params.step_us, params.quiet_events_per_s)
        self.moving = len(JOINTS)  # number of joints that are not held
        self.fusion = JointFusion(params.step_us, kept_steps)
        self.corrected_us: int | None = None  # time of the state that last corrected the joints
        self.velocity: VelocityState | None = None


class PoseTracker(StreamTracker[Pose, SeenJoints]):
    """Computes a pose for every time bin after the first ANN state."""

    def __init__(self, checkpoint: Checkpoint, params: TrackerParams, width: int, height: int, *,
                 period_us: int = 0):
        """Lay out the network, as for `StreamTracker`."""
        super().__init__(checkpoint, params, width, height, period_us=period_us)
        self._logits = checkpoint.preset.logits
        self._track = _Track(params, self._replay.kept_steps)

    @property
    def held_joints(self) -> int:
        """Number of held joints."""
        return len(JOINTS) - self._track.moving

    def set_params(self, params: TrackerParams) -> None:
        """Change live settings, effective from the next bin; the others must be unchanged."""
        super().set_params(params)
        self._track.holder.set_quiet(params.quiet_events_per_s)

    def _forget(self) -> None:
        super()._forget()
        self._track = _Track(self._params, self._replay.kept_steps)

    def _read(self, state: EngineState, geometry: InputGeometry) -> SeenJoints:
        cells, confidence = locate_joints(state.maps, self._logits, len(JOINTS))
        joints_px = geometry.to_px(cells + state.offset).astype(np.float32)
        return SeenJoints(joints_px, confidence)

    def _result(self, output: NetworkOutput[SeenJoints], started_ns: int) -> Pose:
        step, track = output.step, self._track
        joints_px, confidence = self._read(output.state, output.geometry)
        corrected = output.since_us != track.corrected_us
        if self._params.fusion:
            if corrected:
                track.fusion.correct(output.since_us, *output.seen, output.geometry.cell_px)
            joints_px = track.fusion.carry(joints_px)
        track.corrected_us = output.since_us
        skipped = self._skipped(step)
        held = track.holder.hold_into(joints_px, output.counts, output.geometry,
                                      steps=skipped + 1, moved=corrected)
        track.fusion.remember(step.end_us, joints_px)
        velocity, track.velocity = velocity_step(joints_px, confidence, step.end_us,
                                                 track.velocity)
        skeleton = Skeleton(step.end_us, joints_px, confidence, velocity)
        self.counts.poses += 1
        return Pose(skeleton, held, step.events, skipped, output.age_us,
                    output.age_us > self._params.max_age_us, time.perf_counter_ns() - started_ns)

    def _watch(self, step: Step, result: Pose | None) -> None:
        confidence, quiet = None, False
        if result is not None:
            moving = len(result.held) - np.count_nonzero(result.held)
            if moving:
                confidence = float(result.skeleton.confidence @ ~result.held) / moving
            quiet = moving < self._track.moving
            self._track.moving = moving
        self._ask(step, confidence, quiet=quiet)
