# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One recording, run through everything that is compared: the poses of each row at each instant.

Offline errors are of the instants of `schedule.py`, the same for all rows; errors by step since
the initialization are of all steps, but for the ANN's own; latency-aware ones of all milliseconds.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.checkpoint import Checkpoint
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.baselines import AnnPoses, constant_velocity, held
from hybrid_pose_ros.evaluation.disturbances import scaled, with_noise
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.labeled_recording import LabeledRecording
from hybrid_pose_ros.evaluation.metrics import MOVING_US, Truth, latest, moving
from hybrid_pose_ros.evaluation.offline_graph import Ann, LateState, PoseTrack, TrackerRun
from hybrid_pose_ros.evaluation.schedule import Schedule, make_schedule
from hybrid_pose_ros.pipeline import TrackerParams
from hybrid_pose_ros.pose.skeleton import JOINTS

ASKED_US = 1_000
"""Time between two instants at which a latency-aware score asks for a pose."""
SLOPE_US = 10_000
INITIALIZED = {'hybrid': (True, True), 'hybrid_no_state_init': (False, True),
               'hybrid_no_output_init': (True, False)}
"""Whether the ANN sets the membranes, and the heatmap."""
ALONE = ('snn_windowed', 'snn_streaming')
ROWS = ('ann', 'ann_held', 'constant_velocity', 'kalman', *ALONE, *INITIALIZED)


class Outcome(NamedTuple):
    """Poses at the instants of one recording, T of them."""

    name: str
    truth: Truth  # at the instants
    truth_by_step: Truth  # at every step from the first to the last instant, S of them
    truth_available: Truth  # at every millisecond between them, M of them
    found: dict[str, np.ndarray]  # by row, (T, J, 2) [px], NaN where there was no pose yet
    found_by_step: dict[str, np.ndarray]  # likewise (S, J, 2); of `ann` as `found`
    available: dict[str, np.ndarray]  # what was there by a millisecond, likewise (M, J, 2)
    ann_poses: AnnPoses
    velocity: dict[str, np.ndarray]  # as a tracker states it, (T, J, 2) [px/s], by row
    true_velocity: np.ndarray  # (T, J, 2) [px/s]
    last_by_step: np.ndarray  # (S,) index of the last of the ANN's poses that had arrived
    last_available: np.ndarray  # (M,) likewise, as late as the ANN really is
    work: dict[str, PoseTrack]  # of the rows with a spiking network
    ann_ms: float  # median of a pass, heads included


def run_recording(checkpoint: Checkpoint, snn_checkpoint: Checkpoint,
                  recording: LabeledRecording, params: EvaluationParams,
                  rows: tuple[str, ...] = ROWS) -> Outcome:
    """Return the poses of the rows; those of `kalman` are left to who knows all recordings.

    Raises:
        InputError: the recording is too short, shows nobody, or has too few events for the ANN.
    """
    schedule = make_schedule(recording, params)
    recording = _disturbed(recording, params)
    ann = Ann(checkpoint, recording)
    trackers = _Trackers(checkpoint, snn_checkpoint, recording, params, rows, schedule)
    poses = trackers.play(ann, schedule)
    instants_us, steps_us = schedule.instants_us, schedule.steps_us
    late_us = max(params.ann_delay_us, params.ann_latency_us)
    # A state that arrives as a bin ends helps the next pose, not this one.
    last = latest(poses.stamps_us + params.ann_delay_us + 1, steps_us)
    truth = _truth(recording, steps_us, poses.stamps_us[last] + params.ann_delay_us,
                   params.step_us)
    asked_us = np.arange(instants_us[0], instants_us[-1] + 1, ASKED_US)
    last_available = latest(poses.stamps_us + late_us, asked_us)
    truth_available = _truth(recording, asked_us, poses.stamps_us[last_available] + late_us,
                             params.step_us)
    every = schedule.steps_per_instant
    found_by_step = trackers.poses_at(steps_us) | {
        'ann_held': held(poses, last),
        'constant_velocity': constant_velocity(poses, last, steps_us)}
    found = {row: found[::every] for row, found in found_by_step.items()}
    available = trackers.available_at(asked_us) | {
        'ann_held': held(poses, last_available),
        'constant_velocity': constant_velocity(poses, last_available, asked_us)}
    if 'ann' in rows:
        found['ann'] = _at_every_instant(ann, instants_us)
        available['ann'] = _one_after_another(found['ann'], instants_us, params.ann_latency_us,
                                              asked_us)
    return Outcome(recording.name, Truth(*(field[::every] for field in truth)), truth,
                   truth_available, found, found_by_step, available, poses,
                   trackers.velocities_at(instants_us), _velocity(recording, instants_us), last,
                   last_available, trackers.work(), ann.median_ms)


