# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The SNN of a hybrid network, step by step on the CPU, doing work for spikes only."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.checkpoint import Checkpoint
from hybrid_pose_ros.engine import kernels
from hybrid_pose_ros.engine.plan import Plan, aligned, plan
from hybrid_pose_ros.layout import state_layout


class StateArrays(NamedTuple):
    """What the kernels write. Membranes and heatmaps have already leaked for the next step."""

    membranes: np.ndarray  # float32, of all layers and of the output, see `plan.LAYER`
    held: np.ndarray  # float32, the ANN's heatmap, (H, W, C) with padded channels
    heatmap: np.ndarray  # float32, the sum after the last step, (H, W, C) with padded channels
    spikes: np.ndarray  # int64, of the last step: events, then the maps in order
    ends: np.ndarray  # int64, where the spikes of each map end
    peaks: np.ndarray  # int64, row and column of each joint's peak after the last step, (J, 2)
    offset: np.ndarray  # float32, from there to the joint, x and y [cells], (J, 2)


class EngineState:
    """One network's membranes. Its owner may keep several and hand any of them to the engine."""

    def __init__(self, plan: Plan, layout: Mapping[str, tuple[int, int, int]]):
        """Allocate a state at rest: membranes and heatmap are 0."""
        self._plan = plan
        self._layout = layout
        output = plan.layers[-1]
        size = output['height'] * output['width'] * output['channels']
        self.arrays = StateArrays(
            membranes=aligned(plan.memory), held=aligned(size), heatmap=aligned(size),
            spikes=np.zeros(plan.capacity, np.int64), ends=plan.spikes.copy(),
            peaks=np.zeros((layout['heatmap'][2], 2), np.int64),
            offset=np.zeros((layout['heatmap'][2], 2), np.float32))
        self._membranes = [self._view(layer) for layer in plan.layers]
        self.copy_from({name: np.zeros(shape, np.float32) for name, shape in layout.items()})

    @property
    def heatmap(self) -> np.ndarray:
        """Heatmaps after the last step, (H, W, J) float32, a view that the next step changes."""
        return self.maps[:, :, :self._layout['heatmap'][2]]

    @property
    def maps(self) -> np.ndarray:
        """The same with the channels that pad it, (H, W, C) float32, contiguous."""
        height, width, _ = self._layout['heatmap']
        return self.arrays.heatmap.reshape(height, width, -1)

    @property
    def offset(self) -> np.ndarray:
        """From where a joint's heatmap says that it is to where it is, x and y [cells], (J, 2)."""
        return self.arrays.offset

    @property
    def spike_counts(self) -> np.ndarray:
        """Cells with events, then spikes of each layer, in the last step, (1 + L,) int64."""
        return self.arrays.ends - self._plan.spikes

    def copy_from(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Initialize membranes and heatmap with the tensors of `layout.state_layout`."""
        for name, shape in self._layout.items():
            if tensors[name].shape != shape:
                raise ValueError(f'state tensor {name} must have shape {shape}, '
                                 f'not {tensors[name].shape}')
        names = [name for name in self._layout if name != 'heatmap']
        for name, layer, membranes in zip(names, self._plan.layers, self._membranes):
            channels = tensors[name].shape[2]
            lanes = slice(layer['neurons'], layer['neurons'] + channels)
            np.multiply(tensors[name], self._plan.leak[lanes], out=membranes[:, :, :channels])
            membranes[:, :, :channels] += self._plan.drive[lanes]
        self._membranes[-1][...] = self._plan.drive[self._plan.layers[-1]['neurons']:]
        self.heatmap[...] = tensors['heatmap']
        np.multiply(self.arrays.heatmap, self._plan.held_leak, out=self.arrays.held)
        self.offset[...] = 0
        kernels.find_peaks(self._plan.layers[-1], self.arrays.heatmap, self.arrays.peaks)

    def take(self, other: 'EngineState') -> None:
        """Become what another state of the network is, whose steps may be of another length.

        The spikes of the last step are not taken along.
        """
        ours, theirs = self._plan, other._plan
        leak = np.divide(ours.leak, theirs.leak, out=np.zeros_like(ours.leak),
                         where=theirs.leak > 0)
        for layer, new, old in zip(ours.layers, self._membranes, other._membranes):
            lanes = slice(layer['neurons'], layer['neurons'] + new.shape[2])
            np.subtract(old, theirs.drive[lanes], out=new)
            new *= leak[lanes]
            new += ours.drive[lanes]
        np.multiply(other.arrays.held, ours.held_leak / theirs.held_leak, out=self.arrays.held)
        self.arrays.heatmap[...] = other.arrays.heatmap
        self.arrays.peaks[...] = other.arrays.peaks
        self.offset[...] = other.offset

    def spike_map(self, index: int) -> np.ndarray:
        """Return the last step's spikes of a map as rows of (y, x, channel, value), (N, 4).

        Args:
            index: 0 for the events, whose values are counts, then the layers in order.
        """
        packed = self.arrays.spikes[self._plan.spikes[index]:self.arrays.ends[index]]
        return np.stack([packed >> 40, packed >> 24 & 0xffff, packed >> 8 & 0xffff,
                         packed & 0xff], axis=1)

    def _view(self, layer: np.void) -> np.ndarray:
        shape = layer['height'], layer['width'], layer['channels']
        return self.arrays.membranes[layer['membranes']:][:np.prod(shape)].reshape(shape)


class SpikingEngine:
    """Runs the SNN of a checkpoint for one input size and one length of step. Holds no state."""

    def __init__(self, checkpoint: Checkpoint, width: int, height: int, step_us: int, *,
                 threads: int = 1):
        """Lay out the weights for an input of width x height cells and steps of step_us.

        With more threads than one, each takes a band of the rows of every layer. The answer is
        the same to the last bit.
        """
        self.preset = checkpoint.preset
        self.width, self.height, self.step_us = width, height, step_us
        self.plan = plan(checkpoint, width, height, step_us)
        self.layout = state_layout(checkpoint.preset, width, height)
        self._threads = threads
        self._others = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def initialize(self, tensors: Mapping[str, np.ndarray] | None = None) -> EngineState:
        """Return a new state, at rest or as the ANN's tensors say."""
        state = EngineState(self.plan, self.layout)
        if tensors is not None:
            state.copy_from(tensors)
        return state

    def step(self, counts: np.ndarray, state: EngineState) -> np.ndarray:
        """Advance a state by one time bin.

        Args:
            counts: events of the bin, (2, H, W) uint8, OFF then ON, C-contiguous.
            state: is changed.

        Returns:
            Heatmaps (H, W, J) float32 at the end of the bin, a view of the state.
        """
        if counts.shape != (2, self.height, self.width):
            raise ValueError(f'counts must have shape {(2, self.height, self.width)}, '
                             f'not {counts.shape}')
        self._advance(counts, state.arrays)
        return state.heatmap

    def advance_silent(self, state: EngineState, steps: int) -> None:
        """Advance a state by time bins without events."""
        counts = np.zeros((2, self.height, self.width), np.uint8)
        for _ in range(steps):
            self._advance(counts, state.arrays)

    @property
    def operations_per_spike(self) -> np.ndarray:
        """Weights that are added for one spike of each map, off its border, (1 + L,) float.

        Times `EngineState.spike_counts` they are the synaptic operations of a step.
        """
        operations = np.zeros(len(self.plan.spikes))
        channels = [shape[2] for shape in self.layout.values()]
        for layer, outputs in zip(self.plan.layers, channels, strict=True):
            for projection in self.plan.projections[layer['first_projection']:
                                                    layer['last_projection']]:
                rows = projection['rows'][:projection['phases']].mean()
                operations[projection['source']] += rows ** 2 * outputs
        return operations

    def warm_up(self) -> None:
        """Compile the kernels, or load them from numba's cache, before the first real step."""
        self.advance_silent(self.initialize(), 1)

    def _advance(self, counts: np.ndarray, state: StateArrays) -> None:
        if self._others is None:
            kernels.advance(counts, self.plan, state)
            return
        kernels.begin(counts, self.plan, state)
        for index in range(len(self.plan.layers)):
            bands = [(index, band, self._threads, self.plan, state)
                     for band in range(self._threads)]
            others = [self._others.submit(kernels.advance_band, *band) for band in bands[1:]]
            fired = [kernels.advance_band(*bands[0]), *(other.result() for other in others)]
            kernels.join_bands(index, np.array(fired), self.plan, state)
        kernels.finish(self.plan, state)
