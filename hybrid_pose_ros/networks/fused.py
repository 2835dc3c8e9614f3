# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convolutions for bfloat16 inference, with weights laid out once and LeakyReLU fused.

The two operators are those that torch's compiler inserts. They are not part of torch's public
interface; with a torch that lacks them, the convolutions run unfused and 12 % slower.
"""

from typing import Any

import torch
from torch import Tensor, nn

from hybrid_pose_ros.networks.blocks import LEAKY_SLOPE, ConvNorm


def multiplies_bfloat16() -> bool:
    """Return whether the CPU has instructions for bfloat16 products with float32 accumulation."""
    features = torch.cpu.get_capabilities()
    return any(features.get(name, False) for name in ('avx512_bf16', 'amx_bf16'))


def can_fuse() -> bool:
    """Return whether this torch and this CPU support FusedConv."""
    return (multiplies_bfloat16() and hasattr(torch._C._nn, 'mkldnn_reorder_conv2d_weight')
            and hasattr(torch.ops.mkldnn, '_convolution_pointwise'))


class FusedConv(nn.Module):
    """A convolution with folded batch norm, run by oneDNN."""

    def __init__(self, conv: ConvNorm):
        super().__init__()
        self._padding, self._stride = [conv.padding] * 2, [conv.stride] * 2
        self._bias = conv.bias
        reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight  # the type stub lacks an argument
        self._weight = reorder(
            conv.weight.to_mkldnn(), self._padding, self._stride, [1, 1], 1, None)
        self._activation = ('leaky_relu', [LEAKY_SLOPE]) if conv.activated else ('none', [])

    def forward(self, maps: Tensor) -> Tensor:
        """Return the result of the convolution."""
        name, arguments = self._activation
        return torch.ops.mkldnn._convolution_pointwise(
            maps, self._weight, self._bias, self._padding, self._stride, [1, 1], 1, name,
            arguments, None)


def fuse(module: nn.Module) -> None:
    """Replace every convolution in a module by a FusedConv; for inference only."""
    for name, child in module.named_children():
        if isinstance(child, ConvNorm):
            setattr(module, name, FusedConv(child))
        else:
            fuse(child)
