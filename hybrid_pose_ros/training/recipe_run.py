# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training by a published recipe: ANN, then SNN and heads. For other networks see `run`."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from hybrid_pose_ros.model.checkpoint import Checkpoint, identity
from hybrid_pose_ros.model.presets import Preset
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.outputs import claim
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.training.corpus import contents, fingerprint
from hybrid_pose_ros.training.ranks import Ranks, connected
from hybrid_pose_ros.training.recipes import SEED, STEPS, Recipe
from hybrid_pose_ros.training.system import train_system
from hybrid_pose_ros.training.windows import Windows

STAGES = 'ann', 'hybrid_snn'


def train_by_recipe(recipes: dict[str, Recipe], preset: Preset, clips: list[LabeledRecording],
                    folder: Path, device: torch.device, *, start: Checkpoint | None = None,
                    seed: int = SEED, ranks: Ranks = Ranks(),
                    progress: Callable[[str, int, int, str], None] = lambda *_: None
                    ) -> Checkpoint:
    """Return a trained hybrid, identical in all processes; resumes from the files in the folder.

    Args:
        recipes: recipes of STAGES.
        preset: preset of the networks.
        clips: labeled recordings of one sensor.
        folder: folder for the files to resume from and the log.
        device: device for training.
        start: initial weights; None: random.
        seed: random seed of initial weights and of the order of windows.
        ranks: rank of this process.
        progress: called with the stage, the batches done, their total, and the loss.

    Raises:
        InputError: the weights to resume from or the recordings do not match, the folder belongs
            to a run on other data, or a file cannot be written.
    """
    windows = Windows(clips, preset, STEPS)
    begun = identity(start) if start else ''
    if ranks.rank == 0:
        claim(folder, {'preset': preset.name, 'seed': seed, 'start': begun,
                       'recordings': contents(clips)})
    train = partial(train_system, preset=preset, windows=windows, folder=folder, device=device,
                    start=None if start is None else Hybrid.from_checkpoint(start), seed=seed,
                    ranks=ranks, progress=progress)
    with connected(ranks, device):
        alone, done_ann = train(recipes['ann'])
        hybrid, done_snn = train(recipes['hybrid_snn'], ann=alone.get_submodule('ann'))
    assert isinstance(hybrid, Hybrid)  # the type trained by a recipe with this name
    return hybrid.to_checkpoint({
        'trained': bool(start and start.card.get('trained')) or (done_ann > 0 and done_snn > 0),
        'training': {'recipe': 'published', 'start': begun,
                     'corpus': fingerprint(clips), 'clips': len(clips),
                     'windows': len(windows.all), 'seed': seed,
                     'processes': ranks.count, 'ann_iterations': done_ann,
                     'snn_iterations': done_snn,
                     **{f'{stage}_{name}': getattr(recipes[stage], name) for stage in STAGES
                        for name in ('learning_rate', 'batch')}}})


def changed(recipes: dict[str, Recipe], system: str, **changes: float | None) -> dict[str, Recipe]:
    """Return the recipes with some values of one system changed; None keeps a value."""
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return recipes | {system: replace(recipes[system], **given)}
