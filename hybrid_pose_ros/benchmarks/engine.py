# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times a step of the event-driven engine and of the same dense network in PyTorch.

All get the same weights, state and events, and their outputs must agree before anything is timed.
Weights are random, scaled layer by layer to the requested firing rate. PyTorch runs eagerly in
both memory formats, compiled, and with SpikingJelly's neurons; the fastest variant without
SpikingJelly is the reference. Times are wall times: on a busy machine the longer dense steps
suffer more, so the ratios favor the engine.
"""

import dataclasses
import importlib.util
import itertools
import math
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybrid_pose_ros.benchmarks.layer_crossover import crossovers
from hybrid_pose_ros.benchmarks.simulated_person import simulated_person
from hybrid_pose_ros.engine.estimator import EngineState, SpikingEngine
from hybrid_pose_ros.model import presets
from hybrid_pose_ros.model.checkpoint import Checkpoint, shipped, untrained
from hybrid_pose_ros.representation.geometry import DHP19_SENSOR, input_geometry
from hybrid_pose_ros.representation.step_counter import Gap, StepCounter
from hybrid_pose_ros.tracking.offline import RecordingAnn

if TYPE_CHECKING:
    import torch

STEPS = {'edge': 300, 'paper': 20}
"""Number of steps timed at each spike rate."""

DENSE_STEPS = {'edge': 30, 'paper': 3}
DENSE_LIMIT_MS = 1000
"""Time after which no new dense step is started, since two threads starve on a busy core."""

BINS = 10
"""Number of different time bins of events, used cyclically by the steps."""

TURNS = 150
"""Iterations of scaling the weights toward a spike rate."""

WARM_UP_STEPS = 2

PERSON_S = 3.0
ANN_PERIOD_US = 33_000
"""Interval between ANN states on the simulated person, with the shipped weights."""

JELLY = 'spikingjelly'

TOLERANCE = 1e-4
"""Tolerance relative to the mean heatmap: another order of summation changes a few spikes."""


class PersonSteps(NamedTuple):
    """N steps of the engine on a simulated person."""

    durations_ms: np.ndarray  # (N,)
    spikes: np.ndarray  # cells with events, then spikes of each layer, (N, 1 + L)
    operations: np.ndarray  # synaptic operations, (N,)


def engine_benchmark(preset_names: Sequence[str] = ('edge', 'paper'),
                     rates: Sequence[float] = (0.0, 0.005, 0.01, 0.02, 0.05), *,
                     output: str | None = None) -> dict[str, Any]:
    """Measure the engine and PyTorch on the input of a DAVIS346, on one core and with all threads.

    Args:
        preset_names: networks to measure.
        rates: spike rates per neuron and step; `paper` uses only 2 %.
        output: folder for a plot of step time over synaptic operations.

    Returns:
        By preset: the speed-up of the engine at each spike rate, and the figures behind it: times
        [ms], spikes, synaptic operations, and what bounds the engine. Also the fraction of active
        inputs above which each layer would be faster as a dense convolution.

    Raises:
        RuntimeError: the engine's output differs from PyTorch's.
    """
    results = {}
    for name in preset_names:
        few = [rate for rate in rates if name != 'paper' or rate == 0.02]
        results[name] = _benchmark(presets.preset(name), few, output)
    return results


def _benchmark(preset: presets.Preset, rates: Sequence[float],
               output: str | None) -> dict[str, Any]:
    geometry = input_geometry(preset, *DHP19_SENSOR)
    rng = np.random.default_rng(0)
    sparse: list[dict[str, float]] = []
    of_rivals_ms: dict[str, float] = {}
    for rate in rates:
        bins = _event_bins(rng, rate, geometry.width, geometry.height)
        checkpoint = _with_spike_rate(untrained(preset), rate, bins, preset.step_us)
        engine = SpikingEngine(checkpoint, geometry.width, geometry.height, preset.step_us)
        rivals = _rivals(checkpoint, preset.step_us, all_of_them=rate == max(rates))
        difference = max(_difference(engine, network, bins) for network in rivals.values())
        sparse.append(_time_engine(engine, bins, STEPS[preset.name])
                      | {'heatmap_difference': difference})
        if rate == max(rates):
            of_rivals_ms = _time_dense(rivals, bins, DENSE_STEPS[preset.name])
    jelly = {name: ms for name, ms in of_rivals_ms.items() if JELLY in name}
    dense = {name: ms for name, ms in of_rivals_ms.items() if JELLY not in name}
    layers = crossovers(preset, geometry.width, geometry.height)
    steps = _steps_of_a_person(preset)
    cost = _cost(sparse)
    result = {
        'times_faster_than_dense': _times_faster(sparse, dense),
        'times_faster_than_spikingjelly': _times_faster(sparse, jelly),
        'on_a_simulated_person': _on_a_person(engine, steps, min(dense.values())) if steps else {},
        'crossover_spike_rate': {name: layer.spike_rate for name, layer in layers.items()},
        'cost': cost, 'engine': sparse, 'dense_pytorch_ms': dense,
        'spikingjelly_ms': jelly,
        'layers': {name: layer._asdict() for name, layer in layers.items()},
        'width': geometry.width, 'height': geometry.height, 'step_us': preset.step_us,
    }
    if output is not None and cost:
        result['plot'] = str(_plot(preset.name, sparse, cost, steps, Path(output)))
    return result


def _steps_of_a_person(preset: presets.Preset) -> PersonSteps | None:
    """Run steps with the shipped weights and an ANN state every ANN_PERIOD_US.

    Returns:
        None if no trained weights are shipped.
    """
    weights = shipped(preset.name)
    if not weights.card.get('trained'):
        return None
    person = simulated_person(PERSON_S)
    geometry = input_geometry(preset, person.width, person.height)
    engine = SpikingEngine(weights, geometry.width, geometry.height, preset.step_us)
    ann, state = RecordingAnn(weights, person), engine.initialize()
    durations_ms, counted, next_us = [], [], 0
    for step in StepCounter(geometry, preset.step_us).update(person.events):
        if isinstance(step, Gap):
            continue
        if step.end_us >= next_us and (seen := ann.state_at(step.end_us)) is not None:
            state.copy_from(seen.tensors)
            next_us = step.end_us + ANN_PERIOD_US
        elif next_us:
            counts = step.counts(geometry)
            durations_ms.append(_duration_ms(lambda: engine.step(counts, state)))
            counted.append(state.spike_counts)
    spikes = np.array(counted)
    return PersonSteps(np.array(durations_ms), spikes, spikes @ engine.operations_per_spike)


def _on_a_person(engine: SpikingEngine, steps: PersonSteps, dense_ms: float) -> dict[str, Any]:
    neurons = sum(math.prod(shape) for shape in list(engine.layout.values())[:-1])
    return {'times_faster_than_dense': dense_ms / float(np.median(steps.durations_ms)),
            'steps': len(steps.durations_ms),
            'spike_rate': float(steps.spikes[:, 1:].sum() / len(steps.spikes) / neurons),
            **_spread('step_ms', steps.durations_ms),
            'greatest_spike_rate': _greatest_rates(engine, steps.spikes)}


def _greatest_rates(engine: SpikingEngine, spikes: np.ndarray) -> dict[str, float]:
    """Return, by layer, the maximum fraction of its input neurons that fired in a step."""
    sizes = np.array([2 * engine.width * engine.height,
                      *map(math.prod, list(engine.layout.values())[:-1])])
    names = [layer.name for layer in engine.preset.spiking] + ['output']
    rates = {}
    for name, layer in zip(names, engine.plan.layers, strict=True):
        sources = engine.plan.projections['source'][layer['first_projection']:
                                                    layer['last_projection']]
        rates[name] = float(spikes[:, sources].sum(axis=1).max() / sizes[sources].sum())
    return rates


def _spread(name: str, durations_ms: Sequence[float] | np.ndarray) -> dict[str, float]:
    median, p95, p99 = np.percentile(durations_ms, (50, 95, 99))
    return {name: float(median), f'{name}_p95': float(p95), f'{name}_p99': float(p99)}


def _times_faster(sparse: Sequence[dict[str, float]], dense: dict[str, float]) -> dict[str, float]:
    """Return, by spike rate, the speed-up of the engine over the fastest rival."""
    if not dense:
        return {}
    best = min(dense.values())
    return {f'{row["spike_rate"]:.4f}': best / row['step_ms'] for row in sparse}


def _event_bins(rng: np.random.Generator, rate: float, width: int, height: int
                ) -> list[np.ndarray]:
    return [rng.poisson(rate / 2, (2, height, width)).clip(0, 255).astype(np.uint8)
            for _ in range(BINS)]


def _with_spike_rate(checkpoint: Checkpoint, rate: float, bins: Sequence[np.ndarray],
                     step_us: int) -> Checkpoint:
    """Return weights with which about a fraction `rate` of each layer's neurons fire per step."""
    _, height, width = bins[0].shape
    engine = SpikingEngine(checkpoint, width, height, step_us)
    neurons = np.array([math.prod(shape) for shape in engine.layout.values()][:-1])
    plan, state, factors = engine.plan, engine.initialize(), np.ones(len(neurons))
    starts = [plan.projections[layer['first_projection']]['weights'] for layer in plan.layers]
    steps = max(2, round(0.1 * checkpoint.preset.tau_us / step_us))
    events = itertools.cycle(bins)
    for _ in range(TURNS if rate else 0):
        spikes = _run(engine, state, events, steps)
        factor = (rate / np.maximum(spikes[1:] / neurons, rate / 10)) ** 0.05
        for index, value in enumerate(factor):
            plan.weights[starts[index]:starts[index + 1]] *= np.float32(value)
        factors *= factor
    tensors = dict(checkpoint.tensors)
    for layer, factor in zip(checkpoint.preset.spiking, factors, strict=True):
        name = f'snn.{layer.name}.weight'
        tensors[name] = tensors[name] * np.float32(factor)
    return dataclasses.replace(checkpoint, tensors=tensors)


