# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Definition of a task: the meaning of a network's output maps, and the message for results."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np


class Result(Protocol):
    """Interpretation of the maps at one time."""

    @property
    def stamp_us(self) -> int:
        """Sensor time of the result."""

    @property
    def confidence(self) -> float:
        """Confidence, 0 to 1; below `least_confidence` the tracker requests a state."""


class Task(NamedTuple):
    """A task of a network, without ROS and torch; `training/tasks.py` defines labels and loss."""

    maps: tuple[str, ...]  # names of the output maps, in order
    message: str  # type of the result messages, one of this package
    read: Callable[[int, np.ndarray], Result] | None = None
    """Function from sensor time [us] and maps (H, W, C), padding channels last, to a result. None:
    the maps are joints, which the tracker locates, corrects and holds."""
    fields: Callable[[Any], dict[str, Any]] = lambda result: {}
    """Function from a result to its message fields; header, time and latencies are added."""
