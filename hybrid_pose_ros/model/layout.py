# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convolutions of a preset, and the shapes of its maps for an input size.

Each stride of 2 halves a map, rounding up, so a map at `depth` has ceil(n / 2**depth) rows;
upsampled maps are cropped to this size. Width and height refer to the network's input [cells], see
`representation/geometry.py`.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hybrid_pose_ros.model.presets import Preset, feature_depths, heatmap_depth, spike_depths

REGION = 'region'
"""Name of the tensor with the sensor region to which a state applies."""


class Convolution(NamedTuple):
    """One convolution and its tensors, all named `name`.something."""

    name: str  # 'snn.enc0', 'snn.output', 'ann.s1.conv1', 'ann.output', 'heads.enc0.conv1' ...
    in_channels: int
    out_channels: int
    kernel: int
    depth: int  # number of halvings from the input to its output map
    bias: bool
    norm: bool = False  # followed by batch normalization
    transposed: bool = False
    log_taus: tuple[tuple[str, tuple[int, ...]], ...] = ()  # names and shapes
    at_joints: bool = False  # evaluated once per joint, at its position

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """Shape of the weights in torch."""
        channels = ((self.in_channels, self.out_channels) if self.transposed
                    else (self.out_channels, self.in_channels))
        return (*channels, self.kernel, self.kernel)


def map_size(depth: int, width: int, height: int) -> tuple[int, int]:
    """Return the size (H, W) of a map after `depth` halvings."""
    return -(-height // 2 ** depth), -(-width // 2 ** depth)


def convolutions(preset: Preset) -> list[Convolution]:
    """Return the convolutions of a preset: ANN, heads, SNN, in order of execution."""
    return [*_ann(preset), *_heads(preset), *_snn(preset)]


def _ann(preset: Preset) -> Iterator[Convolution]:
    ann, depths = preset.ann, feature_depths(preset)
    bias, norm = not ann.batch_norm, ann.batch_norm

    def block(feature: str, in_channels: int, joined_channels: int, out_channels: int,
              kernel: int) -> Iterator[Convolution]:
        yield Convolution(f'ann.{feature}.conv1', in_channels, out_channels, kernel,
                          depths[feature], bias, norm)
        yield Convolution(f'ann.{feature}.conv2', joined_channels, out_channels, kernel,
                          depths[feature], bias, norm)

    channels, kernel, _ = ann.stem
    skips = [channels]
    yield from block('s1', ann.in_channels, channels, channels, kernel)
    for level, (out_channels, kernel) in enumerate(ann.down, start=2):
        yield from block(f's{level}', channels, out_channels, out_channels, kernel)
        channels = out_channels
        skips.append(channels)
    skips.pop()
    for level, out_channels in enumerate(ann.up, start=1):
        yield from block(f'a{level}', channels, out_channels + skips.pop(), out_channels, 3)
        channels = out_channels
    yield Convolution('ann.output', channels, preset.joints, 3, depths['output'], bias=True)


def _heads(preset: Preset) -> Iterator[Convolution]:
    depths = spike_depths(preset)
    for head in preset.heads:
        depth, name = depths[head.layer], f'heads.{head.layer}'
        yield Convolution(f'{name}.conv1', head.in_channels, head.out_channels, 1, depth,
                          bias=True, norm=True)
        yield Convolution(f'{name}.conv2', head.out_channels, head.out_channels, 1, depth,
                          bias=True, norm=preset.batch_norm)


def _snn(preset: Preset) -> Iterator[Convolution]:
    depths = spike_depths(preset)
    for layer in preset.spiking:
        yield Convolution(f'snn.{layer.name}', layer.in_channels, layer.out_channels,
                          layer.kernel, depths[layer.name], bias=not preset.batch_norm,
                          norm=preset.batch_norm,
                          log_taus=(('log_tau_us', (layer.out_channels,)),)
                          if preset.learned_tau else (),
                          transposed=layer.upsampling == 'transposed')
    yield Convolution('snn.output', preset.output.in_channels, preset.joints,
                      preset.output.kernel, heatmap_depth(preset),
                      bias=preset.output.bias, norm=preset.output.neurons,
                      log_taus=(('log_tau_us', ()), ('log_tau_held_us', ()))
                      if preset.learned_tau else ())
    if preset.feedback:
        layer = preset.layer(preset.feedback.layer)
        yield Convolution('snn.feedback', preset.joints, layer.out_channels,
                          preset.feedback.kernel, depths[layer.name], bias=False, at_joints=True)
    if preset.flow:
        yield Convolution('snn.flow', preset.flow.in_channels, 2 * preset.joints,
                          preset.flow.kernel, heatmap_depth(preset), bias=False, at_joints=True)


def spike_maps(preset: Preset, width: int, height: int) -> dict[str, tuple[int, int, int]]:
    """Return the output shape (C, H, W) of each spiking layer, in order of execution."""
    depths = spike_depths(preset)
    return {layer.name: (layer.out_channels, *map_size(depths[layer.name], width, height))
            for layer in preset.spiking}


def heatmap_shape(preset: Preset, width: int, height: int) -> tuple[int, int, int]:
    """Return the shape (J, H, W) of the heatmaps."""
    return (preset.joints, *map_size(heatmap_depth(preset), width, height))


def state_layout(preset: Preset, width: int, height: int) -> dict[str, tuple[int, int, int]]:
    """Return the tensors of a state: names and shapes (H, W, C), channels last.

    All are float32: 'membrane.<layer>' in order of execution, then 'heatmap'.
    """
    maps = {f'membrane.{name}': shape
            for name, shape in spike_maps(preset, width, height).items()}
    maps['heatmap'] = heatmap_shape(preset, width, height)
    return {name: (rows, columns, channels) for name, (channels, rows, columns) in maps.items()}


def message_layout(state: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return the tensors of a message: those of a state, and the sensor region.

    The region is x, y, width and height [px]: integers, stored as float32.
    """
    return {**state, REGION: (4,)}


def neurons(preset: Preset, width: int, height: int) -> int:
    """Return the number of spiking neurons."""
    return sum(math.prod(shape) for shape in spike_maps(preset, width, height).values())


class LayerCost(NamedTuple):
    """Cost of one convolution, executed densely."""

    name: str
    shape: tuple[int, int, int]  # (C, H, W) of its output
    parameters: int  # including normalization and time constants
    macs: int  # multiply-accumulate operations per pass or time bin


def layer_costs(preset: Preset, width: int, height: int) -> list[LayerCost]:
    """Return the cost of every convolution, in the order of `convolutions`."""
    costs = []
    for conv in convolutions(preset):
        taus = sum(math.prod(shape) for _, shape in conv.log_taus)
        per_channel = conv.bias + 2 * conv.norm
        weights = math.prod(conv.weight_shape)
        rows, columns = map_size(conv.depth, width, height)
        # A transposed convolution multiplies each input, not each output, by all taps.
        steps = 1 if conv.at_joints else math.prod(
            map_size(conv.depth + conv.transposed, width, height))
        costs.append(LayerCost(conv.name, (conv.out_channels, rows, columns),
                               weights + per_channel * conv.out_channels + taus,
                               weights * steps))
    return costs
