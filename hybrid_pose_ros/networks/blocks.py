# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The convolution used by all three parts of the hybrid, and related functions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybrid_pose_ros.model.layout import Convolution

LEAKY_SLOPE = 0.1


class ConvTensors(nn.Module):
    """The tensors of one convolution under their names in the checkpoint."""

    log_tau_us: nn.Parameter  # both exist only if the preset learns time constants
    log_tau_held_us: nn.Parameter

    def __init__(self, conv: Convolution):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(conv.weight_shape))
        self.bias = nn.Parameter(torch.zeros(conv.out_channels)) if conv.bias else None
        self.norm = _batch_norm(conv.out_channels) if conv.norm else nn.Identity()
        for name, shape in conv.log_taus:
            self.register_parameter(name, nn.Parameter(torch.zeros(shape)))


class ConvNorm(ConvTensors):
    """A convolution that keeps or halves the size, with batch norm if the preset uses it.

    If it is `activated`, LeakyReLU follows.
    """

    def __init__(self, conv: Convolution, stride: int = 1, *, activated: bool = False):
        super().__init__(conv)
        self.stride, self.activated = stride, activated

    @property
    def padding(self) -> int:
        """Zero padding of the maps."""
        return self.weight.shape[-1] // 2

    def forward(self, maps: Tensor) -> Tensor:
        """Return the output maps, (B, O, H, W); H and W are halved, rounding up, for stride 2."""
        maps = self.norm(F.conv2d(maps, self.weight, self.bias, self.stride, self.padding))
        return F.leaky_relu(maps, LEAKY_SLOPE) if self.activated else maps


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    norm.num_batches_tracked = None  # unused with a fixed momentum, and not in checkpoints
    return norm


def fold_norms(module: nn.Module) -> None:
    """Fold every batch norm into the preceding convolution, in place; for inference only."""
    for conv in module.modules():
        if isinstance(conv, ConvNorm) and isinstance(conv.norm, nn.BatchNorm2d):
            norm = conv.norm
            conv.weight, conv.bias = nn.utils.fusion.fuse_conv_bn_weights(
                conv.weight, conv.bias, norm.get_buffer('running_mean'),
                norm.get_buffer('running_var'), norm.eps, norm.weight, norm.bias)
            conv.norm = nn.Identity()


def crop(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the top left (H, W) part of the maps."""
    height, width = size
    return maps[..., :height, :width]


def upsample(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the maps upsampled bilinearly by 2 and cropped to (H, W)."""
    maps = F.interpolate(maps, scale_factor=2, mode='bilinear', align_corners=False)
    return crop(maps, size)
