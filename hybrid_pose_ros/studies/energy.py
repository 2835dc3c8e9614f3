# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Do modeled and measured energy agree?

For a pass of the ANN with its heads and a step of the SNN on the same recordings, this study
compares the counts of `evaluation.energy` with the measured cost. If the machine reports its power
(`measured_power`), the cost is in joules above idle. In any case it is also measured as the time
of one core, a proxy for energy: a busy core draws about the same power whatever it computes.

Binning of events and decoding of heatmaps are not included.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.energy import operations as energy
from hybrid_pose_ros.energy.sensors import MeasuredPower
from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.disturbances import scaled
from hybrid_pose_ros.model.checkpoint import Checkpoint, shipped
from hybrid_pose_ros.model.layout import state_layout
from hybrid_pose_ros.networks.fused import can_fuse
from hybrid_pose_ros.networks.initializer import StateInitializer
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.studies.options import Options
from hybrid_pose_ros.tracking.offline import RecordingAnn
from hybrid_pose_ros.training.validation import SETTLED_US
from hybrid_pose_ros.training.views import whole_view

STEP_US = 1_000
STATE_US = 100_000
"""Interval between states during the measurement of the SNN."""
SHARES = (1.0, 0.5, 0.25, 0.0)
"""Fractions of the events that are kept, to obtain steps of different cost."""
RECORDINGS = 3
PASSES = 20
REST_S = 2.0
"""Duration of the idle measurement, made only if the machine reports its power."""
STATES_PER_S, STEPS_PER_S = 30, 1000
NODE = energy.TECHNOLOGIES['45nm']


class Cost(NamedTuple):
    """Measured cost of one pass or step."""

    core_ms: float
    joules: float | None  # above idle; None if the machine does not report its power


class Modelled(NamedTuple):
    """Modeled cost of one pass or step."""

    paper: energy.Operations
    honest: energy.Operations
    memory_bytes: float | None  # None: not modeled


def study(options: Options, *, recordings: int = RECORDINGS, passes: int = PASSES,
          shares: tuple[float, ...] = SHARES) -> dict[str, Any]:
    """Return modeled and measured cost of passes and steps, and their ratios."""
    import torch
    torch.set_num_threads(1)
    weights, clips = shipped('edge', options.checkpoint), options.clips()[:recordings]
    meter = Meter()
    work = {}
    for precision in ('float32', 'bfloat16') if can_fuse() else ('float32',):
        options.tell(f'ANN in {precision}')
        work[f'ANN, {precision}'] = cost_of_pass(weights, clips[0], precision, meter, passes)
    for share in shares:
        options.tell(f'SNN, {share:.0%} of the events')
        work[f'SNN, {share:.0%} of the events'] = cost_of_step(weights, clips, meter, share=share,
                                                               seed=options.seed)
    rows = [_row(name, *costs) for name, costs in work.items()]
    ann, snn = (next(costs for name, costs in work.items() if name.startswith(part))
                for part in ('ANN', 'SNN'))
    return {'rows': rows, 'source': meter.source, 'idle_w': meter.idle_w,
            'ratios': _ratios(ann, snn), 'savings': _savings(ann, snn)}


class Meter:
    """Measures the cost of work on this machine."""

    def __init__(self):
        """Find a power sensor and measure the idle power."""
        power = MeasuredPower()
        self.source = power.source
        self.idle_w = None
        if self.source != 'none':
            time.sleep(REST_S)
            self.idle_w = power.watts()

    def cost(self, run: Callable[[], int]) -> Cost:
        """Return the cost per unit of work of `run`, which returns the number of units."""
        power = MeasuredPower()
        began_s, core_s = time.perf_counter(), time.thread_time()
        pieces = run()
        core_s, wall_s = time.thread_time() - core_s, time.perf_counter() - began_s
        watts = power.watts()
        joules = None
        if watts is not None and self.idle_w is not None:
            joules = (watts - self.idle_w) * wall_s / pieces
        return Cost(1e3 * core_s / pieces, joules)


def cost_of_pass(weights: Checkpoint, clip: LabeledRecording, precision: str, meter: Meter,
                 passes: int = PASSES) -> tuple[Modelled, Cost]:
    """Return the cost of a pass of the ANN, including the heads."""
    geometry = input_geometry(weights.preset, clip.width, clip.height)
    size, ann, view = (geometry.width, geometry.height), weights.preset.ann, whole_view(geometry)
    initializer = StateInitializer(weights, precision)
    tensors = {name: np.zeros(shape, np.float32)
               for name, shape in state_layout(weights.preset, *size).items()}
    frames = [view.frame(clip, at_us, ann.window_events, ann.bins)
              for at_us in np.linspace(clip.start_us + SETTLED_US, clip.end_us, 5).astype(int)]
    initializer.initialize_into(frames[0], tensors)  # the first pass is slower

    def run() -> int:
        for index in range(passes):
            initializer.initialize_into(frames[index % len(frames)], tensors)
        return passes
    macs = sum(energy.dense_macs(weights.preset, *size, part) for part in ('ann.', 'heads.'))
    operations = energy.Operations(macs=macs)
    return Modelled(operations, operations, None), meter.cost(run)