def _run(engine: SpikingEngine, state: EngineState, bins: Iterable[np.ndarray],
         steps: int) -> np.ndarray:
    """Advance a state; return the mean spike counts per step."""
    spikes = np.zeros(len(engine.plan.spikes))
    for counts in itertools.islice(bins, steps):
        engine.step(counts, state)
        spikes += state.spike_counts
    return spikes / steps


def _time_engine(engine: SpikingEngine, bins: Sequence[np.ndarray],
                 steps: int) -> dict[str, float]:
    state, events = engine.initialize(), itertools.cycle(bins)
    _run(engine, state, events, steps)
    durations_ms, spikes = [], np.zeros(len(engine.plan.spikes))
    for counts in itertools.islice(events, steps):
        durations_ms.append(_duration_ms(lambda: engine.step(counts, state)))
        spikes += state.spike_counts / steps
    neurons = sum(math.prod(shape) for shape in list(engine.layout.values())[:-1])
    return {
        'spike_rate': float(spikes[1:].sum() / neurons),
        **_spread('step_ms', durations_ms),
        'cells_with_events': float(spikes[0]),
        'synaptic_operations': float(spikes @ engine.operations_per_spike),
    }


def _cost(sparse: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the line fitted to the measured points, time over synaptic operations."""
    if len(sparse) < 2:
        return {}
    operations = [row['synaptic_operations'] for row in sparse]
    slope_ms, silent_ms = np.polyfit(operations, [row['step_ms'] for row in sparse], 1)
    return {'silent_step_ms': float(silent_ms), 'ns_per_synaptic_operation': float(slope_ms * 1e6)}


def _plot(name: str, sparse: Sequence[dict[str, float]], cost: dict[str, float],
          steps: PersonSteps | None, folder: Path) -> Path:
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(7.5, 4.5), layout='constrained')
    measured = np.array([row['synaptic_operations'] for row in sparse])
    most = max(measured.max(), steps.operations.max()) if steps else measured.max()
    if steps:
        axes.plot(steps.operations / 1e6, steps.durations_ms, '.', color='tab:gray',
                  markersize=3, label='simulated person, every step')
    axes.plot(measured / 1e6, [row['step_ms'] for row in sparse], 'o', color='tab:red',
              label='random weights, median of steps')
    ends = np.array([0, most])
    axes.plot(ends / 1e6, cost['silent_step_ms'] + cost['ns_per_synaptic_operation'] * ends / 1e6,
              color='tab:red', linewidth=1,
              label=f'{cost["silent_step_ms"]:.2f} ms + {cost["ns_per_synaptic_operation"]:.3f} '
                    'ns a synaptic operation')
    slowest = max(row['step_ms'] for row in sparse)
    if steps:
        slowest = max(slowest, np.percentile(steps.durations_ms, 99.8))
    axes.set(xlabel='synaptic operations per step [millions]', ylabel='step time [ms]',
             title=f'One step of {name} on one core', xlim=(0, None), ylim=(0, 1.2 * slowest))
    axes.legend(loc='upper left')
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'engine_cost_{name}.png'
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return path


def _duration_ms(run: Callable[[], Any]) -> float:
    start_ns = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - start_ns) / 1e6


def _rivals(checkpoint: Checkpoint, step_us: int, *,
            all_of_them: bool) -> dict[str, '_DenseNetwork']:
    """Return the rivals by name; unless all_of_them, only those that are quick to set up."""
    rivals = {name: _DenseNetwork(checkpoint, step_us, name)
              for name in ('contiguous_format', 'channels_last')}
    if all_of_them:
        if shutil.which('c++') or shutil.which('g++'):
            rivals['compiled'] = _DenseNetwork(checkpoint, step_us, 'channels_last', compiled=True)
        if importlib.util.find_spec('spikingjelly'):
            rivals[JELLY] = _JellyNetwork(checkpoint, step_us, 'channels_last')
    return rivals


class _DenseNetwork:
    """The network in PyTorch, with its own state."""

    def __init__(self, checkpoint: Checkpoint, step_us: int, memory_format: str, *,
                 compiled: bool = False):
        import torch  # only this comparison needs it

        from hybrid_pose_ros.networks.hybrid import Hybrid
        self._torch, self._format = torch, getattr(torch, memory_format)
        self._network = Hybrid.from_checkpoint(checkpoint)
        self._network.to(memory_format=self._format)  # type: ignore[call-overload]  # no stub
        self._step_us = step_us
        if compiled:
            self._network.snn = torch.compile(  # type: ignore[assignment]  # a module, in truth
                self._network.snn)

    def initialize(self, tensors: dict[str, np.ndarray]) -> None:
        from hybrid_pose_ros.networks.hybrid import HybridState
        from hybrid_pose_ros.networks.neurons import LIFState
        maps = {name: self._on_torch(tensor.transpose(2, 0, 1))
                for name, tensor in tensors.items()}
        held = maps.pop('heatmap')
        self._state = HybridState.begin(tuple(map(LIFState, maps.values())), held)

    def step(self, counts: np.ndarray) -> np.ndarray:
        """Return heatmaps (H, W, J)."""
        with self._torch.inference_mode():
            heatmaps, self._state = self._network.step(self._on_torch(counts), self._state,
                                                       self._step_us)
        return heatmaps[0].permute(1, 2, 0).numpy()

    def _on_torch(self, maps: np.ndarray) -> 'torch.Tensor':
        return self._torch.from_numpy(np.ascontiguousarray(maps, np.float32))[None].to(
            memory_format=self._format)


class _JellyNetwork(_DenseNetwork):
    """The same convolutions, with SpikingJelly's neurons between them."""

    def initialize(self, tensors: dict[str, np.ndarray]) -> None:
        """Give each layer a new neuron with its membrane potentials."""
        super().initialize(tensors)
        preset = self._network.preset
        for layer, state in zip(preset.spiking, self._state.layers, strict=True):
            conv = self._network.snn.get_submodule(layer.name)
            conv.fire = _jelly_neuron(math.exp(-self._step_us / preset.tau_us), preset.threshold,
                                      state.membrane)


def _jelly_neuron(leak: float, threshold: float, membrane):
    """Return a SpikingJelly neuron equivalent to `neurons.lif_step`; it stores its own state.

    It supports only one leak for all channels, as untrained weights have.
    """
    from spikingjelly.activation_based.neuron import LIFNode
    node = LIFNode(tau=1 / (1 - leak), decay_input=False, v_threshold=threshold, v_reset=None)
    node.v = membrane.clone()

    def fire(charge, state, **_):
        return node(charge), state

    return fire


def _difference(engine: SpikingEngine, network: _DenseNetwork,
                bins: Sequence[np.ndarray]) -> float:
    """Return the difference between the heatmaps after some steps, relative to their mean."""
    rng = np.random.default_rng(1)
    tensors = {name: rng.normal(0, 0.5, shape).astype(np.float32)
               for name, shape in engine.layout.items()}
    state = engine.initialize(tensors)
    network.initialize(tensors)
    for counts in bins[:3]:
        expected, found = network.step(counts), engine.step(counts, state)
    difference = float(np.abs(found - expected).mean() / np.abs(expected).mean())
    if not difference < TOLERANCE:
        raise RuntimeError(f'the engine and PyTorch disagree: heatmaps differ by {difference} '
                           f'of their mean, expected less than {TOLERANCE}')
    return difference


def _time_dense(networks: dict[str, _DenseNetwork], bins: Sequence[np.ndarray],
                steps: int) -> dict[str, float]:
    """Return the median step time of each network, with one thread and with one per core."""
    import torch
    before = torch.get_num_threads()
    times = {}
    for threads in sorted({1, len(os.sched_getaffinity(0))}):
        torch.set_num_threads(threads)
        for name, network in networks.items():
            durations_ms: list[float] = []
            events = itertools.cycle(bins)
            for _ in range(WARM_UP_STEPS):  # recompiles for each number of threads
                network.step(next(events))
            while len(durations_ms) < steps and sum(durations_ms) < DENSE_LIMIT_MS:
                durations_ms.append(_duration_ms(lambda: network.step(next(events))))
            times[f'{name}, {threads} threads'] = float(np.median(durations_ms))
    torch.set_num_threads(before)
    return times
