# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks like `edge` that are narrower or have fewer levels; ANN and SNN are scaled together.

    levels  spiking layers                                        the ANN's maps
    1       enc0                 res1 res2                        s1 s2       a1
    2       enc0 down1           res1 res2       up1              s1 s2 s3    a1 a2
    3       enc0 down1 down2     res1 res2       up1 up2          s1 s2 s3 s4 a1 a2 a3    `edge`
"""

import dataclasses
import math

from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.presets import (
    EVENTS, Feedback, Flow, OutputLayer, Preset, SpikingLayer, StateHead, preset)
from hybrid_pose_ros.training.run import first_weights

SPIKING, ANN = (16, 32, 64), (24, 40, 80, 128)
"""Channels of `edge` at each level."""


def sized(width: float, levels: int) -> Preset:
    """Return the network with `width` times the channels of `edge` and 1 to 3 levels."""
    spiking, ann = ([max(4, round(width * channels)) for channels in of]
                    for of in (SPIKING[:levels], ANN[:levels + 1]))
    layers = _layers(spiking)
    edge, last = preset('edge'), layers[-1].name
    joined = ((last, 'enc0'), layers[-1].out_channels + spiking[0])
    return dataclasses.replace(
        edge, name=f'edge_w{width:g}_l{levels}', spiking=layers,
        output=OutputLayer(*joined, edge.output.kernel, bias=True),
        ann=dataclasses.replace(
            edge.ann, stem=(ann[0], *edge.ann.stem[1:]),
            down=tuple((channels, 3) for channels in ann[1:]), up=tuple(ann[-2::-1])),
        heads=_heads(layers, ann),
        feedback=edge.feedback and Feedback('enc0', edge.feedback.kernel),
        flow=edge.flow and Flow(*joined, edge.flow.kernel))


def _layers(channels: list[int]) -> tuple[SpikingLayer, ...]:
    names = ['enc0', *(f'down{level}' for level in range(1, len(channels)))]
    layers, before = [], (EVENTS, 2)
    for name, outputs in zip(names, channels, strict=True):
        kernel = 5 if name == 'enc0' else 3
        layers.append(SpikingLayer(name, before[:1], before[1], outputs, kernel, stride=2))
        before = name, outputs
    deepest, outputs = before
    layers += [SpikingLayer('res1', (deepest,), outputs, outputs, 3),
               SpikingLayer('res2', ('res1',), outputs, outputs, 3, residual=deepest)]
    below = 'res2'
    for level, outputs in enumerate(channels[-2::-1], start=1):
        skip, skipped = names[-level], channels[-level]
        layers.append(SpikingLayer(f'up{level}', (below, skip), layers[-1].out_channels + skipped,
                                   outputs, 4, upsampling='transposed'))
        below = f'up{level}'
    return tuple(layers)


def _heads(layers: tuple[SpikingLayer, ...], ann: list[int]) -> tuple[StateHead, ...]:
    """Return the heads that connect the ANN's feature maps to the layers, in order."""
    features = [(f's{level}', channels) for level, channels in enumerate(ann, start=1)]
    features += [(f'a{level}', channels) for level, channels in enumerate(ann[-2::-1], start=1)]
    return tuple(StateHead(feature, layer.name, channels, layer.out_channels)
                 for (feature, channels), layer in zip(features, layers, strict=True))


def first_weights_of(network: Preset, seed: int) -> Checkpoint:
    """Return random weights of a sized network, with a firing rate as in `edge`."""
    checkpoint = first_weights(network, seed)
    inputs = {layer.name: layer.in_channels for layer in preset('edge').spiking}
    for layer in network.spiking:
        checkpoint.tensors[f'snn.{layer.name}.weight'] *= math.sqrt(
            inputs[layer.name] / layer.in_channels)
    return checkpoint
