# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Descriptions of the networks `paper` and `edge`: layers, neurons, heads.

All code that builds, runs, counts or stores a network uses its description: `networks/` (torch),
`engine/` (CPU, no torch), `checkpoint.py` (weights). This module imports none of them.

Source: Aydin et al., "A Hybrid ANN-SNN Architecture for Low-Power and Low-Latency Visual
Perception" (arXiv 2303.14176) for `paper` and `paper_small`. The latter has a quarter of the
channels and pooled events, for tests and first trials. `edge` is our own network of the same kind.
"""

import math
from dataclasses import dataclass, replace

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.tasks.skeleton import JOINTS
from hybrid_pose_ros.tasks.table import TASKS

EVENTS = 'events'
"""Name of the SNN's input among the spike maps: 2 channels, the OFF and ON counts of a bin."""


@dataclass(frozen=True)
class SpikingLayer:
    """A convolution followed by leaky integrate-and-fire neurons."""

    name: str
    inputs: tuple[str, ...]  # concatenated in this order
    in_channels: int
    out_channels: int
    kernel: int
    stride: int = 1
    upsampling: str = 'none'  # 'bilinear': x2 before the convolution; 'transposed': 4x4, stride 2
    residual: str = ''  # spike map added to the convolution's output


@dataclass(frozen=True)
class OutputLayer:
    """The output convolution, whose neurons integrate without firing."""

    inputs: tuple[str, ...]
    in_channels: int
    kernel: int
    bias: bool
    neurons: bool = False  # True: normalized and scaled as a current, as in spiking layers


@dataclass(frozen=True)
class Feedback:
    """Feeds each joint back as a current into the neurons near the peak of its heatmap.

    The neurons thus know to which joint nearby events belong. The layer's map has the resolution
    of the heatmaps.
    """

    layer: str
    kernel: int


@dataclass(frozen=True)
class Flow:
    """Moves each joint by the weights of the spikes around its peak, in x and y [cells]."""

    inputs: tuple[str, ...]  # maps with the resolution of the heatmaps
    in_channels: int
    kernel: int


@dataclass(frozen=True)
class AnnSettings:
    """A U-Net: a stem of two convolutions, levels down, levels up with skips, and heatmaps."""

    bins: int  # time bins of the stacked histogram; the input has 2 * bins channels
    window_events: int  # events in the stacked histogram (constant count)
    count_limit: int  # counts are clipped to this value, 0 = not clipped
    stem: tuple[int, int, int]  # channels, kernel, stride of the first convolution
    down: tuple[tuple[int, int], ...]  # (channels, kernel) of each level
    up: tuple[int, ...]  # channels of each level, kernel 3
    batch_norm: bool  # False: convolutions with bias and no normalization, as in the paper

    @property
    def in_channels(self) -> int:
        """Channels of the stacked histogram: bins of OFF counts, then bins of ON counts."""
        return 2 * self.bins


@dataclass(frozen=True)
class StateHead:
    """Two 1x1 convolutions from a feature map of the ANN to a layer's membrane potentials."""

    feature: str  # 's1' (stem), 's2'... (levels down), 'a1'... (levels up)
    layer: str  # name of the spiking layer
    in_channels: int
    out_channels: int


@dataclass(frozen=True)
class Preset:
    """A hybrid network. Time constants are in time units: leak = exp(-dt / tau)."""

    name: str
    max_width: int  # the sensor is pooled until it is at most this wide [cells]
    max_height: int  # and this high; both 0: the crop below is used, not pooled
    crop: tuple[int, int]  # (width, height) of the crop, (0, 0) = the whole sensor
    step_us: int  # length of a time bin that the weights are intended for
    spiking: tuple[SpikingLayer, ...]
    output: OutputLayer
    ann: AnnSettings
    heads: tuple[StateHead, ...]
    batch_norm: bool  # after the convolutions of the SNN and the heads
    current_input: bool  # True: input times (1 - leak), as in the paper; False: a charge
    learned_tau: bool  # True: one membrane time constant per channel, and the two of the output
    logits: bool  # True: the output is the logits of a spatial softmax; False: a heatmap, peak 1
    tau_us: float  # membrane; if time constants are learned, their initial values
    tau_output_us: float  # decay of the integrated SNN output
    tau_held_us: float  # decay of the ANN heatmap below it
    feedback: Feedback | None = None
    flow: Flow | None = None
    threshold: float = 1.0
    task: str = 'pose'  # one of TASKS
    joints: int = len(JOINTS)  # output maps: one per joint, or per class of the task

    def layer(self, name: str) -> SpikingLayer:
        """Return the spiking layer with this name."""
        return next(layer for layer in self.spiking if layer.name == name)


def spike_depths(preset: Preset) -> dict[str, int]:
    """Return how often each spike map is halved relative to the input [cells]."""
    depths = {EVENTS: 0}
    for layer in preset.spiking:
        halvings = {1: 0, 2: 1}[layer.stride] - (layer.upsampling != 'none')
        depths[layer.name] = depths[layer.inputs[0]] + halvings
    return depths


def feature_depths(preset: Preset) -> dict[str, int]:
    """Return how often each feature map of the ANN is halved relative to the input [cells]."""
    stem = {1: 0, 2: 1}[preset.ann.stem[2]]
    depths = {f's{level + 1}': stem + level for level in range(len(preset.ann.down) + 1)}
    deepest = stem + len(preset.ann.down)
    depths |= {f'a{level}': deepest - level for level in range(1, len(preset.ann.up) + 1)}
    return depths | {'output': deepest - len(preset.ann.up)}


def heatmap_depth(preset: Preset) -> int:
    """Return how often the heatmaps are halved relative to the input [cells]."""
    return spike_depths(preset)[preset.output.inputs[0]]


