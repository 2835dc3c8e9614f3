# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluates the hybrid and its baselines on a set of recordings: errors, spikes and energy.

    recordings -> outcome.py: poses of each row -> metrics.py, power.py -> figures, ready for JSON
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.baselines import KalmanTrack, kalman, kalman_grid
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.metrics import (Scores, Truth, counted, distances, mean_by_step,
                                                rounded, score, standard_error, summary)
from hybrid_pose_ros.evaluation.motion import motion_figures, motion_of
from hybrid_pose_ros.evaluation.outcome import ROWS, Outcome, run_recording
from hybrid_pose_ros.evaluation.power import PowerOfRows
from hybrid_pose_ros.evaluation.trackers import ALONE
from hybrid_pose_ros.model.checkpoint import Checkpoint, identity
from hybrid_pose_ros.parallel import as_done, one_torch_thread
from hybrid_pose_ros.recordings.labeled import LabeledRecording, load_seen
from hybrid_pose_ros.representation.geometry import input_geometry

ERRORS = {'': lambda row: row['mpjpe_px'],
          '_latency_aware': lambda row: row['mpjpe_px_latency_aware'],
          '_at_last_step': lambda row: row['mpjpe_px_by_step'][-1]}
"""Figures by which rows are compared, keyed by the suffix of the ratio's name."""


@dataclass(frozen=True)
class _Task:
    """Input of a worker process for one recording."""

    checkpoint: Checkpoint
    snn_checkpoint: Checkpoint
    recording: Path | LabeledRecording
    params: EvaluationParams
    rows: tuple[str, ...]


def evaluate(checkpoint: Checkpoint, recordings: Sequence[Path | LabeledRecording],
             params: EvaluationParams = EvaluationParams(), *,
             snn_checkpoint: Checkpoint | None = None, rows: Sequence[str] = ROWS,
             executor: Executor | None = None,
             progress: Callable[[str], None] = lambda name: None) -> dict[str, Any]:
    """Return the figures of every row over all recordings, ready for JSON.

    Args:
        checkpoint: the hybrid's weights.
        recordings: labeled recordings of one sensor size; must be paths if an executor is given.
        params: settings of the graph.
        snn_checkpoint: weights of a spiking network trained to run alone; None: use the hybrid's,
            from rest, with a note in the rows.
        rows: some of ROWS; rows without extra cost are always included.
        executor: executor for the recordings; None: run them sequentially in this process.
        progress: called with the name of each finished recording.

    Raises:
        InputError: there is nothing to evaluate, a row is unknown, the weights are of another
            preset, or a recording cannot be used.
    """
    _check(checkpoint, recordings, snn_checkpoint, rows)
    tasks = [_Task(checkpoint, snn_checkpoint or checkpoint, recording, params, tuple(rows))
             for recording in recordings]
    outcomes, sizes = [], set()
    for outcome, size in as_done(_outcome, tasks, executor):
        progress(outcome.name)
        outcomes.append(outcome)
        sizes.add(size)
    if len(sizes) > 1:
        raise InputError(f'the recordings have several sensor sizes, {sorted(sizes)}: '
                         'evaluate one size at a time')
    outcomes.sort(key=lambda outcome: outcome.name)
    notes = {'kalman': _add_kalman(outcomes)}
    if snn_checkpoint is None:
        notes |= dict.fromkeys(ALONE, 'weights of the hybrid, not trained to run alone')
    geometry = input_geometry(checkpoint.preset, *sizes.pop())
    power = PowerOfRows(checkpoint, snn_checkpoint or checkpoint, geometry.width,
                        geometry.height, params, outcomes)
    return _result(checkpoint, params, outcomes, power, notes)


