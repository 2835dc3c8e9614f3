# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reproduces the paper's table on given recordings: train by the recipes, evaluate, report.

A results folder can be extended: systems that are already trained are not trained again.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from hybrid_pose_ros.evaluation.metrics import rounded
from hybrid_pose_ros.model.presets import Preset, preset
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.networks.published import load_published, read_published
from hybrid_pose_ros.networks.system import System
from hybrid_pose_ros.networks.systems import SYSTEMS
from hybrid_pose_ros.outputs import claim, writing
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.reproduction.figures import (
    PUBLISHED, PUBLISHED_FIRING_PERCENT, PUBLISHED_MW, RECURRENT_NOTE)
from hybrid_pose_ros.reproduction.reproduction_params import ReproductionParams
from hybrid_pose_ros.reproduction.scores import firing_rates, modelled_mw, score_system
from hybrid_pose_ros.training.corpus import contents
from hybrid_pose_ros.training.ranks import Ranks, connected
from hybrid_pose_ros.training.recipes import STEPS, Recipe
from hybrid_pose_ros.training.system import train_system
from hybrid_pose_ros.training.windows import Windows

Progress = Callable[[str, int, int, str], None]
"""Called with the stage, the amount done, the total, and a description."""


class Trained(NamedTuple):
    """A system that is ready for evaluation."""

    recipe: Recipe
    network: System
    iterations: int | None  # number of training batches; None: published weights


def reproduce(params: ReproductionParams, train: list[LabeledRecording],
              test: list[LabeledRecording], folder: Path, device: torch.device, *,
              split_rule: str = '', ranks: Ranks = Ranks(),
              progress: Progress = lambda *_: None) -> dict[str, Any] | None:
    """Return the report of all systems and write it to `report.json` in the folder.

    The hybrid's weights are written to `<preset>.safetensors`, for use by the other commands.

    Args:
        params: systems and training parameters.
        train: recordings for training.
        test: recordings of other people, for evaluation.
        folder: folder for the results and for files to resume from.
        device: device for training and evaluation.
        split_rule: description of the split, for the report.
        ranks: rank of this process; only the first evaluates, the others return None.
        progress: see `Progress`.

    Raises:
        InputError: the recordings do not match each other, the folder belongs to another run, or a
            file cannot be written.
    """
    chosen = preset(params.preset)
    published = published_systems(params, device)
    learned, unseen = Windows(train, chosen, STEPS), Windows(test, chosen, STEPS)
    if ranks.rank == 0:
        claim(folder, {'preset': chosen.name, 'seed': params.seed, 'processes': ranks.count,
                       'recordings': contents(train)})
    with connected(ranks, device):
        systems = _train(params, learned, folder, device, ranks, progress, published)
    if ranks.rank > 0:
        return None
    rows: dict[str, dict[str, Any]] = {}
    for system in systems:
        if system.recipe.system == 'hybrid_snn' and isinstance(system.network, Hybrid):
            _save(system.network, system.iterations, folder / f'{chosen.name}.safetensors', params)
        rows |= _score(system, unseen, chosen, device, progress)
    report = {'preset': chosen.name, 'step_us': chosen.step_us, 'seed': params.seed,
              'device': str(device), 'processes': ranks.count, 'split': split_rule,
              'train': _facts(train, learned), 'test': _facts(test, unseen),
              'rows': rows, 'ratios': _ratios(rows)}
    path = folder / 'report.json'
    with writing(path):
        path.write_text(json.dumps(report, indent=1) + '\n')
    return report


def published_systems(params: ReproductionParams, device: torch.device) -> dict[str, System]:
    """Return the systems with published weights, keyed by name.

    Raises:
        InputError: a file cannot be read or does not match its system.
    """
    systems = {}
    for name, file in params.published_files().items():
        systems[name] = SYSTEMS[name](preset(params.preset))
        load_published(name, systems[name], read_published(file))
        systems[name].to(device)
    return systems


