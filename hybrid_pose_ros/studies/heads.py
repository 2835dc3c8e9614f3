# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which initialization head is best?

The ANN and the SNN that ship stay as they are; the heads of each design are trained from random
weights, on the same batches of states that have just begun. So a design is judged by what it can
tell an SNN that has learned with other heads. The heads that ship were trained along with it, and
far longer: their row is what is left to gain.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from hybrid_pose_ros.checkpoint import Checkpoint, identity, shipped
from hybrid_pose_ros.evaluation import energy
from hybrid_pose_ros.layout import layer_costs
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.networks.initializer import StateInitializer
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.studies.head_designs import DESIGNS, DesignedHeads
from hybrid_pose_ros.studies.options import Options, kept
from hybrid_pose_ros.training.loop import Schedule, fit
from hybrid_pose_ros.training.snn import SnnStage, SnnTraining
from hybrid_pose_ros.training.validation import by_age

SHIPPED = 'as shipped'
STEP_US = 1_000
HYBRID = f'hybrid_{STEP_US}us'
LEARNING_RATE = 2e-3
STATES_PER_S = 30
UNTRAINED = ('none', SHIPPED)


class HeadsStage(SnnStage):
    """Trains `hybrid.heads`; every segment begins with a state of the ANN."""

    name = 'heads'

    def __init__(self, hybrid: Hybrid, clips: list[LabeledRecording], geometry: InputGeometry,
                 seed: int, precision: str):
        """Take clips of one sensor."""
        hybrid.snn.requires_grad_(False)
        super().__init__(hybrid, clips, geometry, SnnTraining(
            seed=seed, oldest_us=(1, 2), precision=precision), torch.device('cpu'))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the weights of the heads."""
        return [{'params': list(self._hybrid.heads.parameters()), 'scale': 1.0}]


def study(options: Options, *, designs: tuple[str, ...] = DESIGNS,
          precision: str = 'bf16') -> dict[str, Any]:
    """Return cost and error of each design, and of the ANN and its held poses beside them."""
    weights, clips = shipped('edge', options.checkpoint), options.clips()
    geometry = input_geometry(weights.preset, clips[0].width, clips[0].height)
    training = options.training_clips()
    found = {}
    for design in (SHIPPED, *designs):
        options.tell(design)
        batches = 0 if design in UNTRAINED else options.batches
        of = {'weights': identity(weights), 'batches': batches, 'seed': options.seed,
              'clips': [len(clip.events) for clip in (*clips, *training)]}

        def make():
            heads = None
            if design != SHIPPED:
                heads = _trained(weights, design, training, geometry, options, batches, precision)
            return _measured(weights, heads, clips)
        found[design] = kept(options.output, f'heads_{design.replace(" ", "_")}', of, make)
    rows = [_row(design, weights, geometry, found) for design in found]
    rows += [{'heads': name, 'error [px]': round(float(np.mean(found[SHIPPED][row])), 3)}
             for name, row in (('(ANN at every instant)', 'ann'), ('(held pose)', 'ann_held'))]
    return {'rows': rows, 'recordings': len(clips), 'batches': options.batches,
            'by_age_px': {design: np.mean(of[HYBRID], axis=0).round(3).tolist()
                          for design, of in found.items()}}


def _trained(weights: Checkpoint, design: str, clips: list[LabeledRecording],
             geometry: InputGeometry, options: Options, batches: int,
             precision: str) -> nn.Module:
    """Return heads of a design; a training that was killed goes on."""
    hybrid = Hybrid.from_checkpoint(weights)
    hybrid.heads = DesignedHeads(weights.preset, design, options.seed)
    if batches:
        stage = HeadsStage(hybrid, clips, geometry, options.seed, precision)
        fit(stage, Schedule(batches, LEARNING_RATE, save_every=25), options.output / design,
            lambda iteration, figures: options.tell(f'{design}: batch {iteration + 1}'))
    return hybrid.heads


def _measured(weights: Checkpoint, heads: nn.Module | None,
              clips: list[LabeledRecording]) -> dict[str, list[list[float]]]:
    """Return the errors of each recording by age, of each row, (recordings, ages) [px]."""
    initializer = StateInitializer(weights, heads=heads)
    results = [by_age(weights, [clip], steps_us=(STEP_US,), initializer=initializer,
                      fresh=heads is None)['rows'] for clip in clips]
    return {name: [rows[name]['mpjpe_px_by_age'] for rows in results] for name in results[0]}


def _row(design: str, weights: Checkpoint, geometry: InputGeometry,
         found: dict[str, Any]) -> dict[str, Any]:
    size = geometry.width, geometry.height
    if design == SHIPPED:
        macs = energy.dense_macs(weights.preset, *size, 'heads.')
        parameters = sum(cost.parameters for cost in layer_costs(weights.preset, *size)
                         if cost.name.startswith('heads.'))
    else:
        heads = DesignedHeads(weights.preset, design)
        macs = heads.macs(*size)
        parameters = sum(parameter.numel() for parameter in heads.parameters())
    power = energy.Operations(macs=macs).times(STATES_PER_S)
    errors = np.array(found[design][HYBRID])
    row = {'heads': design, 'parameters': parameters, 'MMAC a pass': round(macs * 1e-6, 1),
           'mW at 30/s, 45 nm': round(power.millijoules(energy.TECHNOLOGIES['45nm']), 2),
           'error [px]': round(float(errors.mean()), 3),
           'at 10 ms': round(float(errors[:, 0].mean()), 3),
           'at 100 ms': round(float(errors[:, -1].mean()), 3)}
    if 'none' in found and design != 'none':
        gain = errors.mean(axis=1) - np.mean(found['none'][HYBRID], axis=1)
        row['against none'] = f'{gain.mean():+.3f} ± {standard_error(gain):.3f}'
    return row


def standard_error(values: np.ndarray) -> float:
    """Return the standard error of the mean of values (N,); 0 for one."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def draw(result: dict[str, Any], folder: Path) -> Path:
    """Draw the error against the cost, and the error over the age of the state."""
    from hybrid_pose_ros.evaluation.plots import new_figure, save
    figure, ((costs, ages),) = new_figure(2)
    for index, (design, errors) in enumerate(result['by_age_px'].items()):
        row = next(row for row in result['rows'] if row['heads'] == design)
        color = 'black' if design == SHIPPED else f'C{index - 1}'
        costs.plot(row['MMAC a pass'], row['error [px]'], 'o', color=color)
        costs.annotate(design, (row['MMAC a pass'], row['error [px]']), fontsize='small',
                       xytext=(4, 4), textcoords='offset points')
        ages.plot(10 * np.arange(1, len(errors) + 1), errors, color=color, label=design)
    costs.set(xlabel='cost of the heads [MMAC a pass]', ylabel='mean error to 100 ms [px]',
              title=f'{result["recordings"]} recordings, {result["batches"]} batches')
    costs.set_xscale('symlog', linthresh=5)
    ages.set(xlabel='age of the state [ms]', ylabel='mean error [px]', title='Error over age')
    ages.legend(fontsize='small', loc='center left', bbox_to_anchor=(1, 0.5))
    return save(figure, folder / 'heads.png')
