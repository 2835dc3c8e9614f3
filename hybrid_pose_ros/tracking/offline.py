# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the two nodes without ROS on a recorded stream, with the same classes and parameters.

All exchanges follow the sensor clock, so poses do not depend on how events are packetized:

    events        . .. .  .. |.. . .. .  .. .|.. . .
    initializer              T  a state that is due at T is computed from the events before T
    tracker       ───────────┤ bins up to T ├─ the state is used from T + state_delay_us on

States that the tracker requests early are not computed; the rate is always the configured one.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.tasks.skeleton import JOINTS
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.pose_tracker import Pose, PoseTracker
from hybrid_pose_ros.tracking.state_producer import Frame, StateProducer
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

if TYPE_CHECKING:
    from hybrid_pose_ros.networks.initializer import StateInitializer

PACKET_US = 100_000
"""Recordings are processed in pieces of at most this length."""

NEVER_US = np.iinfo(np.int64).min


class AnnState(NamedTuple):
    """A state, compatible with `replay.InitialState`, and its pose."""

    sensor_time_us: int
    tensors: dict[str, np.ndarray]
    joints_px: np.ndarray  # (J, 2) float32
    confidence: np.ndarray  # (J,) float32, 0 to 1

    def is_intact(self) -> bool:
        """Return True, since the tensors are not reused."""
        return True


class OfflineInitializer:
    """The initializer of one stream."""

    def __init__(self, checkpoint: Checkpoint, params: InitializerParams, width: int, height: int,
                 *, network: 'StateInitializer | None' = None):
        """Load the ANN for a sensor of width x height pixels, or use an already loaded network."""
        self._producer = StateProducer(checkpoint, params, width, height, network=network)
        self._pass_ns: list[int] = []

    @property
    def network(self) -> 'StateInitializer':
        """The ANN and its heads, for reuse by initializers of other streams."""
        return self._producer.network

    @property
    def median_ms(self) -> float:
        """Median time of a pass so far, from events to state and pose."""
        return float(np.median(self._pass_ns or [0])) * 1e-6

    @property
    def due_us(self) -> int | None:
        """Sensor time of the next state; None before the first event."""
        return self._producer.due_us

    def append(self, events: np.ndarray) -> None:
        """Append the next events of the stream."""
        self._producer.append(events)

    def due_state(self) -> AnnState | None:
        """Return the state that is due next; all events before it must be known.

        Returns None with too few events, or without new events since the last state. In any case
        the next state becomes due.
        """
        started_ns = time.perf_counter_ns()
        if self.due_us is not None:
            self._producer.advance(self.due_us)
        return self._state(self._producer.frame() if self._producer.is_due() else None, started_ns)

    def state_at(self, at_us: int) -> AnnState | None:
        """Return the state of the events before a time; None with too few events."""
        started_ns = time.perf_counter_ns()
        return self._state(self._producer.frame_at(at_us), started_ns)

    def _state(self, frame: Frame | None, started_ns: int) -> AnnState | None:
        if frame is None:
            return None
        tensors = {name: np.empty(shape, np.float32)
                   for name, shape in self._producer.layout.items()}
        pose = self._producer.run_into(frame, tensors)
        self._pass_ns.append(time.perf_counter_ns() - started_ns)
        return AnnState(frame.sensor_time_us, tensors, *pose)


class PoseTrack(NamedTuple):
    """The output of a tracker. N poses in order."""

    stamps_us: np.ndarray  # (N,) int64
    joints_px: np.ndarray  # (N, J, 2) float32
    velocity_px_s: np.ndarray  # (N, J, 2) float32
    confidence: np.ndarray  # (N, J) float32, 0 to 1
    steps: int  # network steps, including replay
    spikes: np.ndarray  # (1 + L,) cells with events, then spikes of each layer, of all steps
    compute_ms: float  # median per pose

    @property
    def steps_per_pose(self) -> float:
        """Number of network steps per pose."""
        return self.steps / max(1, len(self.stamps_us))


