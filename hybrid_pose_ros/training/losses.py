# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training losses: cross entropy of heatmaps, and a penalty on spikes beyond a rate.

Networks without logits use the published loss, the mean squared error to Gaussian blobs.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from hybrid_pose_ros.pose.targets import blurred_dots

SIGMA_CELLS = 1.0
"""Standard deviation of the Gaussian that is the target of a heatmap's softmax."""


def heatmap_loss(logits: Tensor, joints: Tensor, weights: Tensor) -> Tensor:
    """Return the mean cross entropy between heatmaps and a Gaussian at each joint.

    Args:
        logits: (B, J, H, W).
        joints: heatmap coordinates (x, y), (B, J, 2).
        weights: weights of the joints, (B, J); 0 or False if out of view.
    """
    height, width = logits.shape[-2:]
    logits = logits.float()
    across = _gaussian(joints[..., 0], width)
    down = _gaussian(joints[..., 1], height)
    wanted = torch.einsum('bjhw,bjh,bjw->bj', logits, down, across)
    losses = logits.flatten(2).logsumexp(dim=2) - wanted
    return (losses * weights).sum() / weights.sum().clamp(min=1)


def absence_loss(logits: Tensor, absent: Tensor) -> Tensor:
    """Return the mean divergence of heatmaps from uniform ones, for joints that may be anywhere.

    Args:
        logits: (B, J, H, W).
        absent: (B, J) bool, joints to include.
    """
    logits = logits.float().flatten(2)
    cells = logits.shape[2]
    divergence = logits.logsumexp(dim=2) - logits.mean(dim=2) - math.log(cells)
    return (divergence * absent).sum() / absent.sum().clamp(min=1)


def _gaussian(centers: Tensor, length: int) -> Tensor:
    """Return Gaussians over 0 .. length - 1 with sum 1, (B, J, length), for centers (B, J)."""
    distance = torch.arange(length, device=centers.device) - centers[..., None]
    return torch.softmax(-0.5 * (distance / SIGMA_CELLS) ** 2, dim=-1)


def blob_loss(heatmaps: Tensor, cells: Tensor, shown: Tensor) -> Tensor:
    """Return the mean squared error between heatmaps and Gaussian blobs with peak 1.

    Args:
        heatmaps: (B, J, H, W).
        cells: x and y of each joint's cell, (B, J, 2) int64.
        shown: (B, J) bool; the target of other joints is zero.
    """
    across, down = (
        _blurred_dots(length, heatmaps.device)[cells[..., axis].clamp(0, length - 1)]
        for axis, length in ((0, heatmaps.shape[-1]), (1, heatmaps.shape[-2])))
    targets = shown[..., None, None] * down[..., :, None] * across[..., None, :]
    return (heatmaps - targets).square().mean()


@lru_cache
def _blurred_dots(length: int, device: torch.device) -> Tensor:
    return torch.from_numpy(blurred_dots(length)).to(device)


def spike_penalty(rates: Tensor, allowed: float) -> Tensor:
    """Return the sum over layers of the spike rate in excess of `allowed`, both in percent."""
    return torch.relu(100 * rates - allowed).sum()
