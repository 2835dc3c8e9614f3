# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Precision of convolutions in training: bf16 autocast with fp32 weights, or fp32."""

import torch

from hybrid_pose_ros.networks.fused import multiplies_bfloat16


def precision_on(device: torch.device, precision: str) -> str:
    """Return bf16 or fp32 for one of `training_params.PRECISIONS`.

    `auto` is bf16 on GPUs and on CPUs with bf16 instructions; on other CPUs bf16 is 10 times
    slower.
    """
    if precision != 'auto':
        return precision
    return 'bf16' if device.type == 'cuda' or multiplies_bfloat16() else 'fp32'


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the autocast context for a forward pass."""
    return torch.autocast(device.type, torch.bfloat16,
                          enabled=precision_on(device, precision) == 'bf16')
