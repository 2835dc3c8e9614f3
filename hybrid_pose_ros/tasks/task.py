# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a task is: the meaning of a network's output maps, and the message of a result."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np


class Result(Protocol):
    """What the maps say at one time."""

    @property
    def stamp_us(self) -> int:
        """Sensor time."""

    @property
    def confidence(self) -> float:
        """0 to 1; below `least_confidence` the tracker requests a state."""


class Task(NamedTuple):
    """A task of a network, without ROS and torch; `training/tasks.py` has its labels and loss."""

    maps: tuple[str, ...]  # names of the output maps, in order
    message: str  # type of the results, one of this package's messages
    read: Callable[[int, np.ndarray], Result] | None = None
    """Sensor time [us] and maps (H, W, C), padding channels last, to a result. None: joints, which
    the tracker locates, corrects and holds."""
    fields: Callable[[Any], dict[str, Any]] = lambda result: {}
    """Fields of the message by name, of a result; header, time and latencies are added."""