def _check(checkpoint: Checkpoint, recordings: Sequence[Path | LabeledRecording],
           snn_checkpoint: Checkpoint | None, rows: Sequence[str]) -> None:
    if not recordings:
        raise InputError('no recordings to evaluate: pass one or more .h5 files with labels')
    unknown = [row for row in rows if row not in ROWS]
    if unknown:
        raise InputError(f'unknown row {unknown[0]!r}: choose from {", ".join(ROWS)}')
    if snn_checkpoint is not None and snn_checkpoint.preset.name != checkpoint.preset.name:
        raise InputError(f'the weights of the SNN alone are of preset '
                         f'{snn_checkpoint.preset.name}, the hybrid\'s of '
                         f'{checkpoint.preset.name}: they must be the same')


def _outcome(task: _Task) -> tuple[Outcome, tuple[int, int]]:
    """Return the outcome of one recording and its sensor size."""
    recording = task.recording
    if not isinstance(recording, LabeledRecording):
        recording = load_seen(recording)
    with one_torch_thread():
        outcome = run_recording(task.checkpoint, task.snn_checkpoint, recording, task.params,
                                task.rows)
    return outcome, (recording.width, recording.height)


def _add_kalman(outcomes: list[Outcome]) -> str:
    """Add the Kalman filter that performs best on these recordings; return its description.

    It is an upper bound for filters of this kind rather than a fair baseline, since it is tuned on
    the test data.
    """
    grid = kalman_grid()
    tracks = [kalman(outcome.ann_poses, grid) for outcome in outcomes]
    errors = errors_of_settings(tracks, outcomes)
    best = int(np.argmin(errors))
    for outcome, track in zip(outcomes, tracks):
        for view in (outcome.instants, outcome.steps, outcome.available):
            view.found['kalman'] = track.at(best, view.last, view.truth.stamps_us)
    decay = grid.decay_s[best]
    velocity = 'constant velocity' if np.isinf(decay) else f'velocity decays in {decay:g} s'
    return (f'the best of {len(errors)} on these recordings: {velocity}, wander '
            f'{grid.wander_px2_s3[best]:.3g} px2/s3')


def errors_of_settings(tracks: Sequence[KalmanTrack], outcomes: Sequence[Outcome]) -> np.ndarray:
    """Return the mean error of each filter setting over all recordings, (G,) [px]."""
    def error(setting: int) -> float:
        return np.nanmean(np.concatenate([
            distances(track.at(setting, outcome.steps.last, outcome.steps.truth.stamps_us),
                      outcome.steps.truth.joints_px, outcome.steps.truth.counted)
            for track, outcome in zip(tracks, outcomes, strict=True)]))
    return np.array([error(setting) for setting in range(len(tracks[0].decay_s))])


def _row(name: str, outcomes: list[Outcome], truth: Truth) -> dict[str, Any]:
    """Return the errors of one row; `truth` is for the instants of all recordings."""
    of_recordings = [score(o.instants.truth, o.instants.found[name], o.available.truth,
                           o.available.found[name]) for o in outcomes]
    views = [o.steps if name in o.steps.found else o.instants for o in outcomes]
    by_step = mean_by_step(
        np.concatenate([distances(view.found[name], view.truth.joints_px, view.truth.counted)
                        for view in views]),
        np.concatenate([view.truth.step for view in views]))
    missing = sum(int(np.isnan(o.instants.found[name]).any(axis=(1, 2)).sum()) for o in outcomes)
    by_recording = [rounded(np.nanmean(scores.distance_px)) for scores in of_recordings]
    row = summary(truth, Scores(*map(np.concatenate, zip(*of_recordings)))) | {
        'mpjpe_px_by_step': by_step,
        'mpjpe_px_by_recording': by_recording,
        'mpjpe_px_standard_error': rounded(standard_error(by_recording)),
        'instants_without_pose': missing}
    if name in outcomes[0].steps.found:
        row['motion'] = motion_figures([motion_of(o.steps.found[name], o.steps.truth)
                                        for o in outcomes])
    if name in outcomes[0].velocity:
        errors = [distances(o.velocity[name], o.true_velocity, o.instants.truth.counted)
                  for o in outcomes]
        row['stated_velocity_error_px_s'] = rounded(np.nanmean(np.concatenate(errors)))
    return row


