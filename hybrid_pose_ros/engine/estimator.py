# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event-driven inference of a hybrid's SNN on the CPU, one step at a time."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hybrid_pose_ros.engine import kernels
from hybrid_pose_ros.engine.plan import Plan, StateArrays, aligned, plan
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.layout import state_layout


class EngineState:
    """State of one network. Callers can keep several states and pass any of them to the engine."""

    def __init__(self, plan: Plan, layout: Mapping[str, tuple[int, int, int]]):
        """Allocate a resting state: membranes and heatmap are 0."""
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
        """Heatmaps after the last step, (H, W, J) float32; a view that the next step changes."""
        return self.maps[:, :, :self._layout['heatmap'][2]]

    @property
    def maps(self) -> np.ndarray:
        """The heatmaps including padding channels, (H, W, C) float32, contiguous."""
        height, width, _ = self._layout['heatmap']
        return self.arrays.heatmap.reshape(height, width, -1)

    @property
    def offset(self) -> np.ndarray:
        """Offset of each joint from its position in the heatmap, x and y [cells], (J, 2)."""
        return self.arrays.offset

    @property
    def spike_counts(self) -> np.ndarray:
        """Cells with events, then spikes of each layer, in the last step, (1 + L,) int64."""
        counts: np.ndarray = self.arrays.ends - self._plan.spikes
        return counts

    def copy_from(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Initialize the membranes and heatmap from the tensors of `layout.state_layout`."""
        for name, shape in self._layout.items():
            if tensors[name].shape != shape:
                raise ValueError(f'state tensor {name} must have shape {shape}, '
                                 f'not {tensors[name].shape}')
        names = [name for name in self._layout if name != 'heatmap']
        for name, layer, membranes in zip(names, self._plan.layers, self._membranes):
            membranes[:, :, :tensors[name].shape[2]] = tensors[name]
            kernels.rescale(layer, self._plan.leak, self._plan.drive, self.arrays.membranes)
        self._membranes[-1][...] = self._plan.drive[self._plan.layers[-1]['neurons']:]
        self.heatmap[...] = tensors['heatmap']
        np.multiply(self.arrays.heatmap, self._plan.held_leak, out=self.arrays.held)
        self.offset[...] = 0
        kernels.find_peaks(self._plan.layers[-1], self.arrays.heatmap, self.arrays.peaks)

    def leak_for(self, plan: Plan) -> None:
        """Rescale the pending leak to the step length of another plan of the same network."""
        if plan is self._plan:
            return
        old, self._plan = self._plan, plan
        scale = np.divide(plan.leak, old.leak, out=np.zeros_like(plan.leak), where=old.leak > 0)
        for layer in plan.layers:
            kernels.rescale(layer, scale, plan.drive - scale * old.drive, self.arrays.membranes)
        held = self.arrays.held
        held *= plan.held_leak / old.held_leak

    def spike_map(self, index: int) -> np.ndarray:
        """Return the spikes of a map in the last step as rows of (y, x, channel, value), (N, 4).

        Args:
            index: 0 for the events, whose values are counts; then the layers in order.
        """
        packed = self.arrays.spikes[self._plan.spikes[index]:self.arrays.ends[index]]
        return np.stack([packed >> 40, packed >> 24 & 0xffff, packed >> 8 & 0xffff,
                         packed & 0xff], axis=1)

    def _view(self, layer: np.void) -> np.ndarray:
        shape = layer['height'], layer['width'], layer['channels']
        return self.arrays.membranes[layer['membranes']:][:np.prod(shape)].reshape(shape)


class SpikingEngine:
    """Runs the SNN of a checkpoint for one input size; stateless."""

    def __init__(self, checkpoint: Checkpoint, width: int, height: int, step_us: int, *,
                 longest: int = 1, threads: int = 1):
        """Lay out the weights for inputs of width x height cells and time bins of step_us.

        Args:
            checkpoint: the network.
            width, height: input size.
            step_us: length of a time bin.
            longest: maximum number of time bins per step.
            threads: number of threads; each computes a band of rows of every layer. Results are
                bit-identical for any number.
        """
        self.preset = checkpoint.preset
        self.width, self.height, self.step_us = width, height, step_us
        self._plans = _plans(checkpoint, width, height, step_us, longest)
        self.plan = self._plans[1]
        self.layout = state_layout(checkpoint.preset, width, height)
        self._threads = threads
        self._others = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def initialize(self, tensors: Mapping[str, np.ndarray] | None = None) -> EngineState:
        """Return a new state, at rest or initialized with the ANN's tensors."""
        state = EngineState(self.plan, self.layout)
        if tensors is not None:
            state.copy_from(tensors)
        return state

    @property
    def lengths(self) -> tuple[int, ...]:
        """Supported numbers of time bins per step, in ascending order."""
        return tuple(self._plans)

    def step(self, counts: np.ndarray, state: EngineState, *, bins: int = 1) -> np.ndarray:
        """Advance a state by one time bin, or by several in one step.

        Args:
            counts: events of all bins, (2, H, W) uint8, OFF then ON, C-contiguous.
            state: modified in place.
            bins: one of `lengths`.

        Returns:
            Heatmaps (H, W, J) float32 at the end of the bins, a view of the state.
        """
        if counts.shape != (2, self.height, self.width):
            raise ValueError(f'counts must have shape {(2, self.height, self.width)}, '
                             f'not {counts.shape}')
        plan = self._plans[bins]
        state.leak_for(plan)
        self._advance(counts, plan, state.arrays)
        return state.heatmap

    @property
    def operations_per_spike(self) -> np.ndarray:
        """Return the number of weights added per spike of each map, except at borders, (1 + L,).

        The product with `EngineState.spike_counts` is the number of synaptic operations of a step.
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
        """Compile the kernels, or load them from numba's cache, ahead of the first step."""
        counts = np.zeros((2, self.height, self.width), np.uint8)
        state = self.initialize()
        for bins in self._plans:
            self.step(counts, state, bins=bins)

    def _advance(self, counts: np.ndarray, plan: Plan, state: StateArrays) -> None:
        if self._others is None:
            kernels.advance(counts, plan, state)
            return
        kernels.begin(counts, plan, state)
        for index in range(len(plan.layers)):
            bands = [(index, band, self._threads, plan, state) for band in range(self._threads)]
            others = [self._others.submit(kernels.advance_band, *band) for band in bands[1:]]
            fired = [kernels.advance_band(*bands[0]), *(other.result() for other in others)]
            kernels.join_bands(index, np.array(fired), plan, state)
        kernels.finish(plan, state)


def _plans(checkpoint: Checkpoint, width: int, height: int, step_us: int, longest: int
           ) -> dict[int, Plan]:
    """Return the plans of steps, keyed by their number of time bins, from 1 to the longest.

    If the charge of a spike depends on the step length, each plan needs its own weights. Only 1
    bin and the maximum are then available.
    """
    own = checkpoint.preset.current_input
    first = plan(checkpoint, width, height, step_us)
    others = {bins: plan(checkpoint, width, height, bins * step_us)
              for bins in ({longest} - {1} if own else range(2, longest + 1))}
    return {1: first} | {bins: other if own else other._replace(weights=first.weights)
                         for bins, other in others.items()}
