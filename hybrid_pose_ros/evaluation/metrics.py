# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Error metrics of poses. T instants, J joints; distances in sensor pixels.

Every mean is over the joints and instants of all recordings together. A joint that is not
`counted` at an instant (outside the image, or without a label) is excluded: its distance is NaN.
Joints hidden by the body but inside the image are counted, and also reported separately.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.tasks.skeleton import PAIRS

MOVING_PX = 6.0
"""A joint that has moved farther than this within MOVING_US is moving."""
MOVING_US = 100_000
PCK_PX = 10.0
HEAD, SHOULDERS, HIPS = 0, (1, 2), (5, 6)
LEAST_PAIRS = 3
"""Minimum number of pairs in the image for a body to be called swapped."""
BEHIND_TORSO = 0.25
"""Minimum width of the shoulders and hips of a person seen from behind, in torso lengths."""


class Truth(NamedTuple):
    """True joint positions at the scored instants."""

    stamps_us: np.ndarray  # (T,) int64, equally spaced within a recording
    joints_px: np.ndarray  # (T, J, 2)
    counted: np.ndarray  # (T, J) bool: inside the image
    occluded: np.ndarray  # (T, J) bool
    moving: np.ndarray  # (T, J) bool
    step: np.ndarray  # (T,) int64: steps since the last ANN state arrived, starting at 1


class Scores(NamedTuple):
    """Errors of one row at the instants of a `Truth`; NaN for excluded joints."""

    distance_px: np.ndarray  # (T, J)
    available_px: np.ndarray  # (M, J): of the last available output, every millisecond
    velocity_px_s: np.ndarray  # (T, J)
    acceleration_px_s2: np.ndarray  # (T, J)


def score(truth: Truth, found: np.ndarray, truth_available: Truth,
          available: np.ndarray) -> Scores:
    """Return the errors of one recording's poses.

    Args:
        truth: ground truth of one recording.
        found: poses at its instants, (T, J, 2) [px].
        truth_available: ground truth at the times of latency-aware scoring.
        available: last poses available at those times, (M, J, 2) [px].
    """
    error = np.where(truth.counted[..., None], found - truth.joints_px, np.nan)
    seconds = (truth.stamps_us - truth.stamps_us[:1]) * 1e-6
    return Scores(np.linalg.norm(error, axis=-1),
                  distances(available, truth_available.joints_px, truth_available.counted),
                  difference_error(error, seconds, order=1),
                  difference_error(error, seconds, order=2))


