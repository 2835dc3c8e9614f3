# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How do accuracy, latency and energy depend on depth and width?

Networks like `edge` of several sizes are trained from random weights on the same batches: first
the ANN, then the SNN and the heads. The shipped `edge`, which was trained far longer, is included
for comparison: its difference from `w1 l3`, the same network, shows how under-trained all sizes
are.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from hybrid_pose_ros.model.checkpoint import Checkpoint, shipped
from hybrid_pose_ros.model.layout import layer_costs, neurons
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.outputs import claim
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.studies.energy import (NODE, STATES_PER_S, STEPS_PER_S, Meter, cost_of_pass,
                                            cost_of_step)
from hybrid_pose_ros.studies.options import Options, kept
from hybrid_pose_ros.studies.sized_presets import first_weights_of, sized
from hybrid_pose_ros.training.ann import AnnStage, AnnTraining, corpus_windows
from hybrid_pose_ros.training.corpus import contents
from hybrid_pose_ros.training.loop import Schedule, fit
from hybrid_pose_ros.training.snn import SnnStage, SnnTraining
from hybrid_pose_ros.training.validation import by_age

SIZES = ((0.25, 3), (0.5, 3), (1.0, 3), (0.5, 2), (1.0, 2), (1.0, 1))
"""Width factor relative to `edge`, and number of levels."""
ANN_SHARE = 3
"""Number of ANN batches per batch of the SNN and heads; the latter takes several times as long."""
ANN_RATE, SNN_RATE = 3e-3, 2e-3
ANN_BATCH, SNN_BATCH = 16, 4
STEP_US, PERIOD_US = 1_000, 200_000
SHIPPED = 'edge as shipped'
MEASURED = 2
"""Number of recordings used to measure times."""


def study(options: Options, *, sizes: tuple[tuple[float, int], ...] = SIZES,
          precision: str = 'auto') -> dict[str, Any]:
    """Return the error, step time and power of each size."""
    torch.set_num_threads(1)
    clips, training = options.clips(), options.training_clips()
    rows = []
    for width, levels in (*sizes, (1.0, 0)):
        name = f'w{width:g} l{levels}' if levels else SHIPPED
        options.tell(name)
        of = {'batches': options.batches if levels else 0, 'seed': options.seed,
              'clips': [len(clip.events) for clip in (*clips, *training)]}

        def make():
            if not levels:
                return measured(shipped('edge'), clips)
            return measured(_trained(width, levels, training, options, precision), clips)
        rows.append({'size': name} | kept(options.output, f'size_{name.replace(" ", "_")}', of,
                                          make))
    for figure in ('step [ms]', 'power [mW]'):
        best = pareto([row[figure] for row in rows[:-1]], [row['error [px]'] for row in rows[:-1]])
        for index, row in enumerate(rows[:-1]):
            row[f'best by {figure.split()[0]}'] = 'yes' if index in best else ''
    return {'rows': rows, 'recordings': len(clips), 'batches': options.batches,
            'ann_batches': ANN_SHARE * options.batches}


def _trained(width: float, levels: int, clips: list[LabeledRecording], options: Options,
             precision: str) -> Checkpoint:
    """Return trained weights; resumes an interrupted training."""
    network = sized(width, levels)
    hybrid = Hybrid.from_checkpoint(first_weights_of(network, options.seed))
    geometry: InputGeometry = input_geometry(network, clips[0].width, clips[0].height)
    cpu, folder = torch.device('cpu'), options.output / network.name
    claim(folder, {'seed': options.seed, 'recordings': contents(clips)})

    def tell(iteration: int, figures: dict[str, float]) -> None:
        options.tell(f'{network.name}: batch {iteration + 1}, loss {figures["loss"]:.2f}')
    settings = AnnTraining(seed=options.seed, batch=ANN_BATCH, precision=precision)
    fit(AnnStage(hybrid, corpus_windows(network, clips, geometry, settings), settings, cpu),
        Schedule(ANN_SHARE * options.batches, ANN_RATE, weight_decay=1e-2, save_every=50),
        folder, tell)
    fit(SnnStage(hybrid, clips, geometry, SnnTraining(
        seed=options.seed, batch=SNN_BATCH, precision=precision), cpu),
        Schedule(options.batches, SNN_RATE, save_every=25), folder, tell)
    return hybrid.to_checkpoint({'trained': True})


def measured(weights: Checkpoint, clips: list[LabeledRecording]) -> dict[str, Any]:
    """Return the metrics of one network: error, latency, energy, size."""
    network = weights.preset
    geometry = input_geometry(network, clips[0].width, clips[0].height)
    size, meter = (geometry.width, geometry.height), Meter()
    errors = by_age(weights, clips, period_us=PERIOD_US, steps_us=(STEP_US,))['rows']
    ann, pass_cost = cost_of_pass(weights, clips[0], 'float32', meter)
    snn, step_cost = cost_of_step(weights, clips[:MEASURED], meter)
    power = ann.honest.times(STATES_PER_S).plus(snn.honest.times(STEPS_PER_S))
    hybrid = errors[f'hybrid_{STEP_US}us']
    return {'parameters': sum(cost.parameters for cost in layer_costs(network, *size)),
            'neurons': neurons(network, *size), 'error [px]': hybrid['mpjpe_px'],
            'at 100 ms': hybrid['mpjpe_px_by_age'][-1], 'ANN [px]': errors['ann']['mpjpe_px'],
            'step [ms]': round(step_cost.core_ms, 4), 'ANN pass [ms]': round(pass_cost.core_ms, 2),
            'power [mW]': round(power.millijoules(NODE), 1),
            'SNN part [mW]': round(snn.honest.times(STEPS_PER_S).millijoules(NODE), 2)}


def pareto(costs: list[float], errors: list[float]) -> list[int]:
    """Return the indices of the Pareto-optimal entries, sorted by cost."""
    order = np.lexsort((errors, costs))
    best, lowest = [], np.inf
    for index in map(int, order):
        if errors[index] < lowest:
            best.append(index)
            lowest = errors[index]
    return best


def draw(result: dict[str, Any], folder: Path) -> Path:
    """Plot the error over step time and over power, with the Pareto front as a line."""
    from hybrid_pose_ros.evaluation.plots import new_figure, save
    figure, (panels,) = new_figure(2)
    rows, labels = result['rows'], {'step [ms]': 'a step of the SNN, time of one core [ms]',
                                    'power [mW]': f'{STATES_PER_S} states and {STEPS_PER_S} steps '
                                    'per second, honest count, 45 nm [mW]'}
    for axes, (figure_name, label) in zip(panels, labels.items()):
        for row in rows:
            shipped_too = row['size'] == SHIPPED
            axes.plot(row[figure_name], row['error [px]'], '*' if shipped_too else 'o',
                      color='black' if shipped_too else 'tab:red')
            axes.annotate(row['size'], (row[figure_name], row['error [px]']), fontsize='small',
                          xytext=(4, 4), textcoords='offset points')
        best = pareto([row[figure_name] for row in rows[:-1]],
                      [row['error [px]'] for row in rows[:-1]])
        axes.plot([rows[index][figure_name] for index in best],
                  [rows[index]['error [px]'] for index in best], color='tab:red', linewidth=1)
        axes.set_xmargin(0.2)  # space for the names
        axes.set(xlabel=label, ylabel='mean error to 100 ms [px]', ylim=(0, None),
                 title=f'{result["ann_batches"]} + {result["batches"]} batches')
    return save(figure, folder / 'sizes.png')
