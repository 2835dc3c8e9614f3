# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ANN and the heads for running: the state goes straight into tensors that are handed in."""

import numpy as np
import torch
from torch import Tensor

from hybrid_pose_ros.checkpoint import Checkpoint
from hybrid_pose_ros.layout import state_layout
from hybrid_pose_ros.networks.blocks import ConvNorm, activate, fold_norms
from hybrid_pose_ros.networks.hybrid import Hybrid


class StateInitializer:
    """Compute a frame's state in place, as in the slot of a shared-memory ring.

    Batch norms are folded and maps are channels last. The number of threads is torch's.
    """

    def __init__(self, checkpoint: Checkpoint):
        hybrid = Hybrid.from_checkpoint(checkpoint)
        self._preset = checkpoint.preset
        with torch.no_grad():
            fold_norms(hybrid)
        self._ann = hybrid.ann.to(memory_format=torch.channels_last)
        self._heads = hybrid.heads.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def initialize_into(self, frame: np.ndarray, tensors: dict[str, np.ndarray]) -> None:
        """Write the state that the ANN sees in a frame into tensors.

        Args:
            frame: event counts (2 * bins, H, W), any number type.
            tensors: names and shapes of `state_layout`, float32, contiguous, writable.
        """
        height, width = frame.shape[-2:]
        _check(tensors, state_layout(self._preset, width, height))
        batch = torch.from_numpy(frame.astype(np.float32, copy=False))[None]
        heatmaps, features = self._ann(batch.contiguous(memory_format=torch.channels_last))
        for layer, maps in self._heads.inputs(features, width, height).items():
            head = self._heads.get_submodule(layer)
            hidden = activate(_multiply(_channels_last(maps).flatten(0, 1), head.conv1))
            out = torch.from_numpy(tensors[f'membrane.{layer}']).flatten(0, 1)
            _multiply(hidden, head.conv2, out=out)
        torch.from_numpy(tensors['heatmap']).copy_(_channels_last(heatmaps))


def _channels_last(maps: Tensor) -> Tensor:
    """Return (H, W, C) of (1, C, H, W)."""
    return maps[0].permute(1, 2, 0)


def _multiply(rows: Tensor, conv: ConvNorm, out: Tensor | None = None) -> Tensor:
    """Return a 1x1 convolution of maps that lie there as rows (H * W, C)."""
    return torch.addmm(conv.bias, rows, conv.weight[:, :, 0, 0].T, out=out)


def _check(tensors: dict[str, np.ndarray], layout: dict[str, tuple[int, ...]]) -> None:
    for name, shape in layout.items():
        tensor = tensors[name]
        if (tensor.shape, tensor.dtype) != (shape, np.float32):
            raise ValueError(f'state tensor {name} must be float32 {shape}, '
                             f'but is {tensor.dtype} {tensor.shape}')
        if not (tensor.flags.c_contiguous and tensor.flags.writeable):
            raise ValueError(f'state tensor {name} must be contiguous and writable')
