# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tracker's whole path on one page: events -> time bins -> spikes -> heatmaps -> skeletons.

`replay.py` compensates the latency of ANN states, and `state_requests.py` decides after each bin
whether to request a state early.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.engine.estimator import EngineState, SpikingEngine
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.layout import message_layout
from hybrid_pose_ros.pose.fusion import JointFusion
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.pose.holding import JointHolder
from hybrid_pose_ros.pose.velocity import VelocityState, velocity_step
from hybrid_pose_ros.representation.geometry import InputGeometry
from hybrid_pose_ros.representation.hot_pixels import HotPixels
from hybrid_pose_ros.representation.step_counter import Gap, Step, StepCounter
from hybrid_pose_ros.tasks.skeleton import JOINTS, Skeleton
from hybrid_pose_ros.tracking.replay import (
    InitialState, LateStateReplay, NetworkOutput, TrackerCounts)
from hybrid_pose_ros.tracking.state_requests import StateRequestPolicy
from hybrid_pose_ros.tracking.tracker_params import TrackerParams


class Pose(NamedTuple):
    """A skeleton and its metadata."""

    skeleton: Skeleton
    held: np.ndarray  # (J,) bool: held at its position for lack of events nearby
    events: int  # in the time bin
    skipped_steps: int  # bins without a pose since the last one
    state_age_us: int  # since the events of the ANN pass
    stale: bool  # state_age_us exceeds max_age_us: the pose may have drifted
    compute_ns: int

    @property
    def stamp_us(self) -> int:
        """Sensor time of the end of the bin."""
        return self.skeleton.stamp_us


class DelayedState(NamedTuple):
    """A copy of a state that is not used yet, as `replay.InitialState`."""

    sensor_time_us: int
    tensors: dict[str, np.ndarray]

    def is_intact(self) -> bool:
        """Return True: the tensors are a copy."""
        return True