def decay_us(factor: float, step_us: int) -> float:
    """Return the time constant [us] of a decay by `factor` per step of `step_us`."""
    return -step_us / math.log(factor)


def _paper(name: str, base: int, *, crop: tuple[int, int] = (0, 0), max_width: int = 0,
           max_height: int = 0) -> Preset:
    """Return the published network with `base` channels, instead of 32, in its first layers."""
    b1, b2, b4, b8, b16 = (base * factor for factor in (1, 2, 4, 8, 16))
    step_us = 10_000
    output_decay_us = decay_us(0.8, step_us)
    return Preset(
        name=name, max_width=max_width, max_height=max_height, crop=crop, step_us=step_us,
        spiking=(
            SpikingLayer('enc0', (EVENTS,), 2, b1, 5),
            SpikingLayer('down1', ('enc0',), b1, b2, 5, stride=2),
            SpikingLayer('down2', ('down1',), b2, b4, 5, stride=2),
            SpikingLayer('down3', ('down2',), b4, b8, 5, stride=2),
            SpikingLayer('res1', ('down3',), b8, b8, 3),
            SpikingLayer('res2', ('res1',), b8, b8, 3, residual='down3'),
            SpikingLayer('up1', ('res2', 'down3'), b16, b4, 5, upsampling='bilinear'),
            SpikingLayer('up2', ('up1', 'down2'), b8, b2, 5, upsampling='bilinear'),
            SpikingLayer('up3', ('up2', 'down1'), b4, b1, 5, upsampling='bilinear'),
        ),
        output=OutputLayer(('up3', 'enc0'), b2, 1, bias=False),
        ann=AnnSettings(
            bins=10, window_events=7500, count_limit=0, stem=(b1, 7, 1),
            down=((b2, 5), (b4, 3), (b8, 3), (b16, 3), (b16, 3)),
            up=(b16, b8, b4, b2, b1), batch_norm=False),
        heads=(
            StateHead('s1', 'enc0', b1, b1), StateHead('s2', 'down1', b2, b2),
            StateHead('s3', 'down2', b4, b4), StateHead('s4', 'down3', b8, b8),
            StateHead('a1', 'res1', b16, b8), StateHead('a2', 'res2', b8, b8),
            StateHead('a3', 'up1', b4, b4), StateHead('a4', 'up2', b2, b2),
            StateHead('a5', 'up3', b1, b1),
        ),
        batch_norm=True, current_input=True, learned_tau=False, logits=False,
        tau_us=decay_us(1 - 1 / 3, step_us),
        tau_output_us=output_decay_us, tau_held_us=output_decay_us)


def _edge() -> Preset:
    return Preset(
        name='edge', max_width=200, max_height=150, crop=(0, 0), step_us=1_000,
        spiking=(
            SpikingLayer('enc0', (EVENTS,), 2, 16, 5, stride=2),
            SpikingLayer('down1', ('enc0',), 16, 32, 3, stride=2),
            SpikingLayer('down2', ('down1',), 32, 64, 3, stride=2),
            SpikingLayer('res1', ('down2',), 64, 64, 3),
            SpikingLayer('res2', ('res1',), 64, 64, 3, residual='down2'),
            SpikingLayer('up1', ('res2', 'down2'), 128, 32, 4, upsampling='transposed'),
            SpikingLayer('up2', ('up1', 'down1'), 64, 16, 4, upsampling='transposed'),
        ),
        output=OutputLayer(('up2', 'enc0'), 32, 5, bias=True),
        ann=AnnSettings(
            bins=10, window_events=7500, count_limit=5, stem=(24, 5, 2),
            down=((40, 3), (80, 3), (128, 3)), up=(80, 40, 24), batch_norm=True),
        heads=(
            StateHead('s1', 'enc0', 24, 16), StateHead('s2', 'down1', 40, 32),
            StateHead('s3', 'down2', 80, 64), StateHead('s4', 'res1', 128, 64),
            StateHead('a1', 'res2', 80, 64), StateHead('a2', 'up1', 40, 32),
            StateHead('a3', 'up2', 24, 16),
        ),
        batch_norm=False, current_input=False, learned_tau=True, logits=True,
        tau_us=45_000.0, tau_output_us=40_000.0, tau_held_us=1_000_000.0,
        feedback=Feedback('enc0', 5), flow=Flow(('up2', 'enc0'), 32, 7))


def for_task(chosen: Preset, task: str) -> Preset:
    """Return the network for another task, with other output maps and no joint feedback.

    Raises:
        InputError: there is no such task.
    """
    if task not in TASKS:
        raise InputError(f'unknown task {task!r}: choose from {", ".join(TASKS)}')
    if task == chosen.task:
        return chosen
    return replace(chosen, task=task, joints=len(TASKS[task].maps), feedback=None, flow=None)


PRESETS = {preset.name: preset for preset in (
    _paper('paper', 32, crop=(256, 256)),
    _paper('paper_small', 8, max_width=96, max_height=72), _edge())}


def alone(preset: Preset) -> Preset:
    """Return a preset like `paper`, with the SNN as published for running without an ANN."""
    halving_us = decay_us(1 / 2, preset.step_us)
    return replace(preset, name=f'{preset.name}_alone', tau_us=halving_us,
                   tau_output_us=halving_us, output=replace(preset.output, neurons=True))


def preset(name: str) -> Preset:
    """Return the preset with this name.

    Raises:
        InputError: there is no such preset.
    """
    if name not in PRESETS:
        raise InputError(f'unknown preset {name!r}: choose from {", ".join(PRESETS)}')
    return PRESETS[name]
