# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The two nodes without ROS, on a recording's own clock: the ANN looks, its states arrive later.

The tracker is the node's own `PoseTracker`, the ANN's input and network are the node's, too. A
state arrives between two poses: it cannot help the pose of the bin that ends as it arrives.
"""

import time
from collections import deque
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.checkpoint import Checkpoint
from hybrid_pose_ros.initializer_params import InitializerParams
from hybrid_pose_ros.layout import state_layout
from hybrid_pose_ros.pipeline import PoseTracker
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.pose.skeleton import JOINTS, Skeleton
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.representation.stacked_histogram import stacked_histogram
from hybrid_pose_ros.tracker_params import TrackerParams

PACKET_US = 100_000
"""Events are handed to the tracker in pieces of at most that."""


class Look(NamedTuple):
    """What the ANN saw."""

    joints_px: np.ndarray  # (J, 2) float32
    confidence: np.ndarray  # (J,) float32, 0 to 1
    tensors: dict[str, np.ndarray]  # the state; written over by the next look


class Ann:
    """The ANN and its heads, asked about any moment of a recording."""

    def __init__(self, checkpoint: Checkpoint, recording: LabeledRecording):
        """Load the network for the recording's sensor."""
        from hybrid_pose_ros.networks.initializer import StateInitializer  # torch
        self._preset, self._recording = checkpoint.preset, recording
        self._params = InitializerParams(preset=checkpoint.preset.name)
        self._geometry = input_geometry(checkpoint.preset, recording.width, recording.height)
        self._network = StateInitializer(checkpoint, self._params.precision)
        self._tensors = self.resting_tensors()
        self._pass_ns: list[int] = []

    @property
    def median_ms(self) -> float:
        """Time of a pass until now, from events to state and pose."""
        return float(np.median(self._pass_ns or [0])) * 1e-6

    def resting_tensors(self) -> dict[str, np.ndarray]:
        """Return the state of a network that has seen nothing."""
        layout = state_layout(self._preset, self._geometry.width, self._geometry.height)
        return {name: np.zeros(shape, np.float32) for name, shape in layout.items()}

    def look(self, at_us: int) -> Look | None:
        """Return pose and state of the events before a time; None: too few events."""
        started_ns = time.perf_counter_ns()
        window = self._window(at_us)
        if len(window) < self._params.min_events:
            return None
        frame = stacked_histogram(window, self._geometry, bins=self._preset.ann.bins)
        self._network.initialize_into(frame, self._tensors)
        cells, confidence = locate_joints(self._tensors['heatmap'], self._preset.logits)
        self._pass_ns.append(time.perf_counter_ns() - started_ns)
        return Look(self._geometry.to_px(cells).astype(np.float32), confidence, self._tensors)

    def too_few_events(self) -> str:
        """Return the words for a recording that the ANN does not look at."""
        return (f'{self._recording.name} has too few events for the ANN, which needs '
                f'{self._params.min_events} within {self._params.reach_us * 1e-6:g} s')

    def _window(self, at_us: int) -> np.ndarray:
        events = self._recording.events
        end = int(np.searchsorted(events['t'], at_us))
        window = events[max(0, end - self._preset.ann.window_events):end]
        if not len(window):
            return window
        return window[window['t'] > window['t'][-1] - self._params.reach_us]


class LateState(NamedTuple):
    """A state on its way to the tracker, as `runs.InitialState`."""

    sensor_time_us: int
    tensors: dict[str, np.ndarray]
    arrival_us: int

    def is_intact(self) -> bool:
        """Return True: nobody writes over it."""
        return True


class PoseTrack(NamedTuple):
    """What a tracker put out. N poses in order."""

    stamps_us: np.ndarray  # (N,) int64
    joints_px: np.ndarray  # (N, J, 2) float32
    velocity_px_s: np.ndarray  # (N, J, 2) float32
    confidence: np.ndarray  # (N, J) float32, 0 to 1
    spikes: np.ndarray  # (1 + L,) cells with events, then spikes of each layer, of all poses
    steps_per_pose: float  # steps computed, replayed ones as well, by the poses
    compute_ms: float  # median of a pose


class TrackerRun:
    """A tracker that is fed a recording, and states as they arrive."""

    def __init__(self, checkpoint: Checkpoint, recording: LabeledRecording,
                 params: TrackerParams, start_us: int):
        """Start at a time of the recording with a network that waits for a state."""
        self._tracker = PoseTracker(checkpoint, params, recording.width, recording.height)
        self._recording, self._step_us = recording, params.step_us
        self._fed_us = start_us
        self._underway: deque[LateState] = deque()
        self._skeletons: list[Skeleton] = []
        self._compute_ns: list[int] = []
        self._spikes = np.zeros(1 + len(checkpoint.preset.spiking))

    def send(self, state: LateState) -> None:
        """Put a state on its way; none arrives before those sent earlier."""
        self._underway.append(state)

    def advance(self, until_us: int) -> None:
        """Feed the events before a time."""
        while self._fed_us < until_us:
            end_us = min(until_us, self._fed_us + max(PACKET_US, self._step_us))
            waiting = self._tracker.state_age_us is None
            if waiting and self._underway:
                end_us = min(end_us, max(self._underway[0].arrival_us, self._fed_us))
            self._feed(self._recording.events_between(self._fed_us, end_us))
            self._fed_us = end_us
            if self._tracker.state_age_us is None:
                self._deliver(end_us)

    def track(self) -> PoseTrack:
        """Return all poses until now."""
        counts, poses = self._tracker.counts, max(1, len(self._skeletons))
        shape = len(self._skeletons), len(JOINTS), 2
        # A state that catches up replays the live bin, too, in which the live run then rests.
        computed = poses - counts.states + counts.replayed_steps
        return PoseTrack(
            np.array([skeleton.stamp_us for skeleton in self._skeletons], np.int64),
            np.array([skeleton.joints_px for skeleton in self._skeletons]).reshape(shape),
            np.array([skeleton.velocity_px_s for skeleton in self._skeletons]).reshape(shape),
            np.array([skeleton.confidence for skeleton in self._skeletons]).reshape(shape[:2]),
            self._spikes.copy(), computed / poses,
            float(np.median(self._compute_ns or [0])) * 1e-6)

    def _feed(self, events: np.ndarray) -> None:
        for pose in self._tracker.update(events):
            self._skeletons.append(pose.skeleton)
            self._compute_ns.append(pose.compute_ns)
            self._spikes += self._tracker.spike_counts
            self._deliver(pose.skeleton.stamp_us)

    def _deliver(self, now_us: int) -> None:
        while self._underway and self._underway[0].arrival_us <= now_us:
            self._tracker.initialize(self._underway.popleft())
