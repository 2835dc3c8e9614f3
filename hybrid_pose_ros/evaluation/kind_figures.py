# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of weights on recordings of one kind, with standard errors over recordings.

Means and fractions are averages over recordings of each recording's mean, so long and short
recordings have equal weight. Medians and the AUC are computed over the joints of all recordings
together. A recording without samples for a figure (no torso in the image, nobody present) is
excluded from it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.evaluation.metrics import (
    auc, distances, from_behind, jackknife, present, rounded, swapped_bodies, swapped_pairs)

FAR_PX = 20.0
PCK_TORSO = 0.2
WRONG_TORSO = 0.5
"""A joint with an error above this, in torso lengths, is wrong."""
GROUPS = {'head': (0,), 'shoulders': (1, 2), 'elbows': (3, 4), 'hips': (5, 6), 'hands': (7, 8),
          'knees': (9, 10), 'feet': (11, 12)}
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


class ScoredPoses(NamedTuple):
    """Poses and ground truth of one recording. T instants, J joints."""

    joints_px: np.ndarray  # (T, J, 2) ground truth
    counted: np.ndarray  # (T, J) bool: inside the image, and known
    torso_px: float  # of the recording; NaN: unknown
    found_px: np.ndarray  # (T, J, 2), NaN without a pose
    confidence: np.ndarray  # (T, J), 0 without a pose
    presence: np.ndarray  # (T,), 0 without a pose
    least_presence: float  # minimum presence at which a person is reported

    @property
    def error_px(self) -> np.ndarray:
        """Return distances (T, J); NaN if not counted or not found."""
        return distances(self.found_px, self.joints_px, self.counted)

    @property
    def swapped(self) -> np.ndarray:
        """Return 1 for swapped pairs (T, P), otherwise 0; NaN if unknown."""
        return swapped_pairs(self.found_px, self.joints_px, self.counted)

    @property
    def mean_confidence(self) -> np.ndarray:
        """Return the mean confidence of the joints at the instants of `judged`."""
        return self.confidence.mean(axis=1)[self.judged]

    @property
    def reported(self) -> np.ndarray:
        """Return whether a person is reported at the instants of `judged`."""
        return self.presence[self.judged] >= self.least_presence

    @property
    def judged(self) -> np.ndarray:
        """Return the instants with a person, (T,) bool; all if the recording shows nobody."""
        person = present(self.counted)
        return person if self.counted.any() else np.ones_like(person)


class Figure(NamedTuple):
    """Definition of a figure: the samples (N, ...) of a recording, and a statistic of them."""

    samples: Callable[[ScoredPoses], np.ndarray]
    of_recordings: Callable[[Sequence[np.ndarray]], float]


def mean_of_means(samples: Sequence[np.ndarray]) -> float:
    """Return the mean over recordings of the mean of their samples."""
    return float(np.mean([one.mean() for one in samples]))


def median_of_all(samples: Sequence[np.ndarray]) -> float:
    """Return the median of all samples together."""
    return float(np.median(np.concatenate(samples)))


def auc_of_all(samples: Sequence[np.ndarray]) -> float:
    """Return the AUC of all samples together; a sample is a confidence and a flag for wrong."""
    confidence, wrong = np.concatenate(samples).T
    return auc(confidence, wrong > 0)


def _known(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _torso(poses: ScoredPoses) -> np.ndarray:
    return _known(poses.error_px / poses.torso_px)


def _behind(poses: ScoredPoses) -> np.ndarray:
    behind = from_behind(poses.joints_px, poses.counted)
    return _known(swapped_bodies(poses.swapped)[behind])


def _ranked(poses: ScoredPoses) -> np.ndarray:
    off = poses.error_px / poses.torso_px
    known = np.isfinite(off)
    return np.stack([poses.confidence[known], off[known] > WRONG_TORSO], axis=-1)


def _group(joints: tuple[int, ...]) -> Figure:
    return Figure(lambda poses: _known(poses.error_px[:, joints]), mean_of_means)


FIGURES = {
    'mean_px': Figure(lambda poses: _known(poses.error_px), mean_of_means),
    'median_px': Figure(lambda poses: _known(poses.error_px), median_of_all),
    'over_20px': Figure(lambda poses: _known(poses.error_px) > FAR_PX, mean_of_means),
    'mean_torso': Figure(_torso, mean_of_means),
    'median_torso': Figure(_torso, median_of_all),
    'pck_torso': Figure(lambda poses: _torso(poses) <= PCK_TORSO, mean_of_means),
    'swapped_pairs': Figure(lambda poses: _known(poses.swapped), mean_of_means),
    'swapped_bodies': Figure(lambda poses: _known(swapped_bodies(poses.swapped)), mean_of_means),
    'swapped_bodies_behind': Figure(_behind, mean_of_means),
    'confidence_auc': Figure(_ranked, auc_of_all),
    'confidence': Figure(lambda poses: poses.mean_confidence, mean_of_means),
    'person_reported': Figure(lambda poses: poses.reported, mean_of_means),
    **{f'mean_px_{name}': _group(joints) for name, joints in GROUPS.items()}}
"""Figures by name; fractions are from 0 to 1. person_reported is the fraction of the instants with
a person, or of all instants in a recording without one."""


def figures(recordings: Sequence[ScoredPoses]) -> dict[str, dict[str, Any]]:
    """Return the value, standard error and number of recordings of each figure, ready for JSON."""
    found = {}
    for name, figure in FIGURES.items():
        samples = [one for one, in _samples(figure, recordings)]

        def value(some: np.ndarray) -> float:
            return figure.of_recordings([samples[one] for one in some])
        found[name] = _estimate('value', value, len(samples))
    return found


def differences(recordings: Sequence[ScoredPoses], others: Sequence[ScoredPoses]
                ) -> dict[str, dict[str, Any]]:
    """Return each figure minus that of other poses on the same recordings, paired.

    Args:
        recordings: recordings of one kind.
        others: poses of other weights on the same recordings, in the same order.
    """
    found = {}
    for name, figure in FIGURES.items():
        pairs = _samples(figure, recordings, others)

        def apart(some: np.ndarray) -> float:
            one, other = zip(*(pairs[index] for index in some))
            return figure.of_recordings(one) - figure.of_recordings(other)
        found[name] = _estimate('difference', apart, len(pairs))
    return found


def _samples(figure: Figure, *rows: Sequence[ScoredPoses]) -> list[tuple[np.ndarray, ...]]:
    """Return the samples of each recording for each row, if every row has some."""
    samples = [tuple(figure.samples(poses) for poses in recording)
               for recording in zip(*rows, strict=True)]
    return [recording for recording in samples if all(map(len, recording))]


def _estimate(name: str, statistic: Callable[[np.ndarray], float], count: int) -> dict[str, Any]:
    value = statistic(np.arange(count)) if count else float('nan')
    return {name: rounded(value), 'standard_error': rounded(jackknife(statistic, count)),
            'recordings': count}


def by_recording(recordings: Sequence[ScoredPoses]) -> list[dict[str, float | None]]:
    """Return the figures of each recording separately."""
    return [{name: row['value'] for name, row in figures([poses]).items()}
            for poses in recordings]


def confidence_percentiles(recordings: Sequence[ScoredPoses]) -> dict[str, float | None]:
    """Return percentiles of the mean confidence of the joints over all instants."""
    values = np.concatenate([poses.mean_confidence for poses in recordings])
    if not len(values):
        return {}
    return {str(percent): rounded(np.percentile(values, percent)) for percent in PERCENTILES}
