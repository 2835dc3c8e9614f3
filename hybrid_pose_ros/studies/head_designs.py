# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mappings from ANN features to membrane potentials, as replacements for `heads.StateHeads`.

| design | membrane potentials of a layer |
| --- | --- |
| none | zero: a network without initialization |
| constant | one learned value per channel, independent of the input |
| single | one 1x1 convolution of the feature map |
| pointwise | two 1x1 convolutions with LeakyReLU: the shipped and published design |
| low_rank | as pointwise, with a quarter of the channels in between |
| spatial | a 3x3 convolution, then a 1x1 convolution |
| last_map | as pointwise, from the ANN's last feature map, average-pooled to the layer's size |
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybrid_pose_ros.model.layout import Convolution, map_size
from hybrid_pose_ros.model.presets import Preset, StateHead, feature_depths, spike_depths
from hybrid_pose_ros.networks.blocks import ConvNorm, upsample
from hybrid_pose_ros.training.run import OUTPUT_START

Layers = Callable[[int], tuple[tuple[int, int], ...]]
LAYERS: dict[str, Layers] = {
    'none': lambda outputs: (),
    'constant': lambda outputs: (),
    'single': lambda outputs: ((outputs, 1),),
    'pointwise': lambda outputs: ((outputs, 1), (outputs, 1)),
    'low_rank': lambda outputs: ((max(4, outputs // 4), 1), (outputs, 1)),
    'spatial': lambda outputs: ((outputs, 3), (outputs, 1)),
    'last_map': lambda outputs: ((outputs, 1), (outputs, 1))}
"""Channels and kernel size of each convolution of a head by design, given those of the layer."""
DESIGNS = tuple(LAYERS)


class DesignedHeads(nn.Module):
    """One head per spiking layer, all of one design; each is named after its layer."""

    def __init__(self, preset: Preset, design: str, seed: int = 0):
        """Draw small initial weights, determined by the seed."""
        super().__init__()
        self._channels = {layer.name: layer.out_channels for layer in preset.spiking}
        self._depths, self._heads = spike_depths(preset), _sources(preset, design)
        self._feature_depths, self._constant = feature_depths(preset), design == 'constant'
        generator = torch.Generator().manual_seed(seed)
        for head in self._heads:
            if self._constant:
                self.register_parameter(head.layer, nn.Parameter(torch.zeros(head.out_channels)))
            elif design != 'none':
                self.add_module(head.layer, self._convolutions(head, LAYERS[design], generator))

    def forward(self, features: dict[str, Tensor], width: int, height: int) -> dict[str, Tensor]:
        """Return each layer's membrane potentials (B, C, H, W) for an input of width x height."""
        batch, membranes = next(iter(features.values())), {}
        for head in self._heads:
            size = map_size(self._depths[head.layer], width, height)
            if isinstance(module := getattr(self, head.layer, None), nn.Module):
                membranes[head.layer] = module(self._resized(features[head.feature], head, size))
            else:
                values = batch.new_zeros(()) if module is None else module.to(batch.dtype)
                values = values.expand(self._channels[head.layer])[:, None, None]
                membranes[head.layer] = values.expand(len(batch), -1, *size)
        return membranes

    def macs(self, width: int, height: int) -> int:
        """Return the number of multiply-accumulate operations per pass."""
        return sum(conv.weight.numel() * math.prod(map_size(self._depths[layer], width, height))
                   for layer in self._channels
                   if isinstance(module := getattr(self, layer, None), nn.Sequential)
                   for conv in module if isinstance(conv, ConvNorm))

    def _convolutions(self, head: StateHead, layers: Layers,
                      generator: torch.Generator) -> nn.Sequential:
        convs, channels, shapes = [], head.in_channels, layers(head.out_channels)
        for index, (outputs, kernel) in enumerate(shapes):
            last = index == len(shapes) - 1
            conv = ConvNorm(Convolution(head.layer, channels, outputs, kernel,
                                        self._depths[head.layer], bias=True, norm=not last),
                            activated=not last)
            sigma = math.sqrt(2 / (channels * kernel ** 2)) * (OUTPUT_START if last else 1)
            with torch.no_grad():
                conv.weight.normal_(std=sigma, generator=generator)
            convs.append(conv)
            channels = outputs
        return nn.Sequential(*convs)

    def _resized(self, feature: Tensor, head: StateHead, size: tuple[int, int]) -> Tensor:
        """Return a feature map resized by factors of two to the size of the layer's map."""
        halvings = self._depths[head.layer] - self._feature_depths[head.feature]
        for _ in range(halvings):
            feature = F.avg_pool2d(feature, 2, ceil_mode=True)
        return upsample(feature, size) if halvings < 0 else feature


def _sources(preset: Preset, design: str) -> tuple[StateHead, ...]:
    """Return the input feature map of each head of a design."""
    if design != 'last_map':
        return preset.heads
    last = f'a{len(preset.ann.up)}'
    return tuple(StateHead(last, head.layer, preset.ann.up[-1], head.out_channels)
                 for head in preset.heads)
