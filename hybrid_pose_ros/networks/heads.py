# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""State initialization: mapping from the ANN's feature maps to the SNN's membrane potentials."""

from torch import Tensor, nn

from hybrid_pose_ros.model.layout import convolutions, map_size
from hybrid_pose_ros.model.presets import Preset, feature_depths, spike_depths
from hybrid_pose_ros.networks.blocks import ConvNorm, upsample


class Head(nn.Module):
    """Two 1x1 convolutions with LeakyReLU between them."""

    def __init__(self, conv1: ConvNorm, conv2: ConvNorm):
        super().__init__()
        self.conv1, self.conv2 = conv1, conv2

    def forward(self, feature: Tensor) -> Tensor:
        """Return the membrane potentials, (B, C, H, W)."""
        return self.conv2(self.conv1(feature))


class StateHeads(nn.Module):
    """One head per spiking layer, named after the layer."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.heads = preset.heads
        self._feature_depths = feature_depths(preset)
        self._depths = spike_depths(preset)
        convs = {conv.name: conv for conv in convolutions(preset)}
        for head in preset.heads:
            name = f'heads.{head.layer}'
            self.add_module(head.layer, Head(ConvNorm(convs[f'{name}.conv1'], activated=True),
                                             ConvNorm(convs[f'{name}.conv2'])))

    def inputs(self, features: dict[str, Tensor], width: int,
               height: int) -> dict[str, Tensor]:
        """Return the feature map for each layer, upsampled if the layer is twice as large."""
        maps = {}
        for head in self.heads:
            depth = self._depths[head.layer]
            feature = features[head.feature]
            if self._feature_depths[head.feature] > depth:
                feature = upsample(feature, map_size(depth, width, height))
            maps[head.layer] = feature
        return maps

    def forward(self, features: dict[str, Tensor], width: int, height: int) -> dict[str, Tensor]:
        """Return each layer's membrane potentials (B, C, H, W) for an input of width x height."""
        maps = self.inputs(features, width, height)
        return {layer: self.get_submodule(layer)(feature) for layer, feature in maps.items()}
