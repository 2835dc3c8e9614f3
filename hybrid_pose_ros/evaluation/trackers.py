# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of an evaluation that a spiking network takes part in, run side by side."""

import numpy as np

from hybrid_pose_ros.checkpoint import Checkpoint
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.baselines import AnnPoses
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.metrics import latest
from hybrid_pose_ros.evaluation.offline_graph import (
    Ann, LateState, Look, PoseTrack, TrackerRun)
from hybrid_pose_ros.evaluation.schedule import Schedule
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.tracker_params import TrackerParams

INITIALIZED = {'hybrid': (True, True), 'hybrid_unfused': (True, True),
               'hybrid_no_state_init': (False, True), 'hybrid_no_output_init': (True, False)}
"""Whether the ANN sets the membranes, and the heatmap."""
FUSED = ('hybrid',)
"""Rows whose track the ANN corrects; in the others it replaces it, as published."""
ALONE = ('snn_windowed', 'snn_streaming')


def _tracker_params(row: str, params: EvaluationParams) -> TrackerParams:
    """Return how a row's tracker runs: joints that it has not seen yet cannot be held."""
    sees = row in INITIALIZED and INITIALIZED[row][1]
    return TrackerParams(step_us=params.step_us, fusion=row in FUSED,
                         quiet_events_per_s=params.quiet_events_per_s if sees else 0.0)


class Trackers:
    """The trackers of a recording.

    Each that the ANN initializes runs twice: with the delay that is set, and with states as late
    as they really are.
    """

    def __init__(self, checkpoint: Checkpoint, snn_checkpoint: Checkpoint,
                 recording: LabeledRecording, params: EvaluationParams, rows: tuple[str, ...],
                 schedule: Schedule):
        """Make the trackers of the rows that have one."""
        self._params = params
        self._initialized, self._alone = {}, {}
        for row in rows:
            if row in INITIALIZED:
                for delay_us in (params.ann_delay_us, params.late_us):
                    self._initialized[row, delay_us] = TrackerRun(
                        checkpoint, recording, _tracker_params(row, params), schedule.start_us)
            if row in ALONE:
                self._alone[row] = TrackerRun(
                    snn_checkpoint, recording, _tracker_params(row, params), schedule.start_us)
        # From the first event on, as a tracker that nobody ever initialized.
        times_us = recording.events['t']
        first = min(np.searchsorted(times_us, schedule.start_us), len(times_us) - 1)
        self._streams_since_us = int(times_us[first])

    def play(self, ann: Ann, schedule: Schedule) -> AnnPoses:
        """Run the recording to the last instant; return the ANN's poses."""
        looks: dict[int, Look] = {}
        rest = ann.resting_tensors()
        for index, look_us in enumerate(map(int, schedule.looks_us)):
            self._advance(look_us)
            if 'snn_windowed' in self._alone:
                self._alone['snn_windowed'].send(LateState(look_us, rest, look_us))
            if 'snn_streaming' in self._alone and index == 0:
                self._alone['snn_streaming'].send(
                    LateState(self._streams_since_us, rest, look_us))
            seen = ann.look(look_us)
            if seen is not None:
                looks[look_us] = seen
                self._initialize(look_us, seen.tensors, rest)
        self._advance(int(schedule.instants_us[-1]) + self._params.step_us + 1)
        first_us = schedule.instants_us[0] - self._params.late_us
        if not looks or min(looks) > first_us:
            raise InputError(ann.too_few_events())
        return AnnPoses(np.array(list(looks)),
                        np.stack([seen.joints_px for seen in looks.values()]),
                        np.stack([seen.confidence for seen in looks.values()]))

    def poses_at(self, times_us: np.ndarray) -> dict[str, np.ndarray]:
        """Return the poses (T, J, 2) of some times by row."""
        return {row: at_times(track := run.track(), times_us, track.joints_px)
                for row, run in self._of(self._params.ann_delay_us).items()}

    def velocities_at(self, times_us: np.ndarray) -> dict[str, np.ndarray]:
        """Return the velocities (T, J, 2) that were stated at some times by row."""
        return {row: at_times(track := run.track(), times_us, track.velocity_px_s)
                for row, run in self._of(self._params.ann_delay_us).items()}

    def available_at(self, times_us: np.ndarray) -> dict[str, np.ndarray]:
        """Return the last poses (T, J, 2) that were there at some times by row."""
        lag_us = self._params.pose_latency_us
        return {row: at_times(track := run.track(), times_us - lag_us, track.joints_px)
                for row, run in self._of(self._params.late_us).items()}

    def work(self) -> dict[str, PoseTrack]:
        """Return what each row's tracker did."""
        return {row: run.track() for row, run in self._of(self._params.ann_delay_us).items()}

    def _of(self, delay_us: int) -> dict[str, TrackerRun]:
        return self._alone | {row: run for (row, delay), run in self._initialized.items()
                              if delay == delay_us}

    def _advance(self, until_us: int) -> None:
        for run in (*self._initialized.values(), *self._alone.values()):
            run.advance(until_us)

    def _initialize(self, look_us: int, tensors: dict, rest: dict) -> None:
        membranes = {name: tensor.copy() for name, tensor in tensors.items() if name != 'heatmap'}
        heatmap = {'heatmap': tensors['heatmap'].copy()}
        for (row, delay_us), run in self._initialized.items():
            sets_membranes, sets_heatmap = INITIALIZED[row]
            state = rest | (membranes if sets_membranes else {})
            state |= heatmap if sets_heatmap else {}
            seen_us = look_us if self._params.replay else look_us + delay_us
            run.send(LateState(seen_us, state, look_us + delay_us))


def at_times(track: PoseTrack, at_us: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the last of a track's values (T, J, 2) at each time, NaN where there is none yet."""
    last = latest(track.stamps_us, at_us)
    padded = np.concatenate([np.full_like(values, np.nan, shape=(1, *values.shape[1:])), values])
    return padded[last + 1]
