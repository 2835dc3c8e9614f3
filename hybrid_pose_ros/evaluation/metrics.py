# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far poses are from the truth. T instants, J joints; distances in sensor pixels.

Every mean is over joints and instants alike, of all recordings together. A joint that is not
`counted` at an instant (outside the image, or without a label) is left out: its distance is NaN.
Hidden joints, behind the body but inside the image, are counted, and also reported apart.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

MOVING_PX = 6.0
"""A joint moves that has gone farther than that in MOVING_US."""
MOVING_US = 100_000
PCK_PX = 10.0
HEAD, SHOULDERS = 0, (1, 2)


class Truth(NamedTuple):
    """Where the joints really are at the instants that are scored."""

    stamps_us: np.ndarray  # (T,) int64, equally spaced within a recording
    joints_px: np.ndarray  # (T, J, 2)
    counted: np.ndarray  # (T, J) bool: inside the image
    occluded: np.ndarray  # (T, J) bool
    moving: np.ndarray  # (T, J) bool
    step: np.ndarray  # (T,) int64: steps since the last state of the ANN arrived, from 1 on


class Scores(NamedTuple):
    """Errors of one row at the instants of a `Truth`, NaN where a joint is left out."""

    distance_px: np.ndarray  # (T, J)
    available_px: np.ndarray  # (M, J): of the last output that was available, every millisecond
    velocity_px_s: np.ndarray  # (T, J)
    acceleration_px_s2: np.ndarray  # (T, J)


def score(truth: Truth, found: np.ndarray, truth_available: Truth,
          available: np.ndarray) -> Scores:
    """Return the errors of one recording's poses.

    Args:
        truth: of one recording.
        found: the poses of its instants, (T, J, 2) [px].
        truth_available: of the times that a pose is asked for.
        available: the last poses that were there at those times, (M, J, 2) [px].
    """
    error = np.where(truth.counted[..., None], found - truth.joints_px, np.nan)
    seconds = (truth.stamps_us - truth.stamps_us[:1]) * 1e-6
    return Scores(np.linalg.norm(error, axis=-1),
                  distances(available, truth_available.joints_px, truth_available.counted),
                  difference_error(error, seconds, order=1),
                  difference_error(error, seconds, order=2))


def distances(found: np.ndarray, joints: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Return the distances (T, J) of poses (T, J, 2) from the truth, NaN where not counted."""
    return np.where(counted, np.linalg.norm(found - joints, axis=-1), np.nan)


def difference_error(error: np.ndarray, seconds: np.ndarray, *, order: int) -> np.ndarray:
    """Return |d error / dt| (order 1) or |d2 error / dt2| (order 2), (T, J).

    It is the error of the velocity or acceleration that one would read from the poses of instants
    one after the other, since the truth is differenced in the same way. The first `order` instants
    have none, nor has an instant with one that is not counted among those before it.

    Args:
        error: pose - truth, (T, J, 2) [px].
        seconds: of the instants, (T,), equally spaced.
        order: 1 or 2.
    """
    result = np.full(error.shape[:2], np.nan)
    if len(error) > order:
        step_s = seconds[1] - seconds[0]
        result[order:] = np.linalg.norm(np.diff(error, n=order, axis=0), axis=-1) / step_s ** order
    return result


def moving(joints: np.ndarray, joints_before: np.ndarray) -> np.ndarray:
    """Return which joints (T, J) are over MOVING_PX from where they were MOVING_US before."""
    return np.linalg.norm(joints - joints_before, axis=-1) > MOVING_PX


def head_to_shoulders(joints: np.ndarray) -> np.ndarray:
    """Return the distance (T,) [px] from the head to the middle between the shoulders."""
    middle = joints[:, SHOULDERS].mean(axis=1)
    return np.linalg.norm(joints[:, HEAD] - middle, axis=-1)


def pck(distance_px: np.ndarray, limit_px: float | np.ndarray) -> float:
    """Return the share of counted joints that are no farther off than a limit, NaN for none."""
    counted = np.isfinite(distance_px)
    return _mean((distance_px <= limit_px)[counted])


def mean_by_step(distance_px: np.ndarray, step: np.ndarray) -> list[float | None]:
    """Return the mean distance of each step since the last state arrived, from step 1 on.

    None stands where no counted joint was scored at that step.
    """
    if not len(step):
        return []
    means = [_mean(distance_px[step == number]) for number in range(1, int(step.max()) + 1)]
    return [rounded(mean) for mean in means]


def latest(available_us: np.ndarray, at_us: np.ndarray) -> np.ndarray:
    """Return the index of the last output that is available at each time, -1 where there is none.

    Args:
        available_us: when each output is there, (N,), in order.
        at_us: the times that are asked for, (T,); an output is there at its own time.
    """
    return np.searchsorted(available_us, at_us, side='right') - 1


def summary(truth: Truth, scores: Scores) -> dict[str, Any]:
    """Return the figures of one row, ready for JSON; of all recordings, one after the other."""
    distance = scores.distance_px
    head_px = head_to_shoulders(truth.joints_px)[:, None]
    head_known = truth.counted[:, [HEAD, *SHOULDERS]].all(axis=1)
    masks = {'moving': truth.moving, 'resting': ~truth.moving, 'occluded': truth.occluded,
             'unoccluded': ~truth.occluded}
    figures = {
        'mpjpe_px': _mean(distance), 'median_px': _median(distance),
        'mpjpe_px_latency_aware': _mean(scores.available_px),
        'median_px_latency_aware': _median(scores.available_px),
        'pck_10px': pck(distance, PCK_PX),
        'pck_half_head': pck(distance[head_known], head_px[head_known] / 2),
        'velocity_error_px_s': _mean(scores.velocity_px_s),
        'acceleration_error_px_s2': _mean(scores.acceleration_px_s2)}
    for name, mask in masks.items():
        figures[f'mpjpe_px_{name}'] = _mean(distance[mask])
        figures[f'median_px_{name}'] = _median(distance[mask])
    return {name: rounded(value) for name, value in figures.items()} | {
        'mpjpe_px_by_joint': [rounded(_mean(joint)) for joint in distance.T]}


def counted(truth: Truth) -> dict[str, int]:
    """Return how many instants and joints the figures are of, and how many are left out."""
    share = {'moving': truth.moving, 'occluded': truth.occluded}
    return {'instants': len(truth.stamps_us), 'joints': int(truth.counted.sum()),
            'joints_outside_image': int((~truth.counted).sum()),
            **{f'joints_{name}': int((mask & truth.counted).sum())
               for name, mask in share.items()}}


def standard_error(values: Sequence[float | None]) -> float:
    """Return the standard error of the mean of independent values; NaN for fewer than two."""
    values = np.array(values, float)
    values = values[np.isfinite(values)]
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float('nan')


def rounded(value: float) -> float | None:
    """Return four digits behind the point; None for a mean of nothing, which JSON cannot write."""
    return round(float(value), 4) if np.isfinite(value) else None


def _mean(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float('nan')


def _median(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else float('nan')
