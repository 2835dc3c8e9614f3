# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs one recording through all compared methods; yields the poses of each row."""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.baselines import (
    CONFIDENCE_KALMAN, AnnPoses, constant_velocity, held, kalman)
from hybrid_pose_ros.evaluation.disturbances import scaled, with_noise
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.metrics import MOVING_US, Truth, latest, moving
from hybrid_pose_ros.evaluation.schedule import make_schedule
from hybrid_pose_ros.evaluation.trackers import (
    ALONE, INITIALIZED, Trackers, initializer_params)
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.recordings.labeled import LabeledRecording, skipping_gaps
from hybrid_pose_ros.tasks.skeleton import JOINTS
from hybrid_pose_ros.tracking.offline import PoseTrack, RecordingAnn

ASKED_US = 1_000
"""Interval between instants of latency-aware scores."""
SLOPE_US = 10_000
"""Interval between the two labels from which the true velocity is computed."""
ROWS = ('ann', 'ann_held', 'constant_velocity', 'kalman', 'confidence_kalman', *ALONE,
        *INITIALIZED)


class View(NamedTuple):
    """The poses of each row at T times of a recording."""

    truth: Truth
    found: dict[str, np.ndarray]  # by row, (T, J, 2) [px], NaN before the first pose
    last: np.ndarray  # (T,) index of the last ANN pose that had arrived


class Outcome(NamedTuple):
    """Results of one recording."""

    name: str
    instants: View  # of the schedule
    steps: View  # at every step from the first to the last of them, except the ANN row
    available: View  # output available every ASKED_US, with realistic ANN latency
    ann_poses: AnnPoses
    velocity: dict[str, np.ndarray]  # as reported by a tracker, at the instants, (T, J, 2) [px/s]
    true_velocity: np.ndarray  # (T, J, 2) [px/s]
    work: dict[str, PoseTrack]  # for the rows with a spiking network
    ann_ms: float  # median of a pass, heads included
    gaps: str  # one-line report of skipped gaps; empty: none


def run_recording(checkpoint: Checkpoint, snn_checkpoint: Checkpoint,
                  recording: LabeledRecording, params: EvaluationParams,
                  rows: tuple[str, ...] = ROWS) -> Outcome:
    """Return the poses of the rows, except `kalman`, which is computed from all recordings.

    Raises:
        InputError: the recording is too short, shows nobody, or has too few events for the ANN.
    """
    recording, skipped = skipping_gaps(recording)
    schedule = make_schedule(recording, params)
    recording = _disturbed(recording, params)
    trackers = Trackers(checkpoint, snn_checkpoint, recording, params, rows, schedule)
    poses = trackers.play()

    def view(times_us, lag_us, found):
        return _view(recording, poses, times_us, lag_us, params.step_us, found)
    instants_us, steps_us = schedule.instants_us, schedule.steps_us
    asked_us = np.arange(instants_us[0], instants_us[-1] + 1, ASKED_US)
    # A state that arrives at the end of a bin affects only the next pose.
    delay_us = params.ann_delay_us + 1
    instants = view(instants_us, delay_us, trackers.poses_at(instants_us))
    steps = view(steps_us, delay_us, trackers.poses_at(steps_us))
    available = view(asked_us, params.late_us, trackers.available_at(asked_us))
    if 'ann' in rows:
        instants.found['ann'] = _at_every_instant(
            RecordingAnn(checkpoint, recording, params=initializer_params(checkpoint, params),
                         network=trackers.initializer.network), instants_us)
        available.found['ann'] = _one_after_another(instants.found['ann'], instants_us,
                                                    params.ann_latency_us, asked_us)
    return Outcome(recording.name, instants, steps, available, poses,
                   trackers.velocities_at(instants_us), _velocity(recording, instants_us),
                   trackers.work(), trackers.initializer.median_ms, skipped)


def _disturbed(recording: LabeledRecording, params: EvaluationParams) -> LabeledRecording:
    events, rng = recording.events, np.random.default_rng([params.seed, 11])
    if params.event_factor != 1.0:
        events = scaled(events, params.event_factor, rng)
    events = with_noise(events, params.noise_hz, recording.width, recording.height, rng)
    return recording._replace(events=events)


def _view(recording: LabeledRecording, poses: AnnPoses, times_us: np.ndarray, lag_us: int,
          step_us: int, found: dict[str, np.ndarray]) -> View:
    """Return a view of the found poses and of those derived from ANN poses `lag_us` late."""
    joints, visible, occluded = recording.joints_at(times_us)
    before, *_ = recording.joints_at(times_us - MOVING_US)
    if not visible.any():
        raise InputError(f'{recording.name} shows nobody at the scored instants: no '
                         'joint is inside the image')
    last = latest(poses.stamps_us + lag_us, times_us)
    step = (times_us - poses.stamps_us[last] - lag_us) // step_us + 1
    truth = Truth(times_us, joints, visible, occluded, moving(joints, before), step)
    return View(truth, found | {
        'ann_held': held(poses, last),
        'constant_velocity': constant_velocity(poses, last, times_us),
        'confidence_kalman': kalman(poses, CONFIDENCE_KALMAN).at(0, last, times_us)}, last)


def _velocity(recording: LabeledRecording, instants_us: np.ndarray) -> np.ndarray:
    """Return the velocity of the joints, (T, J, 2) [px/s], from labels 10 ms apart."""
    after, before = (recording.joints_at(instants_us + way * SLOPE_US // 2)[0] for way in (1, -1))
    return (after - before) / (SLOPE_US * 1e-6)


def _at_every_instant(ann: RecordingAnn, instants_us: np.ndarray) -> np.ndarray:
    """Return the ANN poses (T, J, 2); with too few events, the previous pose is repeated."""
    poses = np.full((len(instants_us), len(JOINTS), 2), np.nan, np.float32)
    for index, instant_us in enumerate(instants_us):
        state = ann.state_at(int(instant_us))
        poses[index] = poses[index - 1] if state is None else state.joints_px
    return poses


def _one_after_another(poses: np.ndarray, instants_us: np.ndarray, latency_us: int,
                       asked_us: np.ndarray) -> np.ndarray:
    """Return the poses (M, J, 2) available if ANN passes run back to back.

    Each pass starts at the first instant at which the previous one has finished.
    """
    every = max(1, -(-latency_us // int(instants_us[1] - instants_us[0])))
    last = latest(instants_us[::every] + latency_us, asked_us)
    return np.where((last >= 0)[:, None, None], poses[::every][last], np.nan)