class OfflineTracker:
    """The tracker of one stream, and all of its poses."""

    def __init__(self, checkpoint: Checkpoint, params: TrackerParams, width: int, height: int, *,
                 start: Callable[[AnnState], AnnState | None] = lambda state: state):
        """Lay out the network.

        Args:
            checkpoint: the weights.
            params: parameters of the tracker.
            width: width of the sensor [px].
            height: height of the sensor [px].
            start: function that returns the state to pass to the tracker, or None to pass none.
        """
        self._tracker = PoseTracker(checkpoint, params, width, height)
        self._start = start
        self.poses: list[Pose] = []

    def update(self, events: np.ndarray) -> None:
        """Process the next events of the stream."""
        self.poses.extend(self._tracker.update(events))

    def advance(self, sensor_us: int) -> None:
        """Complete the bins up to a time; all events before it must be known."""
        self.poses.extend(self._tracker.advance(sensor_us))

    def initialize(self, state: AnnState) -> None:
        """Pass an ANN state to the tracker."""
        given = self._start(state)
        pose = None if given is None else self._tracker.initialize(given)
        if pose is not None:
            self.poses.append(pose)

    def track(self) -> PoseTrack:
        """Return all poses so far."""
        skeletons = [pose.skeleton for pose in self.poses]
        shape = len(skeletons), len(JOINTS), 2
        return PoseTrack(
            np.array([skeleton.stamp_us for skeleton in skeletons], np.int64),
            np.array([skeleton.joints_px for skeleton in skeletons]).reshape(shape),
            np.array([skeleton.velocity_px_s for skeleton in skeletons]).reshape(shape),
            np.array([skeleton.confidence for skeleton in skeletons]).reshape(shape[:2]),
            self._tracker.counts.network_steps, self._tracker.spikes.copy(),
            float(np.median([pose.compute_ns for pose in self.poses] or [0])) * 1e-6)


def pieces(events: np.ndarray) -> Iterator[np.ndarray]:
    """Yield sorted events in pieces of at most PACKET_US."""
    yield from np.split(events, 1 + np.flatnonzero(np.diff(events['t'] // PACKET_US)))


def play(packets: Iterable[np.ndarray], initializer: OfflineInitializer,
         trackers: Sequence[OfflineTracker], *, end_us: int | None = None) -> Iterator[AnnState]:
    """Run a stream through the nodes; yield each ANN state after the trackers have received it.

    Args:
        packets: events sorted by time, split arbitrarily.
        initializer: initializer that computes the states.
        trackers: trackers, each of which receives all events and states.
        end_us: end of the stream, up to which time bins are completed; None: at the last event.
    """
    for events in packets:
        if initializer.due_us is None:  # the first event determines when the first state is due
            _process(events[:1], initializer, trackers)
            events = events[1:]
        while len(events) and (due_us := initializer.due_us) is not None \
                and events['t'][-1] >= due_us:
            before = int(np.searchsorted(events['t'], due_us))
            _process(events[:before], initializer, trackers)
            events = events[before:]
            state = initializer.due_state()
            if state is not None:
                for tracker in trackers:
                    tracker.advance(due_us)
                    tracker.initialize(state)
                yield state
        _process(events, initializer, trackers)
    if end_us is not None:
        for tracker in trackers:
            tracker.advance(end_us)


def _process(events: np.ndarray, initializer: OfflineInitializer,
             trackers: Sequence[OfflineTracker]) -> None:
    initializer.append(events)
    for tracker in trackers:
        tracker.update(events)


class RecordingAnn:
    """Computes the initializer's states at arbitrary times of a recording."""

    def __init__(self, checkpoint: Checkpoint, recording: LabeledRecording, *,
                 params: InitializerParams = InitializerParams(),
                 network: 'StateInitializer | None' = None):
        """Load the ANN for the recording's sensor, or use an already loaded network."""
        self._recording, self._params = recording, params
        self._new_stream = partial(OfflineInitializer, checkpoint, params, recording.width,
                                   recording.height)
        self._stream, self._known_us = self._new_stream(network=network), NEVER_US

    @property
    def network(self) -> 'StateInitializer':
        """The ANN and its heads, for reuse on streams of the recording."""
        return self._stream.network

    def state_at(self, at_us: int) -> AnnState | None:
        """Return the state of the events before a time; None with too few events."""
        if at_us < self._known_us:
            self._stream = self._new_stream(network=self._stream.network)
            self._known_us = NEVER_US
        self._stream.append(self._recording.events_between(self._known_us, at_us))
        self._known_us = at_us
        return self._stream.state_at(at_us)

    def too_few_events(self) -> str:
        """Return the error message for a recording without any state."""
        return too_few_events(self._recording, self._params)


def too_few_events(recording: LabeledRecording, params: InitializerParams) -> str:
    """Return the error message for a recording with too few events for an ANN state."""
    return (f'{recording.name} has too few events for the ANN, which needs {params.min_events} '
            f'within {params.reach_us * 1e-6:g} s')