def cost_of_step(weights: Checkpoint, clips: list[LabeledRecording], meter: Meter, *,
                 share: float = 1.0, seed: int = 0) -> tuple[Modelled, Cost]:
    """Return the cost of a step on a fraction of the events, with states from all events."""
    geometry = input_geometry(weights.preset, clips[0].width, clips[0].height)
    size = geometry.width, geometry.height
    engine = SpikingEngine(weights, *size, STEP_US)
    state, pieces = engine.initialize(), _pieces(weights, clips, share, seed, geometry)
    engine.warm_up()
    spikes = np.zeros(len(engine.plan.spikes))

    def run() -> int:
        for tensors, counts in pieces:
            state.copy_from(tensors)
            for bin_counts in counts:
                engine.step(bin_counts, state)
                np.add(spikes, state.spike_counts, out=spikes)
        return sum(len(counts) for _, counts in pieces)
    cost = meter.cost(run)
    mean = spikes / sum(len(counts) for _, counts in pieces)
    reach = energy.folded(engine.operations_per_spike)
    rates = energy.spike_rates(weights.preset, *size, mean)
    return Modelled(energy.paper_step(weights.preset, *size, rates),
                    energy.honest_step(weights.preset, *size, mean, reach),
                    energy.memory_bytes(weights.preset, *size, mean, reach)), cost


def _pieces(weights: Checkpoint, clips: list[LabeledRecording], share: float, seed: int,
            geometry: InputGeometry):
    """Return ANN states, each with the bins that follow it, (T, 2, H, W) uint8.

    Raises:
        InputError: there are no states.
    """
    pieces, view, rng = [], whole_view(geometry), np.random.default_rng([seed, 13])
    network = StateInitializer(weights)
    for clip in clips:
        ann = RecordingAnn(weights, clip, network=network)
        thin = clip._replace(events=scaled(clip.events, share, rng))
        for at_us in range(clip.start_us + SETTLED_US, clip.end_us - STATE_US, STATE_US):
            at_us = at_us // STEP_US * STEP_US
            seen = ann.state_at(at_us)
            if seen is not None:
                counts = view.counts(thin, at_us, STEP_US, STATE_US // STEP_US)
                pieces.append((seen.tensors,
                               np.ascontiguousarray(np.minimum(counts, 255), np.uint8)))
    if not pieces:
        raise InputError('the ANN has too few events in the recordings, or they are shorter than '
                         f'{(SETTLED_US + STATE_US) * 1e-6:g} s: use other recordings')
    return pieces


def _row(name: str, modelled: Modelled, cost: Cost) -> dict[str, Any]:
    honest = modelled.honest
    memory = modelled.memory_bytes
    return {'work': name, 'Mop': round((honest.macs + honest.additions) * 1e-6, 3),
            'paper [uJ]': round(1e3 * modelled.paper.millijoules(NODE), 2),
            'honest [uJ]': round(1e3 * honest.millijoules(NODE), 2),
            'memory [uJ]': memory and round(memory * energy.SRAM_PJ_PER_BYTE * 1e-6, 2),
            'core [ms]': round(cost.core_ms, 4),
            'measured [uJ]': None if cost.joules is None else round(1e6 * cost.joules, 1),
            'Gop a core s': round((honest.macs + honest.additions) * 1e-6 / cost.core_ms, 2)}


def _figures(modelled: Modelled, cost: Cost) -> dict[str, float | None]:
    """Return the cost in each unit."""
    return {'paper': modelled.paper.millijoules(NODE), 'honest': modelled.honest.millijoules(NODE),
            'core time': cost.core_ms, 'measured': cost.joules}


def _ratios(ann: tuple[Modelled, Cost], snn: tuple[Modelled, Cost]) -> dict[str, float]:
    """Return how many steps cost as much as one pass, in each available unit."""
    steps = _figures(*snn)
    return {name: round(value / step, 1) for name, value in _figures(*ann).items()
            if value is not None and (step := steps[name])}


def _savings(ann: tuple[Modelled, Cost], snn: tuple[Modelled, Cost]) -> dict[str, float]:
    """Return the fraction of the cost that the hybrid saves compared with a pass at every step."""
    return {name: round(1 - (STATES_PER_S + STEPS_PER_S / ratio) / STEPS_PER_S, 4)
            for name, ratio in _ratios(ann, snn).items()}


def draw(result: dict[str, Any], folder: Path) -> Path:
    """Plot modeled energy against core time, and the cost ratios of a pass to a step."""
    from hybrid_pose_ros.evaluation.plots import new_figure, save
    figure, ((points, bars),) = new_figure(2)
    for row in result['rows']:
        marker = 's' if row['work'].startswith('ANN') else 'o'
        points.plot(row['core [ms]'], row['honest [uJ]'], marker, label=row['work'])
    first = result['rows'][0]
    times = np.array([min(row['core [ms]'] for row in result['rows']), first['core [ms]']])
    points.plot(times, first['honest [uJ]'] / first['core [ms]'] * times, ':', color='gray',
                label='proportional to the ANN')
    points.set(xscale='log', yscale='log', xlabel='measured: time of one core [ms]',
               ylabel='modeled: honest count at 45 nm [uJ]', title='One pass, one step')
    points.legend(fontsize='small')
    names = list(result['ratios'])
    bars.bar(names, [result['ratios'][name] for name in names], color='tab:red')
    for index, name in enumerate(names):
        bars.text(index, result['ratios'][name], f'{result["ratios"][name]:g}', ha='center',
                  va='bottom')
    bars.set(yscale='log', ylabel='steps of the SNN', title='Cost of a pass of the ANN')
    return save(figure, folder / 'energy.png')
