# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which initialization head is best?

The shipped ANN is frozen. The heads of each design first learn to imitate the states of the
shipped heads, which is fast since it does not involve the SNN. The heads and the shipped SNN are
then trained together as in the second stage of training, on the same batches for each design.
Every SNN, including the one without heads, is thus evaluated after adapting to its heads.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hybrid_pose_ros.energy import operations as energy
from hybrid_pose_ros.model.checkpoint import Checkpoint, identity, shipped
from hybrid_pose_ros.model.layout import layer_costs
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.networks.initializer import StateInitializer
from hybrid_pose_ros.outputs import claim
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.studies.head_designs import DESIGNS, DesignedHeads
from hybrid_pose_ros.studies.options import Options, kept
from hybrid_pose_ros.training.ann import draw_moment
from hybrid_pose_ros.training.corpus import contents
from hybrid_pose_ros.training.loop import Schedule, fit
from hybrid_pose_ros.training.snn import SnnStage, SnnTraining
from hybrid_pose_ros.training.validation import by_age

SHIPPED = 'as shipped'
STEP_US = 1_000
HYBRID = f'hybrid_{STEP_US}us'
STATES_PER_S = 30
SLOW = 5e-4
"""Learning rate for a trained SNN with heads that already imitate the shipped ones."""
IMITATION = Schedule(400, 3e-3)
COLUMNS = 96
"""Width of the training views [cells]."""
FRAMES = 8
"""Batch size of the imitation."""


class ImitationStage:
    """Trains `heads` to imitate the membrane potentials produced by the heads of a hybrid."""

    name = 'imitation'

    def __init__(self, hybrid: Hybrid, heads: nn.Module, clips: list[LabeledRecording],
                 geometry: InputGeometry, seed: int):
        """Create the stage for clips of one sensor."""
        self._hybrid, self._heads, self._seed = hybrid.eval(), heads, seed
        self._clips, self._geometry = clips, geometry
        self._columns = min(COLUMNS, geometry.width)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the weights of the heads."""
        return [{'params': list(self._heads.parameters()), 'scale': 1.0}]

    def loss(self, iteration: int) -> tuple[Tensor, dict[str, float]]:
        """Return the squared error normalized by the variance, averaged over layers."""
        rng = np.random.default_rng([self._seed, 3, iteration])
        ann, frames = self._hybrid.preset.ann, []
        for _ in range(FRAMES):
            clip, at_us, view = draw_moment(rng, self._clips, self._geometry, self._columns)
            frames.append(view.frame(clip, at_us, ann.window_events, ann.bins))
        size = self._columns, self._geometry.height
        with torch.no_grad():
            _, features = self._hybrid.ann(torch.from_numpy(np.stack(frames).astype(np.float32)))
            wanted = self._hybrid.heads(features, *size)
        given = self._heads.train()(features, *size)
        errors = [(given[layer] - maps).square().mean() / maps.var().clamp_min(1e-6)
                  for layer, maps in wanted.items()]
        return torch.stack(errors).mean(), {}

    def state_dict(self) -> dict[str, Any]:
        """Return the tensors of the heads."""
        return {'heads': self._heads.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from such a state."""
        self._heads.load_state_dict(state['heads'])


def study(options: Options, *, designs: tuple[str, ...] = DESIGNS,
          imitation: Schedule = IMITATION, precision: str = 'auto') -> dict[str, Any]:
    """Return the cost and error of each design, and the errors of the ANN and its held poses."""
    weights, clips = shipped('edge', options.checkpoint), options.clips()
    geometry = input_geometry(weights.preset, clips[0].width, clips[0].height)
    training = options.training_clips()
    found = {}
    for design in (SHIPPED, *designs):
        options.tell(design)
        batches = 0 if design == SHIPPED else options.batches
        of = {'weights': identity(weights), 'batches': batches, 'seed': options.seed,
              'imitation': imitation.iterations,
              'clips': [len(clip.events) for clip in (*clips, *training)]}

        def make():
            if design == SHIPPED:
                return _measured(weights, None, clips)
            return _measured(*_trained(weights, design, training, geometry, options, imitation,
                                       precision), clips)
        found[design] = kept(options.output, f'heads_{design.replace(" ", "_")}', of, make)
    rows = [_row(design, weights, geometry, found) for design in found]
    rows += [{'heads': name, 'error [px]': round(float(np.mean(found[SHIPPED][row])), 3)}
             for name, row in (('(ANN at every instant)', 'ann'), ('(held pose)', 'ann_held'))]
    return {'rows': rows, 'recordings': len(clips), 'batches': options.batches,
            'by_age_px': {design: np.mean(of[HYBRID], axis=0).round(3).tolist()
                          for design, of in found.items()}}


def _trained(weights: Checkpoint, design: str, clips: list[LabeledRecording],
             geometry: InputGeometry, options: Options, imitation: Schedule,
             precision: str) -> tuple[Checkpoint, nn.Module]:
    """Return weights with a trained SNN, and its heads; resumes an interrupted training."""
    def tell(part: str):
        return lambda iteration, _: options.tell(f'{design}: {part}, batch {iteration + 1}')

    hybrid, folder = Hybrid.from_checkpoint(weights), options.output / design
    claim(folder, {'seed': options.seed, 'start': identity(weights),
                   'recordings': contents(clips)})
    heads = DesignedHeads(weights.preset, design, options.seed)
    if next(heads.parameters(), None) is not None:
        fit(ImitationStage(hybrid, heads, clips, geometry, options.seed), imitation, folder,
            tell('imitation'))
    hybrid.add_module('heads', heads)  # replaces the hybrid's own heads
    stage = SnnStage(hybrid, clips, geometry, SnnTraining(
        seed=options.seed, columns=COLUMNS, precision=precision), torch.device('cpu'))
    fit(stage, Schedule(options.batches, SLOW, save_every=25), folder, tell('with the SNN'))
    learned = {f'snn.{name}': tensor.numpy() for name, tensor in hybrid.snn.state_dict().items()}
    return replace(weights, tensors=weights.tensors | learned), heads


def _measured(weights: Checkpoint, heads: nn.Module | None,
              clips: list[LabeledRecording]) -> dict[str, list[list[float]]]:
    """Return the errors [px] of each row, (recordings, ages)."""
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
    """Return the standard error of the mean of values (N,); 0 for a single value."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def draw(result: dict[str, Any], folder: Path) -> Path:
    """Plot the error over the cost, and the error over the age of the state."""
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
