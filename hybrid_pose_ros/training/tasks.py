# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training tasks: labels for a view, the loss of a network's maps, and metrics.

The training stages do not depend on the task; they call one of these classes.
"""

import math
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.networks.hybrid import HybridState
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.tasks.gesture import gesture_of
from hybrid_pose_ros.training.gestures import gestures_by_age
from hybrid_pose_ros.training.losses import heatmap_loss
from hybrid_pose_ros.training.validation import by_age, live
from hybrid_pose_ros.training.views import View


class TrainingTask(Protocol):
    """Labels, loss and metrics of a task. T stamps; the shape of a label depends on the task."""

    def labels(self, view: View, clip: LabeledRecording,
               stamps_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the labels (T, ...) and the mask of known ones, (T, ...) bool."""
        ...

    def weights(self, state: HybridState, labels: Tensor, *, lost_cells: float,
                lost_weight: float) -> Tensor:
        """Return the weight of each label in a segment that starts with a state, (B, ...)."""
        ...

    def loss(self, maps: Tensor, labels: Tensor, weights: Tensor,
             offset: Tensor | None = None) -> Tensor:
        """Return the mean loss of maps (B, J, H, W); offset: motion of the joints since."""
        ...

    def metrics(self, checkpoint: Checkpoint, clips: list[LabeledRecording]) -> dict[str, Any]:
        """Return the metrics of trained weights on unseen recordings, ready for JSON."""
        ...


class PoseTask:
    """The task of estimating joint positions."""

    def labels(self, view: View, clip: LabeledRecording,
               stamps_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return heatmap coordinates (T, J, 2), and which joints are in view (T, J)."""
        return view.joints(clip, stamps_us)

    def weights(self, state: HybridState, labels: Tensor, *, lost_cells: float,
                lost_weight: float) -> Tensor:
        """Return lower weights for lost joints, which the ANN, not the SNN, recovers."""
        distance = (state.peaks.flip(-1) + state.offset - labels).norm(dim=-1)
        return torch.where(distance > lost_cells, lost_weight, 1.0)

    def loss(self, maps: Tensor, labels: Tensor, weights: Tensor,
             offset: Tensor | None = None) -> Tensor:
        """Return the cross entropy between the maps and a Gaussian at each joint."""
        return heatmap_loss(maps, labels if offset is None else labels - offset, weights)

    def metrics(self, checkpoint: Checkpoint, clips: list[LabeledRecording]) -> dict[str, Any]:
        """Return the errors by age of the state, and those of the live graph."""
        return {'by_age': by_age(checkpoint, clips), 'live': live(checkpoint, clips)}


class GestureTask:
    """The task of recognizing a gesture; each clip shows one, with which its name starts."""

    def labels(self, view: View, clip: LabeledRecording,
               stamps_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the index of the gesture at each stamp, (T,) int64; it is always known."""
        return (np.full(len(stamps_us), gesture_of(clip.name), np.int64),
                np.ones(len(stamps_us), bool))

    def weights(self, state: HybridState, labels: Tensor, *, lost_cells: float,
                lost_weight: float) -> Tensor:
        """Return a weight of 1 for each label."""
        return torch.ones(labels.shape, device=labels.device)

    def loss(self, maps: Tensor, labels: Tensor, weights: Tensor,
             offset: Tensor | None = None) -> Tensor:
        """Return the cross entropy of the gestures' scores."""
        losses = F.cross_entropy(gesture_scores(maps), labels, reduction='none')
        return (losses * weights).sum() / weights.sum().clamp(min=1)

    def metrics(self, checkpoint: Checkpoint, clips: list[LabeledRecording]) -> dict[str, Any]:
        """Return the accuracy overall and by age of the state."""
        return {'gestures': gestures_by_age(checkpoint, clips)}


TASKS: dict[str, TrainingTask] = {'pose': PoseTask(), 'gesture': GestureTask()}
"""Tasks by their name in presets."""


def gesture_scores(maps: Tensor) -> Tensor:
    """Return the scores (B, K) of gestures from maps (B, K, H, W), as in `tasks.gesture`."""
    return maps.float().flatten(2).logsumexp(dim=2) - math.log(maps.shape[-1] * maps.shape[-2])