def _disturbed(recording: LabeledRecording, params: EvaluationParams) -> LabeledRecording:
    events, rng = recording.events, np.random.default_rng([params.seed, 11])
    if params.event_factor != 1.0:
        events = scaled(events, params.event_factor, rng)
    events = with_noise(events, params.noise_hz, recording.width, recording.height, rng)
    return recording._replace(events=events)


def _truth(recording: LabeledRecording, instants_us: np.ndarray, arrived_us: np.ndarray,
           step_us: int) -> Truth:
    joints, visible, occluded = recording.joints_at(instants_us)
    before, *_ = recording.joints_at(instants_us - MOVING_US)
    if not visible.any():
        raise InputError(f'{recording.name} shows nobody at the instants that are scored: no '
                         'joint is inside the image')
    return Truth(instants_us, joints, visible, occluded, moving(joints, before),
                 (instants_us - arrived_us) // step_us)


def _velocity(recording: LabeledRecording, instants_us: np.ndarray) -> np.ndarray:
    """Return the velocity of the joints, (T, J, 2) [px/s], from labels 10 ms apart."""
    after, before = (recording.joints_at(instants_us + way * SLOPE_US // 2)[0] for way in (1, -1))
    return (after - before) / (SLOPE_US * 1e-6)


def _at_every_instant(ann: Ann, instants_us: np.ndarray) -> np.ndarray:
    """Return the ANN's poses (T, J, 2), the one before where there are too few events."""
    poses = np.full((len(instants_us), len(JOINTS), 2), np.nan, np.float32)
    for index, instant_us in enumerate(instants_us):
        seen = ann.look(int(instant_us))
        poses[index] = poses[index - 1] if seen is None else seen[0]
    return poses


def _one_after_another(poses: np.ndarray, instants_us: np.ndarray, latency_us: int,
                       asked_us: np.ndarray) -> np.ndarray:
    """Return the poses (M, J, 2) that are there if one pass of the ANN follows the other.

    Each begins at the first instant at which the one before has ended.
    """
    every = max(1, -(-latency_us // int(instants_us[1] - instants_us[0])))
    last = latest(instants_us[::every] + latency_us, asked_us)
    return np.where((last >= 0)[:, None, None], poses[::every][last], np.nan)


def _tracker_params(row: str, params: EvaluationParams) -> TrackerParams:
    """Return how a row's tracker runs: joints that it has not seen yet cannot be held."""
    sees = row in INITIALIZED and INITIALIZED[row][1]
    return TrackerParams(step_us=params.step_us,
                         quiet_events_per_s=params.quiet_events_per_s if sees else 0.0)


class _Trackers:
    """All that a spiking network takes part in, each row twice: with the ANN's delay as it is set,
    and as late as it really is."""

    def __init__(self, checkpoint: Checkpoint, snn_checkpoint: Checkpoint,
                 recording: LabeledRecording, params: EvaluationParams, rows: tuple[str, ...],
                 schedule: Schedule):
        self._params = params
        self._late_us = max(params.ann_delay_us, params.ann_latency_us)
        self._initialized, self._alone = {}, {}
        for row in rows:
            if row in INITIALIZED:
                for delay_us in (params.ann_delay_us, self._late_us):
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
        stamps_us, joints_px = [], []
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
                stamps_us.append(look_us)
                joints_px.append(seen[0])
                self._initialize(look_us, seen[1], rest)
        self._advance(int(schedule.instants_us[-1]) + self._params.step_us + 1)
        first_us = schedule.instants_us[0] - self._late_us
        if not stamps_us or stamps_us[0] > first_us:
            raise InputError(ann.too_few_events())
        return AnnPoses(np.array(stamps_us), np.stack(joints_px))

    def poses_at(self, times_us: np.ndarray) -> dict[str, np.ndarray]:
        """Return the poses (T, J, 2) of some times by row."""
        return {row: _at(track := run.track(), times_us, track.joints_px)
                for row, run in self._of(self._params.ann_delay_us).items()}

    def velocities_at(self, times_us: np.ndarray) -> dict[str, np.ndarray]:
        """Return the velocities (T, J, 2) that were stated at some times by row."""
        return {row: _at(track := run.track(), times_us, track.velocity_px_s)
                for row, run in self._of(self._params.ann_delay_us).items()}

    def available_at(self, times_us: np.ndarray) -> dict[str, np.ndarray]:
        """Return the last poses (T, J, 2) that were there at some times by row."""
        lag_us = self._params.pose_latency_us
        return {row: _at(track := run.track(), times_us - lag_us, track.joints_px)
                for row, run in self._of(self._late_us).items()}

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


def _at(track: PoseTrack, at_us: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the last of a track's values (T, J, 2) at each time, NaN where there is none yet."""
    last = latest(track.stamps_us, at_us)
    padded = np.concatenate([np.full_like(values, np.nan, shape=(1, *values.shape[1:])), values])
    return padded[last + 1]
