# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gesture classes, and their probabilities from a network with one map per class. K gestures.

The map of a gesture is high where the gesture is seen in the image. The score of a gesture is the
logarithm of the mean of e^value over the cells of its map; the probabilities are the softmax of
the scores.
"""

from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.tasks.task import Task

GESTURES = ('stand', 'walk', 'wave', 'jumping_jack', 'squat', 'arm_circles', 'box', 'kick')
"""Names of motions in `simulation.motions`, in the order of the maps."""


class Gesture(NamedTuple):
    """The gesture of a person at one time."""

    stamp_us: int  # sensor time
    probabilities: np.ndarray  # (K,) float32

    @property
    def name(self) -> str:
        """The most probable gesture."""
        return GESTURES[int(self.probabilities.argmax())]

    @property
    def confidence(self) -> float:
        """Probability of the most probable gesture."""
        return float(self.probabilities.max())


def probabilities(maps: np.ndarray) -> np.ndarray:
    """Return the probability of each gesture, (K,) float32, from maps (H, W, K or more).

    Non-finite values are ignored; if there are no finite ones, all gestures are equally probable.
    """
    values = maps[..., :len(GESTURES)].reshape(-1, len(GESTURES)).astype(np.float64)
    values = np.where(np.isfinite(values), values, -np.inf)
    highest = values.max()
    if not np.isfinite(highest):
        return np.full(len(GESTURES), 1 / len(GESTURES), np.float32)
    masses = np.exp(values - highest).sum(axis=0)
    return (masses / masses.sum()).astype(np.float32)


def gesture_of(name: str) -> int:
    """Return the index of the gesture with which a recording's name starts.

    Raises:
        InputError: the name does not start with a gesture.
    """
    for index, gesture in enumerate(GESTURES):
        if name == gesture or name.startswith(f'{gesture}_'):
            return index
    raise InputError(f'recording {name} shows an unknown gesture: its name must start with one of '
                     f'{", ".join(GESTURES)} and _')


def _read(stamp_us: int, maps: np.ndarray) -> Gesture:
    return Gesture(stamp_us, probabilities(maps))


def _fields(gesture: Gesture) -> dict[str, Any]:
    return {'gesture': gesture.name, 'confidence': gesture.confidence, 'names': list(GESTURES),
            'probabilities': gesture.probabilities}


TASK = Task(GESTURES, 'Gesture', _read, _fields)
