# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The slow, accurate ANN: a U-Net from event counts to heatmaps and feature maps.

    frame - s1 ------------------------------- a3 - heatmaps
             s2 --------------------- a2
              s3 ----------- a1            each level: halve or double the size, two convolutions
               s4 (deepest)
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybrid_pose_ros.model.layout import convolutions, map_size
from hybrid_pose_ros.model.presets import Preset, feature_depths
from hybrid_pose_ros.networks.blocks import ConvNorm, upsample


class ConvBlock(nn.Module):
    """Two convolutions, each with LeakyReLU; a skip connection is concatenated between them."""

    def __init__(self, conv1: ConvNorm, conv2: ConvNorm):
        super().__init__()
        self.conv1, self.conv2 = conv1, conv2

    def forward(self, maps: Tensor, skip: Tensor | None = None) -> Tensor:
        """Return the output maps, (B, O, H, W)."""
        maps = self.conv1(maps)
        if skip is not None:
            maps = torch.cat([maps, skip], dim=1)
        return self.conv2(maps)


class PoseANN(nn.Module):
    """The U-Net of a preset; feature maps are named s1 (stem), s2 ... (down), a1 ... (up)."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.settings = preset.ann
        self._depths = feature_depths(preset)
        convs = {conv.name: conv for conv in convolutions(preset)}
        for feature in self._depths:
            if feature != 'output':
                stride = preset.ann.stem[2] if feature == 's1' else 1
                self.add_module(feature, ConvBlock(
                    ConvNorm(convs[f'ann.{feature}.conv1'], stride, activated=True),
                    ConvNorm(convs[f'ann.{feature}.conv2'], activated=True)))
        self.output = ConvNorm(convs['ann.output'])

    def forward(self, frame: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the heatmaps (B, J, h, w) and feature maps for a frame (B, 2 * bins, H, W)."""
        height, width = frame.shape[-2:]
        if self.settings.count_limit:
            frame = frame.clamp(max=self.settings.count_limit)
        features = {'s1': self.get_submodule('s1')(frame)}
        maps, skips = features['s1'], []
        for level in range(2, len(self.settings.down) + 2):
            skips.append(maps)
            maps = F.avg_pool2d(maps, 2, ceil_mode=True)
            maps = features[f's{level}'] = self.get_submodule(f's{level}')(maps)
        for level in range(1, len(self.settings.up) + 1):
            name = f'a{level}'
            maps = upsample(maps, map_size(self._depths[name], width, height))
            maps = features[name] = self.get_submodule(name)(maps, skips.pop())
        return self.output(maps), features
