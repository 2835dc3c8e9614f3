# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which instants of a recording are scored.

    recording  |-- SETTLED_US --|- LEAD_US -|........................|
    states         |       |       |       |       |       |       |     ann_rate_hz
    instants                                    |  |  |  |  |  |  |  |   stride_us

The stride is chosen so that after some periods of the ANN every step of a period has been scored.
"""

import math
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.tracking.state_producer import next_due_us

SETTLED_US = 200_000
"""The first part of a recording is not scored: the ANN has few events there."""
LEAD_US = 100_000
"""Scores begin at least this long after a state of that time."""
STRIDE_US = 7_000
"""Least distance of two instants, which a pass of the ANN takes, too."""


class Schedule(NamedTuple):
    """Times of a recording [us]."""

    start_us: int  # events before it are not used
    steps_us: np.ndarray  # (S,) every step from the first to the last instant
    steps_per_instant: int

    @property
    def instants_us(self) -> np.ndarray:
        """Return which poses are scored, (T,)."""
        return self.steps_us[::self.steps_per_instant]


def make_schedule(recording: LabeledRecording, params: EvaluationParams) -> Schedule:
    """Return what is scored.

    Raises:
        InputError: there is nothing left to score.
    """
    step_us, period_us = params.step_us, 1e6 / params.ann_rate_hz
    start_us = int(recording.label_us[0])
    end_us = int(recording.label_us[-1])
    if params.max_s:
        end_us = min(end_us, start_us + round(params.max_s * 1e6))
    first_us = next_due_us(start_us + SETTLED_US - 1, params.ann_rate_hz, step_us)
    late_us = max(LEAD_US, params.late_us)
    score_us = first_us + (-(-late_us // step_us) + 1) * step_us
    stride_us = params.stride_us or _stride_us(step_us, period_us)
    if stride_us % step_us:
        raise InputError(f'stride_us = {stride_us} is not a multiple of step_us = {step_us}')
    instants_us = np.arange(score_us, end_us + 1, stride_us, dtype=np.int64)
    if len(instants_us) < 3:
        raise InputError(f'{recording.name} has labels for {(end_us - start_us) * 1e-6:.2f} s, '
                         f'but {(score_us + 2 * stride_us - start_us) * 1e-6:.2f} s are needed')
    steps_us = np.arange(score_us, int(instants_us[-1]) + 1, step_us, dtype=np.int64)
    return Schedule(start_us, steps_us, stride_us // step_us)


def _stride_us(step_us: int, period_us: float) -> int:
    """Return the shortest time of at least STRIDE_US that meets every step of a period."""
    if step_us >= STRIDE_US // 2:
        return step_us
    steps = -(-STRIDE_US // step_us)
    while math.gcd(steps, round(period_us / step_us)) > 1:
        steps += 1
    return steps * step_us
