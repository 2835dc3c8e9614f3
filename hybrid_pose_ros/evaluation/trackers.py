# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the rows of an evaluation that use a spiking network, side by side."""

from collections.abc import Callable

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.baselines import AnnPoses
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.metrics import latest
from hybrid_pose_ros.evaluation.schedule import Schedule
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.layout import REGION
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.offline import (
    AnnState, OfflineInitializer, OfflineTracker, PoseTrack, pieces, play, too_few_events)
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

INITIALIZED = {'hybrid': (True, True), 'hybrid_unfused': (True, True),
               'hybrid_no_state_init': (False, True), 'hybrid_no_output_init': (True, False)}
"""Whether the ANN initializes the membranes, and the heatmap."""
FUSED = ('hybrid',)
"""Rows in which ANN poses correct the track; in the others they replace it, as published."""
ALONE = ('snn_windowed', 'snn_streaming')


def initializer_params(checkpoint: Checkpoint, params: EvaluationParams) -> InitializerParams:
    """Return the parameters of the initializer."""
    return InitializerParams(preset=checkpoint.preset.name, step_us=params.step_us,
                             rate_hz=params.ann_rate_hz,
                             region_of_interest=params.region_of_interest)


def _tracker_params(row: str, params: EvaluationParams, delay_us: int = 0) -> TrackerParams:
    """Return a row's tracker parameters; joints are held only if the ANN sets the heatmap."""
    sees = row in INITIALIZED and INITIALIZED[row][1]
    return TrackerParams(step_us=params.step_us, fusion=row in FUSED, replay=params.replay,
                         state_delay_us=delay_us,
                         quiet_events_per_s=params.quiet_events_per_s if sees else 0.0)


class Trackers:
    """The trackers of a recording.

    Trackers that the ANN initializes run twice: with the configured delay, and with realistic
    latency.
    """

    def __init__(self, checkpoint: Checkpoint, snn_checkpoint: Checkpoint,
                 recording: LabeledRecording, params: EvaluationParams, rows: tuple[str, ...],
                 schedule: Schedule):
        """Create the initializer, and the trackers of the rows that have one."""
        self._recording, self._params = recording, params
        self._end_us = int(schedule.instants_us[-1])
        self._score_us = int(schedule.instants_us[0])
        self._events = recording.events_between(schedule.start_us, self._end_us)
        size = recording.width, recording.height
        self._initializer_params = initializer_params(checkpoint, params)
        self.initializer = OfflineInitializer(checkpoint, self._initializer_params, *size)
        self._initialized = {
            (row, delay_us): OfflineTracker(checkpoint, _tracker_params(row, params, delay_us),
                                            *size, start=_parts(*INITIALIZED[row]))
            for row in rows if row in INITIALIZED
            for delay_us in (params.ann_delay_us, params.late_us)}
        starts = {'snn_windowed': _parts(False, False), 'snn_streaming': _rest_at_first_of(
            self._events)}
        self._alone = {row: OfflineTracker(snn_checkpoint, _tracker_params(row, params), *size,
                                           start=starts[row]) for row in rows if row in ALONE}

    def play(self) -> AnnPoses:
        """Run the recording up to the last instant; return the ANN poses."""
        trackers = [*self._initialized.values(), *self._alone.values()]
        poses = [(state.sensor_time_us, state.joints_px, state.confidence) for state in play(
            pieces(self._events), self.initializer, trackers, end_us=self._end_us)]
        if not poses or poses[0][0] > self._score_us - self._params.late_us:
            raise InputError(too_few_events(self._recording, self._initializer_params))
        return AnnPoses(*map(np.stack, zip(*poses)))

    def poses_at(self, times_us: np.ndarray) -> dict[str, np.ndarray]:
        """Return the poses (T, J, 2) at given times, by row."""
        return {row: at_times(track := run.track(), times_us, track.joints_px)
                for row, run in self._of(self._params.ann_delay_us).items()}

    def velocities_at(self, times_us: np.ndarray) -> dict[str, np.ndarray]:
        """Return the velocities (T, J, 2) reported at given times, by row."""
        return {row: at_times(track := run.track(), times_us, track.velocity_px_s)
                for row, run in self._of(self._params.ann_delay_us).items()}

    def available_at(self, times_us: np.ndarray) -> dict[str, np.ndarray]:
        """Return the last poses (T, J, 2) available at given times, by row."""
        lag_us = self._params.pose_latency_us
        return {row: at_times(track := run.track(), times_us - lag_us, track.joints_px)
                for row, run in self._of(self._params.late_us).items()}

    def work(self) -> dict[str, PoseTrack]:
        """Return the track and workload of each row's tracker."""
        return {row: run.track() for row, run in self._of(self._params.ann_delay_us).items()}

    def _of(self, delay_us: int) -> dict[str, OfflineTracker]:
        return self._alone | {row: run for (row, delay), run in self._initialized.items()
                              if delay == delay_us}


def _parts(membranes: bool, heatmap: bool) -> Callable[[AnnState], AnnState]:
    """Return a function that sets some tensors of a state to rest."""
    kept = {'heatmap': heatmap, REGION: True}

    def start(state: AnnState) -> AnnState:
        return state._replace(tensors={
            name: tensor if kept.get(name, membranes) else np.zeros_like(tensor)
            for name, tensor in state.tensors.items()})
    return start


def _rest_at_first_of(events: np.ndarray) -> Callable[[AnnState], AnnState | None]:
    """Return a function that replaces the first state by a resting one at the first event."""
    times_us = iter(events['t'][:1].tolist())
    rest = _parts(False, False)

    def start(state: AnnState) -> AnnState | None:
        at_us = next(times_us, None)
        return None if at_us is None else rest(state)._replace(sensor_time_us=at_us)
    return start


def at_times(track: PoseTrack, at_us: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the last of a track's values (N, ...) at each time; NaN before the first."""
    last = latest(track.stamps_us, at_us)
    padded = np.concatenate([np.full_like(values, np.nan, shape=(1, *values.shape[1:])), values])
    return padded[last + 1]