def _train(params: ReproductionParams, learned: Windows, folder: Path, device: torch.device,
           ranks: Ranks, progress: Progress, published: dict[str, System]) -> list[Trained]:
    """Return all systems, trained or published."""
    chosen, systems = preset(params.preset), []
    ann: nn.Module | None = None
    for recipe in params.recipes():
        if recipe.system in published:
            system = Trained(recipe, published[recipe.system], None)
        else:
            system = Trained(recipe, *train_system(
                recipe, chosen, learned, folder, device, ann=ann, seed=params.seed, ranks=ranks,
                progress=progress))
        if recipe.system == 'ann':
            ann = system.network.get_submodule('ann')
        systems.append(system)
    return systems


def _score(system: Trained, unseen: Windows, chosen: Preset, device: torch.device,
           progress: Progress) -> dict[str, dict[str, Any]]:
    """Return the report of a system, keyed by row."""
    name = system.recipe.system
    with firing_rates(system.network) as rates:
        errors = score_system(
            name, system.network, unseen, chosen.step_us, device,
            progress=lambda done: progress(f'score {name}', done, len(unseen.all), ''))
    size = unseen.geometry.width, unseen.geometry.height
    return {row: _row(row, values, system)
            | _work(row, rates, modelled_mw(row, chosen, size, STEPS, rates))
            for row, values in errors.items()}


def _save(hybrid: Hybrid, iterations: int | None, path: Path, params: ReproductionParams) -> None:
    origin: dict[str, Any] = {'weights': 'published'} if iterations is None else {
        'recipe': 'published', 'seed': params.seed, 'snn_iterations': iterations}
    card = {'trained': iterations != 0, 'training': origin}
    with writing(path):
        hybrid.to_checkpoint(card).save(path)


def _facts(clips: list[LabeledRecording], windows: Windows) -> dict[str, Any]:
    return {'recordings': len(clips), 'windows': len(windows.all),
            'seconds': round(sum(clip.end_us - clip.start_us for clip in clips) * 1e-6, 1)}


def _row(row: str, errors: np.ndarray, system: Trained) -> dict[str, Any]:
    """Return the report of a row, given its errors (windows, T) [px]."""
    by_step = np.nanmean(errors, axis=0)
    published = [figure._asdict() | {'by_step': list(figure.by_step)}
                 for figure in PUBLISHED[row]]
    note = {'note': RECURRENT_NOTE} if row.startswith('hybrid_rnn') else {}
    return {'mpjpe_px': rounded(np.nanmean(by_step)),
            'mpjpe_px_by_step': [rounded(value) for value in by_step],
            'parameters': sum(parameter.numel() for parameter in system.network.parameters()),
            'iterations': system.iterations, 'learning_rate': system.recipe.learning_rate,
            'batch': system.recipe.batch, 'published': published} | note


def _work(row: str, rates: dict[str, float], power_mw: dict[str, float] | None) -> dict[str, Any]:
    """Return the firing rate and modeled power of a row, with the published values."""
    found: dict[str, Any] = {}
    if rates:
        found |= {'firing_percent': rounded(100 * np.mean(list(rates.values()))),
                  'firing_percent_by_layer': {layer: rounded(100 * rate)
                                              for layer, rate in rates.items()},
                  'published_firing_percent': PUBLISHED_FIRING_PERCENT.get(row)}
    if power_mw is not None:
        found |= {'modelled_mw': {node: rounded(value) for node, value in power_mw.items()},
                  'published_7nm_mw': PUBLISHED_MW.get(row)}
    return found


def _ratios(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Return the ratios of the hybrid's error to that of other rows, ours and published."""
    def ratio(hybrid: float, other: float) -> float | None:
        return rounded(hybrid / other) if other else None

    if 'hybrid_snn' not in rows:
        return {}
    return {f'hybrid_snn_to_{row}': {
        'ours': ratio(rows['hybrid_snn']['mpjpe_px'], rows[row]['mpjpe_px']),
        'published': ratio(PUBLISHED['hybrid_snn'][0].mpjpe_px, PUBLISHED[row][0].mpjpe_px)}
        for row in rows if row != 'hybrid_snn'}
