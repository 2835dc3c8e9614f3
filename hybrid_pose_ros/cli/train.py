# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose train`: weights from a corpus of recordings with labels."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from hybrid_pose_ros.errors import InputError

SUMMARY = 'Train ANN, SNN and heads on a folder of recordings with labels; resumes where it was.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare folders and what a run is."""
    parser.add_argument('--corpus', required=True, nargs='+', metavar='DIR',
                        help='recordings (.h5) to train on')
    parser.add_argument('--validation', metavar='DIR',
                        help='recordings of other people, to measure the weights on')
    parser.add_argument('--out', required=True, metavar='DIR',
                        help='log, files to resume from, and the weights')
    parser.add_argument('--preset', default='edge', metavar='NAME', help='network (edge)')
    parser.add_argument('--task', default='pose', metavar='NAME',
                        help='pose, or gesture: the name of a recording begins with what it shows, '
                        'as in wave_01.h5 (pose)')
    parser.add_argument('--start', default='', metavar='FILE',
                        help='weights (.safetensors) to start from, instead of random ones; of those '
                        'for another task what fits')
    parser.add_argument('--ann-rate', type=float, default=3e-3, metavar='R',
                        help='highest learning rate of the ANN (0.003)')
    parser.add_argument('--snn-rate', type=float, default=2e-3, metavar='R',
                        help='highest learning rate of SNN and heads (0.002)')
    parser.add_argument('--ann-batch', type=int, default=16, metavar='N',
                        help='windows in a batch of the ANN, a process (16)')
    parser.add_argument('--snn-batch', type=int, default=8, metavar='N',
                        help='streams in a batch of the SNN, a process (8)')
    parser.add_argument('--seed', type=int, default=0, help='of first weights and batches (0)')
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda (auto)')
    parser.add_argument('--threads', type=int, default=1, help='of torch on a CPU (1)')
    parser.add_argument('--precision', default='bf16', metavar='P',
                        help='of convolutions: bf16, with weights in fp32, or fp32 (bf16)')
    parser.add_argument('--alone', action='store_true',
                        help='train an SNN that runs without an ANN, and nothing else, for '
                        '`evaluate --snn-checkpoint`')
    parser.add_argument('--ann-iterations', type=int, default=20_000, metavar='N',
                        help='batches of the ANN (20000); fewer than were done: none')
    parser.add_argument('--snn-iterations', type=int, default=20_000, metavar='N',
                        help='batches of SNN and heads (20000); fewer than were done: none')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Return where the weights are, and their card; only the first of several processes does."""
    import torch

    from hybrid_pose_ros.training.corpus import load_clips
    from hybrid_pose_ros.training.log import summary_writer, writing
    from hybrid_pose_ros.training.ranks import Ranks
    from hybrid_pose_ros.training.run import TrainingParams, train
    from hybrid_pose_ros.training.gestures import gestures_by_age
    from hybrid_pose_ros.training.validation import by_age, live

    if args.threads < 1:
        raise InputError(f'--threads is {args.threads}, but must be 1 or more')
    if args.alone and args.validation:
        raise InputError('--validation measures a hybrid: measure weights that run alone with '
                         '`hybrid-pose evaluate --snn-checkpoint`')
    torch.set_num_threads(args.threads)
    params = TrainingParams(preset=args.preset, task=args.task, start=args.start, seed=args.seed,
                            device=args.device, precision=args.precision, alone=args.alone,
                            ann_batch=args.ann_batch, snn_batch=args.snn_batch,
                            ann_iterations=args.ann_iterations, ann_rate=args.ann_rate,
                            snn_iterations=args.snn_iterations, snn_rate=args.snn_rate)
    ranks = Ranks.of_environment()
    unseen = load_clips(args.validation) if args.validation and ranks.rank == 0 else []
    clips = load_clips(*args.corpus)
    if ranks.rank == 0 and summary_writer() is None:
        print('hybrid-pose train: no curves, as TensorBoard is not installed: '
              'pip install tensorboard', file=sys.stderr)
    iterations = {} if args.alone else {'ann': args.ann_iterations}
    with _Bar(iterations | {'snn': args.snn_iterations},
              disable=ranks.rank > 0) as bar:
        checkpoint = train(params, clips, Path(args.out), bar.update, ranks)
    if ranks.rank > 0:
        sys.exit(0)  # the first process has the same weights, it measures, writes and tells them
    card = dict(checkpoint.card)
    if unseen:
        card['metrics'] = (
            {'by_age': by_age(checkpoint, unseen), 'live': live(checkpoint, unseen)}
            if args.task == 'pose' else {'gestures': gestures_by_age(checkpoint, unseen)})
    ending = '' if args.task == 'pose' else f'_{args.task}'
    path = Path(args.out) / f'{params.preset}{ending}.safetensors'
    with writing(path):
        dataclasses.replace(checkpoint, card=card).save(path)
    return {'weights': str(path), 'card': card}


def show(result: dict[str, Any]) -> None:
    """Print what was measured."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    metrics = result['card'].get('metrics')
    if metrics and 'gestures' in metrics:
        for name, share in metrics['gestures']['right'].items():
            console.print(f'{name}: {share:.1%} right')
    elif metrics:
        table = Table('', 'mean [px]', 'median', 'to 30 ms', 'by age 10 ms, 20 ms ...')
        for name, row in metrics['by_age']['rows'].items():
            table.add_row(name, str(row['mpjpe_px']), str(row['median_px']),
                          str(row['mpjpe_px_to_30ms']), ' '.join(map(str, row['mpjpe_px_by_age'])))
        for name, row in metrics['live']['rows'].items():
            table.add_row(f'live {name}', str(row['mpjpe_px']), str(row['median_px']), '', '')
        console.print(table)
    console.print(f'weights: {result["weights"]}')


class _Bar:
    """Progress of both stages on stderr."""

    def __init__(self, iterations: dict[str, int], *, disable: bool):
        from rich.console import Console
        from rich.progress import Progress
        self._progress = Progress(*Progress.get_default_columns(), '{task.fields[loss]}',
                                  console=Console(stderr=True), disable=disable)
        self._tasks = {stage: self._progress.add_task(stage, total=total, loss='')
                       for stage, total in iterations.items()}

    def update(self, stage: str, iteration: int, figures: dict[str, float]) -> None:
        """Show an iteration that is done."""
        self._progress.update(self._tasks[stage], completed=iteration + 1,
                              loss=f'loss {figures["loss"]:.3f}')

    def __enter__(self):
        self._progress.start()
        return self

    def __exit__(self, *_):
        self._progress.stop()
