# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Determines which instants of a recording are scored.

    recording  |-- SETTLED_US --|- LEAD_US -|........................|
    states         |       |       |       |       |       |       |     ann_rate_hz
    instants                                    |  |  |  |  |  |  |  |   stride_us

The stride is chosen so that every step of an ANN period is scored after some periods.
"""

import math
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.tracking.state_producer import next_due_us

SETTLED_US = 200_000
"""The first part of a recording is not scored, since it has too few events for the ANN."""
LEAD_US = 100_000
"""Minimum time from the first state to the first scored instant."""
STRIDE_US = 7_000
"""Minimum interval between instants, about the duration of an ANN pass."""


class Schedule(NamedTuple):
    """Times of a recording [us]."""

    start_us: int  # earlier events are not used
    steps_us: np.ndarray  # (S,) every step from the first to the last instant
    steps_per_instant: int

    @property
    def instants_us(self) -> np.ndarray:
        """Return the scored instants, (T,)."""
        return self.steps_us[::self.steps_per_instant]


def make_schedule(recording: LabeledRecording, params: EvaluationParams) -> Schedule:
    """Return the schedule for a recording.

    Raises:
        InputError: the recording is too short to score, or the stride is invalid.
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
    """Return the shortest stride of at least STRIDE_US that covers every step of a period."""
    if step_us >= STRIDE_US // 2:
        return step_us
    steps = -(-STRIDE_US // step_us)
    while math.gcd(steps, round(period_us / step_us)) > 1:
        steps += 1
    return steps * step_us
