# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inference of the ANN and the heads, writing the state directly to given tensors."""

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.layout import state_layout
from hybrid_pose_ros.networks.blocks import fold_norms
from hybrid_pose_ros.networks.fused import can_fuse, fuse, multiplies_bfloat16
from hybrid_pose_ros.networks.hybrid import Hybrid


class StateInitializer:
    """Computes the state for a frame in place, for example in a slot of the shared-memory ring.

    Batch norms are folded, and maps are channels-last. The number of threads is torch's.
    """

    def __init__(self, checkpoint: Checkpoint, precision: str = 'float32', *,
                 heads: nn.Module | None = None):
        """Lay out the weights.

        Args:
            checkpoint: the weights.
            precision: precision of maps and products: float32, bfloat16, or auto (bfloat16 if the
                CPU has instructions for it). The state is always float32.
            heads: replacement for the checkpoint's heads, with the interface of
                `heads.StateHeads`.
        """
        if precision == 'auto':
            precision = 'bfloat16' if multiplies_bfloat16() else 'float32'
        self.precision = precision
        self._dtype = getattr(torch, precision)
        self._preset = checkpoint.preset
        hybrid = Hybrid.from_checkpoint(checkpoint)
        with torch.no_grad():
            self._ann = self._laid_out(hybrid.ann)
            self._heads = self._laid_out(
                hybrid.heads if heads is None else copy.deepcopy(heads).eval())

    def _laid_out(self, part: nn.Module) -> nn.Module:
        fold_norms(part)
        part.to(self._dtype)
        part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # no stub of it
        if self.precision == 'bfloat16' and can_fuse():
            fuse(part)
        return part

    @torch.inference_mode()
    def initialize_into(self, frame: np.ndarray, tensors: dict[str, np.ndarray]) -> None:
        """Write the state for a frame to the tensors.

        Args:
            frame: event counts (2 * bins, H, W), of any numeric type.
            tensors: tensors with the names and shapes of `state_layout`; float32, contiguous,
                writable.
        """
        height, width = frame.shape[-2:]
        _check(tensors, state_layout(self._preset, width, height))
        batch = torch.from_numpy(frame.astype(np.float32, copy=False))[None]
        batch = batch.contiguous(memory_format=torch.channels_last).to(self._dtype)
        heatmaps, features = self._ann(batch)
        maps = {f'membrane.{layer}': membranes for layer, membranes
                in self._heads(features, width, height).items()} | {'heatmap': heatmaps}
        for name, values in maps.items():
            torch.from_numpy(tensors[name]).copy_(values[0].permute(1, 2, 0))


def _check(tensors: dict[str, np.ndarray], layout: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in layout.items():
        tensor = tensors[name]
        if (tensor.shape, tensor.dtype) != (shape, np.float32):
            raise ValueError(f'state tensor {name} must be float32 {shape}, '
                             f'but is {tensor.dtype} {tensor.shape}')
        if not (tensor.flags.c_contiguous and tensor.flags.writeable):
            raise ValueError(f'state tensor {name} must be contiguous and writable')
