# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Modeled energy by two counts: the paper's, and an honest one. Nothing here is measured.

The paper counts, for each spiking layer, its own output rate times its dense MACs as additions. It
omits the output layer, the neurons themselves and memory. It also treats the input and the output
of bilinear upsampling as spikes, although neither is binary.

The honest count follows what the engine does. Each spike costs one addition per weight that it
reaches; each cell with events costs the same number of MACs, since counts are not binary. Each
neuron costs one MAC per step for its leak. Each heatmap element costs two decays and a sum and, if
joints are fed back, a comparison in the search for the peak. The weights of joint feedback are
added. Each spike that may move joints costs one addition in x and one in y per joint. Memory is
counted separately.

Source: arXiv 2303.14176; 45 nm: Horowitz, ISSCC 2014; 7 nm: Jouppi et al., ISCA 2021 (FP32).
"""

import math
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.model.layout import LayerCost, heatmap_shape, layer_costs, neurons
from hybrid_pose_ros.model.presets import EVENTS, Preset, SpikingLayer

FLOAT_BYTES = 4
SRAM_PJ_PER_BYTE = 12.5
"""Energy per byte of a 1 MiB SRAM at 45 nm: 100 pJ per 64 bits (Horowitz, ISSCC 2014)."""


class Technology(NamedTuple):
    """Energy per float32 operation [pJ]."""

    mac: float
    addition: float


TECHNOLOGIES = {'45nm': Technology(4.6, 0.9), '7nm': Technology(1.69, 0.38)}


class Operations(NamedTuple):
    """Arithmetic of one pass, one step or one second."""

    macs: float = 0.0
    additions: float = 0.0

    def times(self, factor: float) -> 'Operations':
        """Return the operations multiplied by a factor."""
        return Operations(factor * self.macs, factor * self.additions)

    def plus(self, other: 'Operations') -> 'Operations':
        """Return the sum of both."""
        return Operations(self.macs + other.macs, self.additions + other.additions)

    def millijoules(self, technology: Technology) -> float:
        """Return the energy [mJ]; for the operations of one second, this is the power [mW]."""
        return (self.macs * technology.mac + self.additions * technology.addition) * 1e-9


class Reach(NamedTuple):
    """Operations per spike of each map: events, then the layers in order, each (1 + L,)."""

    macs: np.ndarray
    additions: np.ndarray


def dense_macs(preset: Preset, width: int, height: int, part: str) -> int:
    """Return the total MACs of the convolutions whose names start with `part`."""
    return sum(cost.macs for cost in layer_costs(preset, width, height)
               if cost.name.startswith(part))


def spike_rates(preset: Preset, width: int, height: int, spikes: np.ndarray) -> np.ndarray:
    """Return the spikes per neuron of each layer, (L,), given the spikes of a step, (1 + L,)."""
    sizes = [np.prod(cost.shape) for cost in _spiking_costs(preset, width, height)]
    return spikes[1:] / sizes


def paper_step(preset: Preset, width: int, height: int, rates: np.ndarray) -> Operations:
    """Return the operations of a step by the paper's count: output rates (L,) times MACs."""
    macs = [cost.macs for cost in _spiking_costs(preset, width, height)]
    return Operations(additions=float(np.dot(rates, macs)))


def honest_step(preset: Preset, width: int, height: int, spikes: np.ndarray,
                reach: Reach) -> Operations:
    """Return the operations of a step by the honest count.

    Args:
        preset: the network.
        width: width of the input [cells].
        height: height of the input [cells].
        spikes: mean number per step of cells with events, then of spikes of each layer, (1 + L,).
        reach: operations per spike; `folded` for the engine.
    """
    names = [EVENTS, *(layer.name for layer in preset.spiking)]
    residual = sum(spikes[names.index(layer.residual)] for layer in preset.spiking
                   if layer.residual)
    resets = spikes[1:].sum()
    elements = math.prod(heatmap_shape(preset, width, height))
    return Operations(
        macs=float(spikes @ reach.macs + neurons(preset, width, height) + 2 * elements),
        additions=float(spikes @ reach.additions + residual + resets + elements
                        + _following(preset, elements, spikes, names)))


def _following(preset: Preset, elements: int, spikes: np.ndarray, names: list[str]) -> float:
    """Return the maximum number of additions and comparisons for following joint peaks."""
    operations = 0.0
    if preset.feedback:
        channels = preset.layer(preset.feedback.layer).out_channels
        operations += preset.joints * preset.feedback.kernel ** 2 * channels
    if preset.flow:
        moving = sum(spikes[names.index(name)] for name in preset.flow.inputs)
        operations += 2 * preset.joints * moving
    if preset.feedback or preset.flow:
        operations += elements
    return operations


def folded(operations_per_spike: np.ndarray) -> Reach:
    """Return the operations per spike in the engine, given its `operations_per_spike` (1 + L,).

    In the engine, upsampling is folded into the weights, so that spikes stay binary.
    """
    is_events = np.arange(len(operations_per_spike)) == 0
    return Reach(np.where(is_events, operations_per_spike, 0),
                 np.where(is_events, 0, operations_per_spike))


def unfolded(preset: Preset) -> Reach:
    """Return the operations per spike if upsampling precedes the convolution.

    After bilinear upsampling a spike becomes 16 values, each multiplied with the whole kernel.
    Values of neighboring spikes that fall into the same cell are counted separately: at the
    paper's rates there are 3.7 times as many cells with a value as cells with a spike, here 4
    times.
    """
    names = [EVENTS, *(layer.name for layer in preset.spiking)]
    reach = Reach(np.zeros(len(names)), np.zeros(len(names)))
    output = SpikingLayer('output', preset.output.inputs, preset.output.in_channels,
                          preset.joints, preset.output.kernel)
    for layer in (*preset.spiking, output):
        bilinear = layer.upsampling == 'bilinear'
        weights = layer.kernel ** 2 * layer.out_channels / layer.stride ** 2
        for source in layer.inputs:
            kind = reach.macs if bilinear or source == EVENTS else reach.additions
            kind[names.index(source)] += 16 * weights if bilinear else weights
    return reach


def memory_bytes(preset: Preset, width: int, height: int, spikes: np.ndarray,
                 reach: Reach) -> float:
    """Return the memory traffic of a step [bytes]: membranes, weights, and their targets.

    It assumes that nothing stays in registers between spikes.
    """
    elements = math.prod(heatmap_shape(preset, width, height))
    swept = 2 * (neurons(preset, width, height) + 2 * elements)
    return float(FLOAT_BYTES * (swept + 3 * spikes @ (reach.macs + reach.additions)))


def _spiking_costs(preset: Preset, width: int, height: int) -> list[LayerCost]:
    names = {f'snn.{layer.name}' for layer in preset.spiking}
    return [cost for cost in layer_costs(preset, width, height) if cost.name in names]
