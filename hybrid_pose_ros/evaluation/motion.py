# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well a row follows motion after an initialization, regardless of where it started.

Only joints that are right at the first step after an initialization count: a joint that the ANN
puts elsewhere cannot be followed. Their displacement until WINDOW_US later is compared with the
true one.

    step 1 ──► found: a, truth: A      WINDOW_US later ──► found: b, truth: B
    motion error = |(b - a) - (B - A)|,  zero motion has the error |B - A|
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.evaluation.metrics import Truth, rounded, standard_error

WINDOW_US = 30_000
RIGHT_PX = 8.0
"""A joint is right at the start if it is at most this far from the truth."""

SPEEDS_PX = {'rest': (0.0, 0.5), 'slow': (0.5, 2.0), 'medium': (2.0, 6.0), 'fast': (6.0, np.inf),
             'moving': (2.0, np.inf), 'all': (0.0, np.inf)}
"""Ranges of the true displacement within WINDOW_US."""


class Motion(NamedTuple):
    """Displacements of N joints of one recording that are right at the start."""

    true_px: np.ndarray  # (N,) length of the true displacement
    error_px: np.ndarray  # (N,) distance of the found displacement from it


def motion_of(found: np.ndarray, truth: Truth) -> Motion:
    """Return the motion of one row's poses (T, J, 2) at the steps of a recording (T)."""
    start, end = _windows(truth)
    off = np.linalg.norm(found[start] - truth.joints_px[start], axis=-1)
    true = truth.joints_px[end] - truth.joints_px[start]
    error = found[end] - found[start] - true
    known = truth.counted[start] & truth.counted[end] & np.isfinite(error).all(axis=-1)
    right = known & (off <= RIGHT_PX)  # a comparison with NaN is false
    return Motion(np.linalg.norm(true, axis=-1)[right], np.linalg.norm(error, axis=-1)[right])


def _windows(truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of first and last steps; an initialization in between ends none."""
    step_us = int(truth.stamps_us[1] - truth.stamps_us[0]) if len(truth.stamps_us) > 1 else 1
    length = max(1, WINDOW_US // step_us)
    start = np.flatnonzero(truth.step == 1)
    start = start[start + length < len(truth.step)]
    same = truth.step[start + length] == 1 + length  # no later state has arrived
    return start[same], start[same] + length


def motion_figures(recordings: Sequence[Motion]) -> dict[str, dict[str, Any]]:
    """Return the motion error by speed, ready for JSON.

    Each with the error of zero motion, the number of displacements, and the standard error of
    the mean over recordings; None where no joint has that speed.
    """
    found = {}
    for name, (low, high) in SPEEDS_PX.items():
        chosen = [(one.true_px >= low) & (one.true_px < high) for one in recordings]
        errors = [one.error_px[choice] for one, choice in zip(recordings, chosen)]
        true = np.concatenate([one.true_px[choice] for one, choice in zip(recordings, chosen)])
        means = [float(error.mean()) for error in errors if len(error)]
        found[name] = {
            'error_px': rounded(np.concatenate(errors).mean()) if len(true) else None,
            'zero_motion_px': rounded(true.mean()) if len(true) else None,
            'standard_error_px': rounded(standard_error(means)) if len(means) > 1 else None,
            'displacements': len(true)}
    return found
