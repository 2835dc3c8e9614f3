# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What all systems compared in the paper have in common."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn


class System(nn.Module, ABC):
    """A network that is run bin by bin; the type of its state is its own."""

    @abstractmethod
    def initialize(self, frame: Tensor) -> Any:
        """Return the state for a frame of event counts (B, 2 * bins, H, W)."""

    @abstractmethod
    def step(self, counts: Tensor, state: Any, dt_us: float) -> tuple[Tensor, Any]:
        """Return heatmaps (B, J, h, w) at the end of a bin of counts, and the next state."""
