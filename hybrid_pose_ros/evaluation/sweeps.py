# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sweeps: errors as a function of one setting (or two), all others unchanged."""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.evaluate import evaluate
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.model.checkpoint import Checkpoint

ROWS = ('ann', 'hybrid')
FIGURES = ('mpjpe_px', 'median_px', 'mpjpe_px_latency_aware', 'mpjpe_px_moving')


class Sweep(NamedTuple):
    """One or two settings and their values."""

    axis: str  # description of the values, with unit; 'first; second' for pairs
    values: tuple[float, ...] | tuple[tuple[float, float], ...]
    change: Callable[[Any], dict[str, Any]]  # returns the changed settings for a value
    rows: tuple[str, ...] = ROWS


SWEEPS = {
    'step_rate': Sweep('steps per second [Hz]', (100, 200, 500, 1000), lambda hz: {
        'step_us': round(1e6 / hz), 'stride_us': 10_000}),
    'ann_rate': Sweep('initializations per second [Hz]', (5, 10, 20, 30, 50, 100), lambda hz: {
        'ann_rate_hz': float(hz)}),
    'ann_delay': Sweep('ANN delay [ms]', (0, 10, 20, 30, 50, 75, 100), lambda ms: {
        'ann_delay_us': round(1e3 * ms)}),
    'ann_delay_no_replay': Sweep('ANN delay, without replay [ms]',
                                 (0, 10, 20, 30, 50, 75, 100), lambda ms: {
                                     'ann_delay_us': round(1e3 * ms), 'replay': False},
                                 rows=('hybrid',)),
    'no_init': Sweep('interval between initializations [ms]', (300,), lambda ms: {
        'ann_rate_hz': 1e3 / ms}, rows=('ann', 'hybrid', 'hybrid_no_state_init')),
    'holding': Sweep('events per second below which a joint is held', (0, 20, 50, 100, 200, 500),
                     lambda rate: {'quiet_events_per_s': float(rate)}, rows=('hybrid',)),
    'density': Sweep('events per recorded event', (0.25, 0.5, 1, 2), lambda factor: {
        'event_factor': float(factor)}),
    'noise': Sweep('noise events per pixel [Hz]', (0, 0.5, 1, 2, 5, 10), lambda hz: {
        'noise_hz': float(hz)}),
    'robustness': Sweep('events per recorded event; noise events per pixel [Hz]',
                        tuple(product((0.25, 0.5, 1, 2), (0, 1, 3, 10))), lambda pair: {
                            'event_factor': float(pair[0]), 'noise_hz': float(pair[1])}),
}


def sweep(name: str, checkpoint: Checkpoint, recordings: Sequence[Path],
          params: EvaluationParams = EvaluationParams(), *, executor: Executor | None = None,
          progress: Callable[[str], None] = lambda name: None) -> dict[str, Any]:
    """Return the errors of the ANN, of held and extrapolated ANN poses, and of the hybrid.

    Args:
        name: one of SWEEPS.
        checkpoint: the hybrid's weights.
        recordings: labeled recordings.
        params: settings that are not swept.
        executor: as for `evaluate`.
        progress: called with each finished recording of each value.

    Raises:
        InputError: there is no such sweep, or as for `evaluate`.
    """
    if name not in SWEEPS:
        raise InputError(f'unknown sweep {name!r}: choose from {", ".join(SWEEPS)}')
    chosen = SWEEPS[name]
    points = []
    for value in chosen.values:
        result = evaluate(checkpoint, recordings, dataclasses.replace(
            params, **chosen.change(value)), rows=chosen.rows, executor=executor,
            progress=progress)
        points.append({'value': value, 'step_us': result['settings']['step_us'],
                       'rows': {row: _figures(figures)
                                for row, figures in result['rows'].items()}})
    return {'name': name, 'axis': chosen.axis, 'points': points}


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    figures = {name: row[name] for name in (*FIGURES, 'mpjpe_px_by_step')}
    return figures | {'honest_45nm_mw': row['energy']['honest']['45nm']['mw']}