def distances(found: np.ndarray, joints: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Return the distances (T, J) of poses (T, J, 2) from the truth; NaN if not counted."""
    return np.where(counted, np.linalg.norm(found - joints, axis=-1), np.nan)


def difference_error(error: np.ndarray, seconds: np.ndarray, *, order: int) -> np.ndarray:
    """Return |d error / dt| (order 1) or |d2 error / dt2| (order 2), (T, J).

    This is the error of velocities or accelerations computed by differencing the poses of
    consecutive instants, since the ground truth is differenced in the same way. The result is NaN
    at the first `order` instants, and wherever one of the preceding instants is not counted.

    Args:
        error: pose - truth, (T, J, 2) [px].
        seconds: times of the instants, (T,), equally spaced.
        order: 1 or 2.
    """
    result = np.full(error.shape[:2], np.nan)
    if len(error) > order:
        step_s = seconds[1] - seconds[0]
        result[order:] = np.linalg.norm(np.diff(error, n=order, axis=0), axis=-1) / step_s ** order
    return result


def moving(joints: np.ndarray, joints_before: np.ndarray) -> np.ndarray:
    """Return which joints (T, J) are over MOVING_PX from their positions MOVING_US earlier."""
    return np.linalg.norm(joints - joints_before, axis=-1) > MOVING_PX


def head_to_shoulders(joints: np.ndarray) -> np.ndarray:
    """Return the distance (T,) [px] from the head to the midpoint of the shoulders."""
    middle = joints[:, SHOULDERS].mean(axis=1)
    return np.linalg.norm(joints[:, HEAD] - middle, axis=-1)


def torso_px(joints: np.ndarray, counted: np.ndarray) -> float:
    """Return the distance from the midpoint of the shoulders to that of the hips [px].

    It is the median over the instants (T) at which all four joints are counted; NaN without any.
    """
    known = counted[:, SHOULDERS + HIPS].all(axis=1)
    return _median(np.linalg.norm(_torso(joints[known]), axis=-1))


def present(counted: np.ndarray) -> np.ndarray:
    """Return when a person is present, (T,): head and one shoulder, or both hips, are counted."""
    return (counted[:, HEAD] & counted[:, SHOULDERS].any(axis=1)) | counted[:, HIPS].all(axis=1)


def from_behind(joints: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Return when a person is seen from behind, (T,), for any roll of the camera.

    From behind, the person's right side is to the right of the direction from the hips to the
    shoulders. False for profiles, which are narrower than BEHIND_TORSO, and for torsos that are
    not counted.
    """
    up = _torso(joints)
    across = (joints[:, SHOULDERS[0]] - joints[:, SHOULDERS[1]]
              + joints[:, HIPS[0]] - joints[:, HIPS[1]]) / 2
    area = up[:, 0] * across[:, 1] - up[:, 1] * across[:, 0]
    return (area > BEHIND_TORSO * (up ** 2).sum(axis=-1)) & counted[
        :, SHOULDERS + HIPS].all(axis=1)


def _torso(joints: np.ndarray) -> np.ndarray:
    """Return the vector from the midpoint of the hips to that of the shoulders, (T, 2)."""
    return joints[:, SHOULDERS].mean(axis=1) - joints[:, HIPS].mean(axis=1)


def swapped_pairs(found: np.ndarray, joints: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Return 1 for pairs whose two joints are both nearer to each other's truth, else 0.

    Args:
        found: poses, (T, J, 2).
        joints: ground truth, (T, J, 2).
        counted: (T, J) bool.

    Returns:
        One value per pair of PAIRS, (T, P); NaN if a joint is not counted or was not found.
    """
    ends = np.array(PAIRS)
    mirrors = ends[:, ::-1]
    own = distances(found[:, ends], joints[:, ends], counted[:, ends])  # (T, P, 2)
    other = distances(found[:, ends], joints[:, mirrors], counted[:, mirrors])
    swapped = (other < own).all(axis=-1)
    return np.where(np.isfinite(own + other).all(axis=-1), swapped, np.nan)


def swapped_bodies(pairs: np.ndarray) -> np.ndarray:
    """Return 1 if most of the pairs (T, P) of a body are swapped, else 0, (T,).

    NaN if fewer than LEAST_PAIRS are known.
    """
    known = np.isfinite(pairs).sum(axis=1)
    return np.where(known >= LEAST_PAIRS, 2 * np.nansum(pairs, axis=1) > known, np.nan)


def auc(confidence: np.ndarray, wrong: np.ndarray) -> float:
    """Return how often a wrong joint has lower confidence than a right one; ties count half.

    This is the area under the receiver operating characteristic: 1 for a perfect ranking, 0.5 for
    a random one, NaN if all joints are right or all are wrong.
    """
    wrong = np.asarray(wrong, bool)
    _, place, count = np.unique(confidence, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    n_right, n_wrong = int((~wrong).sum()), int(wrong.sum())
    if not n_right or not n_wrong:
        return float('nan')
    above = rank[~wrong].sum() - n_right * (n_right + 1) / 2
    return float(above / (n_right * n_wrong))


def pck(distance_px: np.ndarray, limit_px: float | np.ndarray) -> float:
    """Return the fraction of counted joints within a limit of the truth; NaN without any."""
    counted = np.isfinite(distance_px)
    return _mean((distance_px <= limit_px)[counted])


def mean_by_step(distance_px: np.ndarray, step: np.ndarray) -> list[float | None]:
    """Return the mean distance at each step since the last state arrived, starting at step 1.

    It is None for a step without counted joints.
    """
    if not len(step):
        return []
    means = [_mean(distance_px[step == number]) for number in range(1, int(step.max()) + 1)]
    return [rounded(mean) for mean in means]


def latest(available_us: np.ndarray, at_us: np.ndarray) -> np.ndarray:
    """Return the index of the last output available at each time; -1 without any.

    Args:
        available_us: times at which the outputs become available, (N,), sorted.
        at_us: query times, (T,); an output is available at its own time.
    """
    return np.searchsorted(available_us, at_us, side='right') - 1


def summary(truth: Truth, scores: Scores) -> dict[str, Any]:
    """Return the figures of one row over all concatenated recordings, ready for JSON."""
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
    """Return how many instants and joints the metrics cover, and how many joints are excluded."""
    share = {'moving': truth.moving, 'occluded': truth.occluded}
    return {'instants': len(truth.stamps_us), 'joints': int(truth.counted.sum()),
            'joints_outside_image': int((~truth.counted).sum()),
            **{f'joints_{name}': int((mask & truth.counted).sum())
               for name, mask in share.items()}}


def standard_error(values: Sequence[float | None] | np.ndarray) -> float:
    """Return the standard error of the mean of independent values; NaN for fewer than two."""
    numbers = np.array(values, float)  # None becomes NaN
    known = numbers[np.isfinite(numbers)]
    return float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else float('nan')


def jackknife(statistic: Callable[[np.ndarray], float], count: int) -> float:
    """Return the jackknife standard error of a figure of recordings; NaN for fewer than two.

    For a mean it equals `standard_error`.

    Args:
        statistic: function that returns the figure for some recordings, given their indices.
        count: number of recordings.

    Source: Quenouille 1949, Tukey 1958: uses the figures with each recording left out in turn.
    """
    if count < 2:
        return float('nan')
    everyone = np.arange(count)
    without = np.array([statistic(np.delete(everyone, one)) for one in everyone])
    return float(np.sqrt((count - 1) * without.var()))


def rounded(value: float | np.floating) -> float | None:
    """Round to four decimals; None for NaN (a mean of no values), which JSON cannot represent."""
    return round(float(value), 4) if np.isfinite(value) else None


def _mean(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float('nan')


def _median(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else float('nan')