def _result(checkpoint: Checkpoint, params: EvaluationParams, outcomes: list[Outcome],
            power: PowerOfRows, notes: dict[str, str]) -> dict[str, Any]:
    truths = [outcome.instants.truth for outcome in outcomes]
    truth = Truth(*(np.concatenate(fields) for fields in zip(*truths)))
    rows = {name: _row(name, outcomes, truth) | power.row(name)
            for name in ROWS if name in outcomes[0].instants.found}
    for name in notes.keys() & rows.keys():
        rows[name]['note'] = notes[name]
    return {
        'preset': checkpoint.preset.name, 'trained': bool(checkpoint.card.get('trained')),
        'identity': identity(checkpoint), 'settings': asdict(params),
        'recordings': [outcome.name for outcome in outcomes],
        'gaps': {outcome.name: outcome.gaps for outcome in outcomes if outcome.gaps},
        'scored': counted(truth) | {
            'seconds': round(sum(np.ptp(truth.stamps_us) for truth in truths) * 1e-6, 3),
            'stride_us': int(np.diff(truth.stamps_us[:2])[0])},
        'latency_aware_ms': {'ann': params.late_us * 1e-3, 'pose': params.pose_latency_us * 1e-3},
        'measured_ms': _measured(outcomes),
        'ratios': ratios(rows), 'gap_closed': gap_closed(rows), 'differences': differences(rows),
        'rows': rows}


def _measured(outcomes: list[Outcome]) -> dict[str, float | None]:
    """Return the median times [ms] of an ANN pass and a pose of the hybrid on this machine."""
    poses = [outcome.work['hybrid'].compute_ms for outcome in outcomes
             if 'hybrid' in outcome.work]
    return {'ann': rounded(np.median([outcome.ann_ms for outcome in outcomes])),
            'pose': rounded(np.median(poses)) if poses else None}


def ratios(rows: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Return the ratios of the hybrid's error to that of each other row.

    The ratios are for the average, latency-aware, and at the last step before the next
    initialization. The latter are relative to the ANN's average, since the ANN's error does not
    depend on the step.
    """
    found = {}
    if 'ann' in rows:
        rows = rows | {'ann': rows['ann'] | {'mpjpe_px_by_step': [rows['ann']['mpjpe_px']]}}
    for name in rows:
        if 'hybrid' in rows and name != 'hybrid':
            for ending, errors in ERRORS.items():
                hybrid, other = errors(rows['hybrid']), errors(rows[name])
                if hybrid is not None and other:
                    found[f'hybrid_to_{name}{ending}'] = round(hybrid / other, 4)
    return found


def gap_closed(rows: dict[str, dict[str, Any]]) -> float | None:
    """Return how much of the gap between held poses and the ANN at every step is closed.

    By the hybrid without fusion, since neither of the two is filtered; 0: none, 1: all. None
    without these rows.
    """
    if not {'ann', 'ann_held', 'hybrid_unfused'} <= rows.keys():
        return None
    held, ann, hybrid = (rows[name]['mpjpe_px'] for name in ('ann_held', 'ann', 'hybrid_unfused'))
    return rounded((held - hybrid) / (held - ann)) if held != ann else None


def differences(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Return the hybrid's error minus that of each other row, paired by recording [px].

    Given as mean over recordings with standard error; pairing is needed since recordings differ
    far more than methods.
    """
    if 'hybrid' not in rows:
        return {}
    hybrid = np.array(rows['hybrid']['mpjpe_px_by_recording'], float)
    found = {}
    for name, row in rows.items():
        if name != 'hybrid':
            apart = hybrid - np.array(row['mpjpe_px_by_recording'], float)
            found[f'hybrid_minus_{name}'] = {'mean_px': rounded(np.nanmean(apart)),
                                             'standard_error_px': rounded(standard_error(apart))}
    return found
