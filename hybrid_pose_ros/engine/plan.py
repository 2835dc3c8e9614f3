# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint laid out for the kernels: flat arrays with folded norms and time constants.

A spike at row y of a map reaches a block of rows and columns of the next map, always with the same
weights: the flipped kernel of its channel. With stride 2 there are two blocks per axis, for even
and odd rows (phases). A transposed convolution has one block, whose first row is 2 y - padding.
Bilinear upsampling followed by a convolution yields one block of k + 3 rows, except at the border
of the map, see `kernels.py`.
"""

import math
from typing import NamedTuple, Protocol, get_type_hints

import numpy as np

from hybrid_pose_ros.lanes import LANES
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.layout import heatmap_shape, spike_maps
from hybrid_pose_ros.model.presets import EVENTS, SpikingLayer

NORM_EPS = 1e-5
BILINEAR = (0.25, 0.75, 0.75, 0.25)
"""Weights of a cell in rows 2 y - 1 .. 2 y + 2 of the map at twice the size."""


class Layer(Protocol):
    """A record of LAYER, as compiled code sees it."""

    height: int
    width: int
    channels: int  # number of its channels, padded to whole vectors
    membranes: int  # offset of its membranes, (H, W, C)
    neurons: int  # offset of its leak, drive and gain, (C,)
    first_projection: int  # index of the first projection to it
    last_projection: int  # exclusive
    residual: int  # index of the spike map that is added to its charge; -1: none


class Projection(Protocol):
    """A record of PROJECTION, as compiled code sees it."""

    source: int  # index of the spike map: 0 = events, then the layers in order
    height: int  # of the spike map
    width: int
    channels: int
    phases: int  # blocks per axis: 2 for stride 2, else 1
    expansion: int  # first row of a block = (expansion * y + origin) >> (phases - 1)
    origin: int
    weights: int  # offset of the blocks, (phases, phases, channels, pitch, pitch, C)
    pitch: int  # rows and columns of a block in memory
    border_kernel: int  # for bilinear upsampling, size of the kernel after it; otherwise 0
    border_weights: int  # offset of its blocks, (channels, kernel, kernel, C)
    fine_height: int  # of the upsampled map, which is cropped to the layer's size
    fine_width: int
    rows: np.ndarray  # rows and columns used by the block of each phase, (2,)


LAYER = np.dtype([(name, np.int64) for name in get_type_hints(Layer)])
PROJECTION = np.dtype([(name, np.int64, 2 if name == 'rows' else ())
                       for name in get_type_hints(Projection)])


class Plan(NamedTuple):
    """Input of the kernels. The output layer is the last one; its membranes are its sums."""

    layers: np.ndarray  # LAYER
    projections: np.ndarray  # PROJECTION
    weights: np.ndarray  # float32, weights of all projections
    leak: np.ndarray  # float32, factor per step of each channel of each layer
    drive: np.ndarray  # float32, charge per step of each channel: the bias as a current
    gain: np.ndarray  # float32, charge of a spike that is added to a convolution's output
    spikes: np.ndarray  # int64, offset of each map's spikes in the list of all spikes
    threshold: np.float32
    held_leak: np.float32  # factor per step of the ANN's heatmap
    fed: int  # index of the layer that receives the joint feedback; -1: none
    feedback: np.ndarray  # float32, charge around a joint's peak, (J, k, k, C)
    feedback_kernel: int
    flow_maps: np.ndarray  # int64, maps whose spikes move joints
    flow_weights: np.ndarray  # float32, (maps, J, channels, k, k, 2)
    memory: int  # total number of membranes of all layers
    capacity: int  # number of events and neurons: maximum number of spikes in a step


class StateArrays(NamedTuple):
    """Arrays of a state. Membranes and heatmaps have already leaked for the next step."""

    membranes: np.ndarray  # float32, of all layers and the output, see `Layer`
    held: np.ndarray  # float32, the ANN's heatmap, (H, W, C) with padded channels
    heatmap: np.ndarray  # float32, the sum after the last step, (H, W, C) with padded channels
    spikes: np.ndarray  # int64, of the last step: events, then the maps in order
    ends: np.ndarray  # int64, end of the spikes of each map
    peaks: np.ndarray  # int64, row and column of each joint's peak after the last step, (J, 2)
    offset: np.ndarray  # float32, from there to the joint, x and y [cells], (J, 2)


def plan(checkpoint: Checkpoint, width: int, height: int, step_us: int) -> Plan:
    """Lay out the SNN of a checkpoint for one input size [cells] and one step length."""
    return _Planner(checkpoint, width, height, step_us).plan()


def padded(channels: int) -> int:
    """Return the number of channels rounded up to whole vectors."""
    return -(-channels // LANES) * LANES


def aligned(size: int) -> np.ndarray:
    """Return `size` zeros, float32, aligned for vectors."""
    memory = np.zeros(size + LANES, np.float32)
    first = -memory.ctypes.data % (4 * LANES) // 4
    return memory[first:first + size]


class _Planner:
    """Collects the parts of a plan, layer by layer."""

    def __init__(self, checkpoint: Checkpoint, width: int, height: int, step_us: int):
        self._preset, self._tensors = checkpoint.preset, checkpoint.tensors
        self._step_us = step_us
        self._maps = {EVENTS: (2, height, width)} | spike_maps(self._preset, width, height)
        self._names = list(self._maps)
        self._heatmap = heatmap_shape(self._preset, width, height)
        self._layers: list[tuple[int, ...]] = []
        self._projections: list[tuple[int | tuple[int, int], ...]] = []
        self._weights: list[np.ndarray] = []
        self._leak: list[np.ndarray] = []
        self._drive: list[np.ndarray] = []
        self._gain: list[np.ndarray] = []

    def plan(self) -> Plan:
        preset, output = self._preset, self._preset.output
        for layer in preset.spiking:
            self._add_layer(layer, self._maps[layer.name], preset.tau_us, preset.current_input)
        output_layer = SpikingLayer('output', output.inputs, output.in_channels, preset.joints,
                                    output.kernel)
        self._add_layer(output_layer, self._heatmap, preset.tau_output_us, current_input=False)
        fed, feedback = self._feedback()
        flow_maps, flow_weights = self._flow()
        sizes = [math.prod(shape) for shape in self._maps.values()]
        weights = aligned(sum(block.size for block in self._weights))
        np.concatenate(self._weights, out=weights)
        return Plan(
            layers=np.array(self._layers, LAYER),
            projections=np.array(self._projections, PROJECTION),
            weights=weights, leak=_joined(self._leak), drive=_joined(self._drive),
            gain=_joined(self._gain), spikes=np.cumsum([0, *sizes[:-1]]),
            threshold=np.float32(preset.threshold),
            held_leak=np.float32(self._factor('snn.output.log_tau_held_us',
                                              preset.tau_held_us)),
            fed=fed, feedback=feedback,
            feedback_kernel=preset.feedback.kernel if preset.feedback else 0,
            flow_maps=flow_maps, flow_weights=flow_weights,
            memory=self._memory(), capacity=sum(sizes))

    def _feedback(self) -> tuple[int, np.ndarray]:
        """Return the layer that receives joint feedback, and the weights scaled by its leak."""
        if self._preset.feedback is None:
            return -1, aligned(0)
        layer = self._names.index(self._preset.feedback.layer) - 1
        current = 1 - self._leak[layer][:self._maps[self._preset.feedback.layer][0]]
        weight = np.float64(self._tensors['snn.feedback.weight'])
        return layer, _joined([_padded(_turned(weight * current[:, None, None, None])).ravel()])

    def _flow(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the maps whose spikes move joints, and the weights (maps, J, C, k, k, 2)."""
        flow = self._preset.flow
        if flow is None:
            return np.zeros(0, np.int64), np.zeros((0, 0, 0, 0, 0, 2), np.float32)
        weight = self._tensors['snn.flow.weight']
        weight = weight.reshape(2, self._preset.joints, *weight.shape[1:])
        channels = [self._maps[name][0] for name in flow.inputs]
        parts = np.split(weight, np.cumsum(channels)[:-1], axis=2)
        most = max(channels)
        parts = [np.pad(part, [(0, most - part.shape[2]) if axis == 2 else (0, 0)
                               for axis in range(5)]) for part in parts]
        return (np.array([self._names.index(name) for name in flow.inputs]),
                np.ascontiguousarray(np.moveaxis(np.stack(parts), 1, -1), np.float32))

    def _add_layer(self, layer: SpikingLayer, shape: tuple[int, int, int], tau_us: float,
                   current_input: bool) -> None:
        name, (channels, height, width) = f'snn.{layer.name}', shape
        leak = np.broadcast_to(self._factor(f'{name}.log_tau_us', tau_us), channels)
        gain = 1 - leak if current_input else np.ones(channels)
        scale, bias = self._normalization(name, channels)
        weight = np.float64(self._tensors[f'{name}.weight'])
        if layer.upsampling == 'transposed':
            weight = weight.swapaxes(0, 1)  # torch uses (in, out) here
        weight = weight * (gain * scale)[:, None, None, None]
        first_projection, first_channel = len(self._projections), 0
        for source in layer.inputs:
            end = first_channel + self._maps[source][0]
            self._add_projection(source, layer, weight[:, first_channel:end], height, width)
            first_channel = end
        self._layers.append((
            height, width, padded(channels), self._memory(), sum(map(len, self._leak)),
            first_projection, len(self._projections),
            self._names.index(layer.residual) if layer.residual else -1))
        for values, parts in ((leak, self._leak), ((1 - leak) * bias, self._drive),
                              (gain, self._gain)):
            parts.append(np.pad(values, (0, padded(channels) - channels)))

    def _add_projection(self, source: str, layer: SpikingLayer, weight: np.ndarray,
                        fine_height: int, fine_width: int) -> None:
        channels, height, width = self._maps[source]
        kernel, expansion, phases, border_kernel, border_weights = layer.kernel, 1, 1, 0, 0
        if layer.upsampling == 'transposed':
            blocks, rows, expansion, origin = _as_blocks(weight)[None], (kernel, 0), 2, -1
        elif layer.upsampling == 'bilinear':
            border_kernel, border_weights = kernel, self._add_weights(_turned(weight))
            folded = _upsampled(_upsampled(_turned(weight), 1), 2)
            blocks, rows, expansion = folded[None], (folded.shape[1], 0), 2
            origin = -1 - kernel // 2
        else:
            blocks, rows = _phase_blocks(weight, layer.stride)
            phases, origin = layer.stride, kernel // 2 - kernel + layer.stride
        self._projections.append((
            self._names.index(source), height, width, channels, phases, expansion, origin,
            self._add_weights(blocks), blocks.shape[3], border_kernel,
            border_weights, fine_height, fine_width, rows))

    def _add_weights(self, blocks: np.ndarray) -> int:
        """Add weights whose last axis is the output channel; return their offset."""
        start = sum(part.size for part in self._weights)
        self._weights.append(_padded(blocks).astype(np.float32).ravel())
        return start

    def _memory(self) -> int:
        return sum(height * width * channels for height, width, channels, *_ in self._layers)

    def _factor(self, name: str, tau_us: float) -> np.ndarray:
        """Return exp(-dt / tau), with tau from the weights if it is learned."""
        if name in self._tensors:
            tau_us = np.exp(np.float64(self._tensors[name]))
        return np.asarray(np.exp(-self._step_us / np.float64(tau_us)))

    def _normalization(self, name: str, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (scale, bias) equivalent to the norm after a convolution, each (C,)."""
        if f'{name}.norm.weight' in self._tensors:
            weight, bias, mean, variance = (
                np.float64(self._tensors[f'{name}.norm.{part}'])
                for part in ('weight', 'bias', 'running_mean', 'running_var'))
            scale = weight / np.sqrt(variance + NORM_EPS)
            return scale, bias - mean * scale
        bias = self._tensors.get(f'{name}.bias', np.zeros(channels, np.float32))
        return np.ones(channels), np.float64(bias)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    joined = aligned(sum(map(len, parts)))
    joined[:] = np.concatenate(parts)
    return joined


def _padded(blocks: np.ndarray) -> np.ndarray:
    """Return the blocks with the last axis padded to whole vectors."""
    missing = padded(blocks.shape[-1]) - blocks.shape[-1]
    return np.pad(blocks, [(0, 0)] * (blocks.ndim - 1) + [(0, missing)])


def _as_blocks(weight: np.ndarray) -> np.ndarray:
    """Return weights (O, I, k, k) as (I, k, k, O)."""
    return np.transpose(weight, (1, 2, 3, 0))


def _turned(weight: np.ndarray) -> np.ndarray:
    """Return weights (O, I, k, k) as (I, k, k, O), flipped for scattering: last row first."""
    return _as_blocks(weight[:, :, ::-1, ::-1])


def _phase_blocks(weight: np.ndarray, stride: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Return blocks (phases, phases, I, rows, rows, O) of a convolution, and the rows used.

    An input in row y contributes to output row o with kernel row y + padding - stride * o. It thus
    uses the kernel rows with the same remainder as y + padding, last one first.
    """
    outputs, inputs, kernel, _ = weight.shape
    turned = [range((kernel - 1) - (kernel - 1 - phase - kernel // 2) % stride, -1, -stride)
              for phase in range(stride)]
    rows = tuple(map(len, turned))
    blocks = np.zeros((stride, stride, inputs, max(rows), max(rows), outputs))
    for phase_y, kernel_rows in enumerate(turned):
        for phase_x, kernel_columns in enumerate(turned):
            taken = weight[:, :, list(kernel_rows)][:, :, :, list(kernel_columns)]
            blocks[phase_y, phase_x, :, :rows[phase_y], :rows[phase_x]] = _as_blocks(taken)
    return blocks, (rows[0], rows[1] if stride > 1 else 0)


def _upsampled(blocks: np.ndarray, axis: int) -> np.ndarray:
    """Return the weights for a coarse input that is upsampled along an axis before the blocks."""
    rows = blocks.shape[axis]
    shape = list(blocks.shape)
    shape[axis] = rows + len(BILINEAR) - 1
    folded = np.zeros(shape)
    for first, share in enumerate(BILINEAR):
        taken = [slice(None)] * blocks.ndim
        taken[axis] = slice(first, first + rows)
        folded[tuple(taken)] += share * blocks
    return folded
