# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Energy, counted twice: as the paper counts it, and honestly. It is arithmetic, not measured.

The paper takes each spiking layer's own output rate times the layer's dense MACs as additions. It
leaves out the output layer, the neurons themselves and memory, and takes the input and what comes
out of a bilinear upsampling, neither of which is binary, for spikes.

The honest count takes what the engine does: for each spike the weights that it reaches, each an
addition; for each cell with events the same as MACs, since counts are numbers; a MAC a step for
each neuron's leak; for each element of a heatmap the two decays and the sum, and a comparison in
search of its peak, where joints are fed back; the weights of the joints that are fed back; and for
each spike that may move joints an addition in x and in y for all of them. Memory is apart.

Source: arXiv 2303.14176; 45 nm: Horowitz, ISSCC 2014; 7 nm: Jouppi et al., ISCA 2021 (FP32).
"""

import math
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.model.layout import LayerCost, heatmap_shape, layer_costs, neurons
from hybrid_pose_ros.model.presets import EVENTS, Preset, SpikingLayer

FLOAT_BYTES = 4
SRAM_PJ_PER_BYTE = 12.5
"""45 nm, 1 MiB of SRAM: 100 pJ for 64 bits (Horowitz, ISSCC 2014)."""


class Technology(NamedTuple):
    """What an operation in float32 costs [pJ]."""

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
        """Return the operations of both."""
        return Operations(self.macs + other.macs, self.additions + other.additions)

    def millijoules(self, technology: Technology) -> float:
        """Return their energy [mJ]; of one second's operations it is the power [mW]."""
        return (self.macs * technology.mac + self.additions * technology.addition) * 1e-9


class Reach(NamedTuple):
    """What one spike of each map sets off: events, then the layers in order, each (1 + L,)."""

    macs: np.ndarray
    additions: np.ndarray


def dense_macs(preset: Preset, width: int, height: int, part: str) -> int:
    """Return the MACs of all convolutions whose name begins with `part`."""
    return sum(cost.macs for cost in layer_costs(preset, width, height)
               if cost.name.startswith(part))


def spike_rates(preset: Preset, width: int, height: int, spikes: np.ndarray) -> np.ndarray:
    """Return spikes per neuron of each layer, (L,), from the spikes of a step, (1 + L,)."""
    sizes = [np.prod(cost.shape) for cost in _spiking_costs(preset, width, height)]
    return spikes[1:] / sizes


def paper_step(preset: Preset, width: int, height: int, rates: np.ndarray) -> Operations:
    """Return a step as the paper counts it: own output rates (L,) times MACs, as additions."""
    macs = [cost.macs for cost in _spiking_costs(preset, width, height)]
    return Operations(additions=float(np.dot(rates, macs)))


def honest_step(preset: Preset, width: int, height: int, spikes: np.ndarray,
                reach: Reach) -> Operations:
    """Return a step as it is really done.

    Args:
        preset: the network.
        width: of its input [cells].
        height: likewise.
        spikes: cells with events, then spikes of each layer, mean of a step, (1 + L,).
        reach: what a spike sets off, `folded` for the engine.
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
    """Return additions and comparisons that joints at their peaks cost, at most."""
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
    """Return what the engine does, from its `operations_per_spike` (1 + L,).

    Upsampling is folded into the weights there, so that spikes stay binary.
    """
    is_events = np.arange(len(operations_per_spike)) == 0
    return Reach(np.where(is_events, operations_per_spike, 0),
                 np.where(is_events, 0, operations_per_spike))


def unfolded(preset: Preset) -> Reach:
    """Return what a spike sets off where upsampling comes before the convolution.

    Behind bilinear upsampling a spike is 16 numbers, each of them multiplied with the whole
    kernel. Numbers of neighboring spikes that fall on one cell are counted as two: at the paper's
    rates there are 3.7 times as many cells with a number as cells with a spike, here 4 times.
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
    """Return the bytes that a step moves: each membrane, each weight and what it is added to.

    It supposes that nothing stays in registers from one spike to the next.
    """
    elements = math.prod(heatmap_shape(preset, width, height))
    swept = 2 * (neurons(preset, width, height) + 2 * elements)
    return float(FLOAT_BYTES * (swept + 3 * spikes @ (reach.macs + reach.additions)))


def _spiking_costs(preset: Preset, width: int, height: int) -> list[LayerCost]:
    names = {f'snn.{layer.name}' for layer in preset.spiking}
    return [cost for cost in layer_costs(preset, width, height) if cost.name in names]