class PoseTracker:
    """Computes a pose for every time bin after the first state of the ANN."""

    def __init__(self, checkpoint: Checkpoint, params: TrackerParams, width: int, height: int, *,
                 period_us: int = 0):
        """Lay out the network for a sensor of width x height pixels; ready when it returns.

        `period_us` is the length of a turn of the sensor's clock; 0: it does not wrap.
        """
        self.counts = TrackerCounts()
        self.trained = bool(checkpoint.card.get('trained'))
        self._params = params
        self._logits = checkpoint.preset.logits
        self._geometry = params.geometry(checkpoint.preset, width, height)
        self._hot = HotPixels(width, height) if params.mask_hot_pixels else None
        self._replay = LateStateReplay(checkpoint, params, self._geometry, self.counts,
                                       period_us=period_us, read=self._read)
        self._counter = StepCounter(self._geometry, params.step_us)
        self._policy = StateRequestPolicy(params, params.step_us)
        self._request: str | None = None
        self._forget()

    @property
    def engine(self) -> SpikingEngine:
        """The network that processes single bins."""
        return self._replay.engine

    @property
    def layout(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the tensors that a state must have."""
        return message_layout(self._replay.engine.layout)

    @property
    def spikes(self) -> np.ndarray:
        """Cells with events, then spikes of each layer, of all steps of the network."""
        return self._replay.spikes

    @property
    def requests(self) -> Mapping[str, int]:
        """Number of requests by reason."""
        return self._policy.counts

    @property
    def hot_pixels(self) -> int:
        """Number of pixels that are left out."""
        return 0 if self._hot is None else self._hot.number

    @property
    def event_counts(self) -> dict[str, int]:
        """Numbers of events that were counted in a later bin, or not at all."""
        return {'late_events': self._counter.late_events,
                'outside_events': self._counter.outside_events}

    @property
    def held_joints(self) -> int:
        """Number of joints that are held."""
        return len(JOINTS) - self._moving

    @property
    def state_age_us(self) -> int | None:
        """Sensor time since the events of the live state's ANN pass; None without a state."""
        return self._replay.state_age_us

    @property
    def spike_counts(self) -> np.ndarray | None:
        """Cells with events, then spikes of each layer, of the last live step."""
        return self._replay.live_spikes

    def set_params(self, params: TrackerParams) -> None:
        """Change live settings from the next bin on; the others must be unchanged."""
        self._params = params
        self._policy.set_params(params)
        self._holder.set_quiet(params.quiet_events_per_s)

    def update(self, events: np.ndarray, *, waited_us: int = 0) -> Iterator[Pose]:
        """Yield the poses of the bins that a packet's events complete, each as it is computed.

        Args:
            events: of the packet.
            waited_us: how long the packet has waited for the tracker.
        """
        if self._hot is not None:
            events = self._hot.masked(events)
        yield from self._poses(self._counter.update(events), waited_us)

    def advance(self, sensor_us: int) -> Iterator[Pose]:
        """Yield the poses of the bins that end by a time before which all events are known."""
        yield from self._poses(self._counter.advance(sensor_us))

    def _poses(self, facts: Iterable[Step | Gap], waited_us: int = 0) -> Iterator[Pose]:
        for fact in facts:
            if isinstance(fact, Gap):
                self.counts.gaps += 1
                self._forget()
                self.mark_events_lost()
                continue
            started_ns = time.perf_counter_ns()
            self.counts.steps += 1
            output = self._replay.advance(fact, waited_us=waited_us)
            pose = None if output is None else self._pose(output, started_ns)
            self._watch(fact, pose)
            if pose is not None:
                yield pose
            yield from self._start_delayed(fact.end_us)

    def catch_up(self) -> bool:
        """Advance the replay of a new state by one step while the tracker is idle.

        Poses need not wait for its replay then.

        Returns:
            Whether there is more to do before the next packet.
        """
        return not self._params.state_delay_us and self._replay.catch_up()

    def mark_events_lost(self) -> None:
        """Record that events were lost and are missing in the bins."""
        self._policy.mark_events_lost()

    def take_request(self) -> str | None:
        """Return the reason for a pending request and clear it; None without a request."""
        reason, self._request = self._request, None
        return reason

    def initialize(self, state: InitialState) -> Pose | None:
        """Copy a state and replay the bins since; it takes over when it has caught up.

        With `state_delay_us`, this begins when that time has passed on the sensor clock.

        Returns:
            The pose of the last bin, where there was no live run that replaying everything at
            once could have held up; else None.
        """
        if not self._params.state_delay_us:
            return self._start(state)
        tensors = {name: tensor.copy() for name, tensor in state.tensors.items()}
        if state.is_intact():
            self._delayed.append(DelayedState(state.sensor_time_us, tensors))
        else:
            self.counts.states_torn += 1
        return None

    def _start_delayed(self, now_us: int) -> Iterator[Pose]:
        """Start from the states whose delay has passed; yield a pose as `initialize` does."""
        while self._delayed and (self._replay.in_this_turn(self._delayed[0].sensor_time_us)
                                 + self._params.state_delay_us <= now_us):
            pose = self._start(self._delayed.popleft())
            if pose is not None:
                yield pose

    def _start(self, state: InitialState) -> Pose | None:
        started_ns = time.perf_counter_ns()
        output = self._replay.start(state)
        return None if output is None else self._pose(output, started_ns)

    def restart(self) -> None:
        """Reset after a restart of the sensor clock, even if it shows no gap."""
        self._counter.restart()
        self._forget()

    def _forget(self) -> None:
        """Discard the state after a jump of the sensor clock and wait for the next one."""
        self._replay.forget()
        self._delayed: deque[DelayedState] = deque()
        self._policy.restart()
        self._holder = JointHolder(self._params.step_us, self._params.quiet_events_per_s)
        self._moving = len(JOINTS)  # joints that are not held
        self._corrected_us: int | None = None  # time of the state that last corrected the joints
        self._fusion = JointFusion(self._params.step_us, self._replay.kept_steps)
        self._velocity: VelocityState | None = None
        self._last_pose_index: int | None = None

    def _pose(self, output: NetworkOutput, started_ns: int) -> Pose:
        """Return the pose of a bin; trackers of other tasks override this."""
        step = output.step
        joints_px, confidence = self._read(output.state, output.geometry)
        corrected = output.since_us != self._corrected_us
        if self._params.fusion:
            if corrected:
                self._fusion.correct(output.since_us, *output.seen, output.geometry.cell_px)
            joints_px = self._fusion.carry(joints_px)
        self._corrected_us = output.since_us
        skipped = self._skipped(step)
        held = self._holder.hold_into(joints_px, output.counts, output.geometry,
                                      steps=skipped + 1, moved=corrected)
        self._fusion.remember(step.end_us, joints_px)
        velocity, self._velocity = velocity_step(joints_px, confidence, step.end_us,
                                                 self._velocity)
        skeleton = Skeleton(step.end_us, joints_px, confidence, velocity)
        self.counts.poses += 1
        return Pose(skeleton, held, step.events, skipped, output.age_us,
                    output.age_us > self._params.max_age_us, time.perf_counter_ns() - started_ns)

    def _read(self, state: EngineState,
              geometry: InputGeometry) -> tuple[np.ndarray, np.ndarray]:
        """Return the network's joints (J, 2) float32 [px], and their confidence (J,)."""
        cells, confidence = locate_joints(state.maps, self._logits, len(JOINTS))
        return geometry.to_px(cells + state.offset).astype(np.float32), confidence

    def _skipped(self, step: Step) -> int:
        """Return the number of bins without a pose between the last pose and this bin."""
        last, self._last_pose_index = self._last_pose_index, step.number
        return 0 if last is None else step.number - last - 1

    def _watch(self, step: Step, pose: Pose | None) -> None:
        """Update the criteria for requests by a pose."""
        confidence, quiet = None, False
        if pose is not None:
            moving = len(pose.held) - np.count_nonzero(pose.held)
            if moving:
                confidence = float(pose.skeleton.confidence @ ~pose.held) / moving
            quiet = moving < self._moving
            self._moving = moving
        self._ask(step, confidence, quiet=quiet)

    def _ask(self, step: Step, confidence: float | None, *, quiet: bool) -> None:
        """Request a state if a criterion is met."""
        since_us = self._replay.since_us
        age_us = None if since_us is None else step.end_us - since_us
        reason = self._policy.update(step.end_us, step.events, age_us, confidence, quiet=quiet,
                                     coming=self._replay.is_catching_up)
        self._request = reason or self._request
