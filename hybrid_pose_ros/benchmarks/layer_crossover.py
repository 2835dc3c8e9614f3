# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures, by layer, the spike rate above which dense convolution beats scattering spikes.

Random spikes, uniform over the input maps of a layer, are scattered by the engine's kernel and
convolved by PyTorch, in its faster memory format, on one core. The neuron update, which both need,
is excluded.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.engine import kernels
from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.layout import spike_maps
from hybrid_pose_ros.model.presets import EVENTS, Preset, SpikingLayer

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.5, 1.0)
"""Fractions of neurons that fire, measured up to the first at which scattering is slower."""

REPETITIONS = 7
LIMIT_S = 1.0
"""Time limit for repeating a measurement, of which the fastest counts."""


class Crossover(NamedTuple):
    """Cost of one layer with both methods."""

    spike_rate: float | None  # at which both cost the same; None: scattering is always faster
    dense_ms: float
    scatter_ms: dict[float, float]  # by spike rate

    @classmethod
    def of(cls, dense_ms: float, scatter: Callable[[float], float]) -> 'Crossover':
        """Measure `scatter` [ms] at increasing rates until it is slower than dense_ms."""
        scatter_ms = {}
        for rate in RATES:
            scatter_ms[rate] = scatter(rate)
            if scatter_ms[rate] >= dense_ms:
                rates, times_ms = [0.0, *scatter_ms], [0.0, *scatter_ms.values()]
                between = float(np.interp(dense_ms, times_ms[-2:], rates[-2:]))
                return cls(between, dense_ms, scatter_ms)
        return cls(None, dense_ms, scatter_ms)


def crossovers(preset: Preset, width: int, height: int) -> dict[str, Crossover]:
    """Return the cost of each layer of a network for an input of width x height cells."""
    rng = np.random.default_rng(0)
    checkpoint = untrained(preset)
    engine = SpikingEngine(checkpoint, width, height, preset.step_us)
    maps = {EVENTS: (2, height, width)} | spike_maps(preset, width, height)
    output = preset.output
    layers = (*preset.spiking, SpikingLayer('output', output.inputs, output.in_channels,
                                            preset.joints, output.kernel))
    found = {}
    for index, layer in enumerate(layers):
        shapes = [maps[name] for name in layer.inputs]
        dense_ms = _dense_ms(layer, checkpoint.tensors[f'snn.{layer.name}.weight'], shapes, rng)
        found[layer.name] = Crossover.of(
            dense_ms, lambda rate: _scatter_ms(engine, index, shapes, rate, rng))
    return found


def _scatter_ms(engine: SpikingEngine, index: int, shapes: list[tuple[int, int, int]],
                rate: float, rng: np.random.Generator) -> float:
    plan, membranes = engine.plan, engine.initialize().arrays.membranes
    layer = plan.layers[index]
    projections = plan.projections[layer['first_projection']:layer['last_projection']]
    spikes = [_spikes(rng, rate, shape) for shape in shapes]

    def scatter():
        for listed, projection in zip(spikes, projections, strict=True):
            kernels.scatter(listed, projection, plan.weights, layer, 0, layer['height'],
                            membranes)

    return _fastest_ms(scatter)


def _spikes(rng: np.random.Generator, rate: float, shape: tuple[int, int, int]) -> np.ndarray:
    channels, height, width = shape
    y, x, channel = np.nonzero(rng.random((height, width, channels)) < rate)
    return y << 40 | x << 24 | channel << 8 | 1


def _dense_ms(layer: SpikingLayer, weight: np.ndarray, shapes: list[tuple[int, int, int]],
              rng: np.random.Generator) -> float:
    import torch  # only this comparison needs it
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    height, width = shapes[0][1:]
    maps = (rng.random((1, layer.in_channels, height, width)) < 0.01).astype(np.float32)
    times_ms = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        ordered = [torch.from_numpy(values).contiguous(memory_format=memory_format)
                   for values in (maps, weight)]
        with torch.inference_mode():
            times_ms.append(_fastest_ms(lambda: _convolve(layer, *ordered)))
    torch.set_num_threads(before)
    return min(times_ms)


def _convolve(layer: SpikingLayer, maps: Any, weight: Any) -> Any:
    import torch.nn.functional as F
    if layer.upsampling == 'transposed':
        return F.conv_transpose2d(maps, weight, stride=2, padding=1)
    if layer.upsampling == 'bilinear':
        maps = F.interpolate(maps, scale_factor=2, mode='bilinear', align_corners=False)
    return F.conv2d(maps, weight, None, layer.stride, layer.kernel // 2)


def _fastest_ms(run: Callable[[], Any]) -> float:
    run()
    times_ns: list[int] = []
    while len(times_ns) < REPETITIONS and sum(times_ns) < LIMIT_S * 1e9:
        start_ns = time.perf_counter_ns()
        run()
        times_ns.append(time.perf_counter_ns() - start_ns)
    return min(times_ns) / 1e6
