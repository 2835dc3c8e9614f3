# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The common interface of all systems compared in the paper."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn


class System(nn.Module, ABC):
    """A network that is run bin by bin; each system defines the type of its state."""

    @abstractmethod
    def initialize(self, frame: Tensor) -> Any:
        """Return the state for a frame of event counts (B, 2 * bins, H, W)."""

    @abstractmethod
    def step(self, counts: Tensor, state: Any, dt_us: float) -> tuple[Tensor, Any]:
        """Return the heatmaps (B, J, h, w) at the end of a bin, and the next state."""
