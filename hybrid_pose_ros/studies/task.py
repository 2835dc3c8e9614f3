# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Does the method transfer to another task? Gesture recognition on simulated events.

Both networks and the state are unchanged; only the output maps differ (`presets.for_task`).
Starting from the shipped pose weights, first the ANN, then the SNN and heads learn to recognize
gestures. The recordings are simulated with generated motion, so no motion capture is needed; those
for evaluation show other people.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from hybrid_pose_ros.model.checkpoint import WEIGHTS
from hybrid_pose_ros.studies.energy import NODE, Meter, cost_of_pass, cost_of_step
from hybrid_pose_ros.studies.gesture_clips import make_gestures
from hybrid_pose_ros.studies.options import Options, kept
from hybrid_pose_ros.tasks.gesture import GESTURES
from hybrid_pose_ros.training.corpus import load_clips
from hybrid_pose_ros.training.gestures import gestures_by_age
from hybrid_pose_ros.training.run import TrainingParams, train

TRAIN_CLIPS, VAL_CLIPS = 3, 2
"""Number of clips of each gesture."""
DURATION_S = 1.5
ANN_SHARE = 2
"""Number of ANN batches per batch of the SNN and heads."""
ANN_RATE, SNN_RATE = 1e-3, 1e-3
SHOWN_MS = (10, 100, 300)
MEASURED = 2


def study(options: Options, *, train_clips: int = TRAIN_CLIPS, val_clips: int = VAL_CLIPS,
          duration_s: float = DURATION_S) -> dict[str, Any]:
    """Return the accuracies of the ANN, the hybrid and the SNN, and the weights.

    Recordings given in the options replace the simulated ones.
    """
    torch.set_num_threads(1)
    folders = {'train': options.corpus, 'val': options.recordings}
    for name, count in (('train', train_clips), ('val', val_clips)):
        folders[name] = folders[name] or (make_gestures(
            options.output / name, clips=count, duration_s=duration_s,
            seed=2 * options.seed + (name == 'val'), tell=options.tell),)
    training, clips = load_clips(*folders['train']), load_clips(*folders['val'])
    params = TrainingParams(
        task='gesture', start=options.checkpoint or str(WEIGHTS / 'edge.safetensors'),
        seed=options.seed, ann_iterations=ANN_SHARE * options.batches, ann_learning_rate=ANN_RATE,
        snn_iterations=options.batches, snn_learning_rate=SNN_RATE, snn_batch=4, save_every=25,
        device='cpu')
    weights = train(params, training, options.output, lambda stage, iteration, figures:
                    options.tell(f'{stage}: batch {iteration + 1}, loss {figures["loss"]:.2f}'))
    path = options.output / 'edge_gesture.safetensors'
    weights.save(path)
    of = {'batches': options.batches, 'seed': options.seed,
          'clips': [len(clip.events) for clip in (*clips, *training)]}
    found = kept(options.output, 'gestures', of, lambda: gestures_by_age(weights, clips))
    meter = Meter()
    (ann, pass_cost), (snn, step_cost) = (cost_of_pass(weights, clips[0], 'float32', meter),
                                          cost_of_step(weights, clips[:MEASURED], meter))
    rows = [{'answer of': name, 'right': share,
             **{f'at {age_ms} ms': found['right_by_age'][name][age_ms // 10 - 1]
                for age_ms in SHOWN_MS}} for name, share in found['right'].items()]
    return {'rows': rows, 'gestures': list(GESTURES), 'weights': str(path),
            'training': weights.card['training'], 'recordings': len(clips),
            'step_core_ms': round(step_cost.core_ms, 4),
            'pass_core_ms': round(pass_cost.core_ms, 2),
            'step_uj': round(1e3 * snn.honest.millijoules(NODE), 2),
            'pass_uj': round(1e3 * ann.honest.millijoules(NODE), 1), **found}


def draw(result: dict[str, Any], folder: Path) -> Path:
    """Plot the accuracy over state age, and the confusion matrix."""
    from hybrid_pose_ros.evaluation.plots import new_figure, save
    figure, ((ages, confusion),) = new_figure(2)
    for name, shares in result['right_by_age'].items():
        ages.plot(10 * np.arange(1, len(shares) + 1), shares, label=name)
    chance = 1 / len(result['gestures'])
    ages.axhline(chance, color='gray', linestyle=':', linewidth=1, label='chance')
    ages.set(xlabel='age of the state [ms]', ylabel='accuracy', ylim=(0, 1),
             title=f'{result["recordings"]} recordings, {result["windows"]} states')
    ages.legend(fontsize='small')
    counts = np.array(result['confusion'], np.float64)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    confusion.imshow(shares, cmap='Blues', vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.005:
            confusion.text(column, row, f'{share:.0%}', ha='center', va='center',
                           fontsize='x-small', color='white' if share > 0.5 else 'black')
    ticks = range(len(result['gestures']))
    confusion.set_xticks(ticks, result['gestures'], rotation=45, ha='right', fontsize='small')
    confusion.set_yticks(ticks, result['gestures'], fontsize='small')
    confusion.set(xlabel='answer of the hybrid', ylabel='true gesture', title='Confusion')
    return save(figure, folder / 'task.png')
