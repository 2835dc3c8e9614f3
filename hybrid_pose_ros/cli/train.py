# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose train`: train weights on a corpus of labeled recordings."""

import argparse
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.cli.progress_bars import StageBars
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.checkpoint import Checkpoint, load
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.outputs import writing

SUMMARY = 'Train ANN, SNN and heads on folders of labeled recordings; resumes an interrupted run.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: folders and training settings."""
    parser.add_argument('--corpus', nargs='+', metavar='DIR', default=[],
                        help='labeled recordings (.h5) to train on')
    parser.add_argument('--stream', metavar='DIR',
                        help='motion capture (.npz): train the ANN on an endless stream of '
                        'rendered scenes, and the SNN on the corpus')
    parser.add_argument('--draws', type=float, metavar='N',
                        help='windows drawn from each scene of the stream (16)')
    parser.add_argument('--kept', type=int, metavar='N',
                        help='number of stream scenes that a batch is drawn from (256)')
    parser.add_argument('--workers', type=int, metavar='N',
                        help='processes that render the stream (1)')
    parser.add_argument('--averaged', type=float, metavar='D',
                        help='decay of the moving average of the ANN weights; 0: no average (0)')
    parser.add_argument('--validation', metavar='DIR',
                        help='recordings of other people, to validate on')
    add_output(parser, '--output', 'folder', required=True, metavar='DIR',
               help='folder for the weights, the log, and files to resume from')
    parser.add_argument('--preset', default='edge', metavar='NAME', help='network (edge)')
    parser.add_argument('--network', default='', metavar='FILE',
                        help='custom network of that kind: a card of weights, or its '
                        '`network` section, edited (.json)')
    parser.add_argument('--task', default='pose', metavar='NAME',
                        help='pose, or gesture, where names of recordings begin with their '
                        'gesture, as in wave_01.h5 (pose)')
    parser.add_argument('--start', default='', metavar='FILE',
                        help='weights (.safetensors) to start from instead of random ones; if '
                        'they are for another task, matching layers are used')
    parser.add_argument('--ann-learning-rate', type=float, metavar='R',
                        help='highest learning rate of the ANN (0.003; paper: 0.0001)')
    parser.add_argument('--snn-learning-rate', type=float, metavar='R',
                        help='highest learning rate of SNN and heads (0.002; paper: 0.00005)')
    parser.add_argument('--ann-batch', type=int, metavar='N',
                        help='windows in an ANN batch, per process (16; paper: 8)')
    parser.add_argument('--snn-batch', type=int, metavar='N',
                        help='streams in an SNN batch, per process (8; paper: 2 windows)')
    parser.add_argument('--seed', type=int, default=0, help='random seed of initial weights and '
                                                            'batches (0)')
    parser.add_argument('--device', default='auto', help='device: auto, cpu or cuda (auto)')
    parser.add_argument('--threads', type=int, default=1, help='torch threads on a CPU (1)')
    parser.add_argument('--precision', metavar='P',
                        help='precision of convolutions: bf16, with weights in fp32, or fp32 '
                        '(bf16 where the CPU or GPU supports it; paper: fp32)')
    parser.add_argument('--alone', action='store_true',
                        help='train only an SNN that runs without an ANN, for '
                        '`evaluate --snn-checkpoint`')
    parser.add_argument('--ann-iterations', type=int, metavar='N',
                        help='batches of the ANN (20000; paper: 6 epochs); fewer than were done: '
                        'none')
    parser.add_argument('--snn-iterations', type=int, metavar='N',
                        help='batches of SNN and heads (20000; paper: 3 epochs); fewer than were '
                        'done: none')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Train; return the path and card of the weights, in the first of several processes."""
    import torch

    from hybrid_pose_ros.training.corpus import load_clips
    from hybrid_pose_ros.training.log import summary_writer
    from hybrid_pose_ros.training.ranks import Ranks
    from hybrid_pose_ros.training.tasks import TASKS

    if args.threads < 1:
        raise InputError(f'--threads is {args.threads}, but must be 1 or more')
    if args.alone and args.validation:
        raise InputError('--validation requires a hybrid: evaluate an SNN that runs alone with '
                         '`hybrid-pose evaluate --snn-checkpoint`')
    torch.set_num_threads(args.threads)
    train = (_own if preset(args.preset).logits else _published)(args)
    ranks = Ranks.of_environment()
    unseen = load_clips(args.validation) if args.validation and ranks.rank == 0 else []
    if not args.corpus and (args.stream is None or args.snn_iterations != 0):
        raise InputError('--corpus is missing: pass folders with recordings (.h5); only the ANN '
                         'can be trained on --stream alone, with --snn-iterations 0')
    clips = load_clips(*args.corpus)
    if ranks.rank == 0 and summary_writer() is None:
        print('hybrid-pose train: no curves, because TensorBoard is not installed: '
              'pip install tensorboard', file=sys.stderr)
    with StageBars(disable=ranks.rank > 0) as bars:
        checkpoint = train(clips, bars, ranks)
    if ranks.rank > 0:
        sys.exit(0)  # only the first process validates, writes and reports
    card = dict(checkpoint.card)
    if unseen:
        card['metrics'] = TASKS[args.task].metrics(checkpoint, unseen)
    ending = '' if args.task == 'pose' else f'_{args.task}'
    path = Path(args.output) / f'{args.preset}{ending}.safetensors'
    with writing(path):
        dataclasses.replace(checkpoint, card=card).save(path)
    return {'weights': str(path), 'card': card}


def _own(args: argparse.Namespace) -> Callable[..., Checkpoint]:
    """Return the function that trains a network of this project on (clips, bars, ranks)."""
    from hybrid_pose_ros.training.run import TrainingParams, train

    given = {name: getattr(args, name) for name in (
        'preset', 'network', 'task', 'start', 'seed', 'device', 'precision', 'alone', 'ann_batch',
        'snn_batch', 'ann_iterations', 'ann_learning_rate', 'snn_iterations', 'snn_learning_rate',
        'averaged')
        if getattr(args, name) is not None}
    params = TrainingParams(**given)
    stream = _stream(args)
    totals = {'ann': params.ann_iterations, 'snn': params.snn_iterations}
    return lambda clips, bars, ranks: train(
        params, clips, Path(args.output), lambda stage, iteration, figures: bars.update(
            stage, iteration + 1, totals[stage], f'loss {figures["loss"]:.3f}'), ranks, stream)


def _stream(args: argparse.Namespace):
    """Return the parameters of the stream, or None without one."""
    from hybrid_pose_ros.training.stream import StreamParams

    given = {name: getattr(args, name) for name in ('draws', 'kept', 'workers')
             if getattr(args, name) is not None}
    if args.stream is None:
        if given:
            raise InputError(f'--{next(iter(given))} requires a stream: add --stream DIR')
        return None
    return StreamParams(motion=args.stream, **given)


def _published(args: argparse.Namespace) -> Callable[..., Checkpoint]:
    """Return the function that trains a published network by its recipe."""
    import torch

    from hybrid_pose_ros.training.recipe_run import changed, train_by_recipe
    from hybrid_pose_ros.training.recipes import recipes
    from hybrid_pose_ros.training.run import device_named

    if args.task != 'pose':
        raise InputError(f'--task {args.task} is not supported by preset {args.preset}, whose '
                         'recipe '
                         'is for poses: train edge')
    if args.stream or args.averaged:
        raise InputError(f'--stream and --averaged are not supported by preset {args.preset}, '
                         'which is trained as published')
    if args.network:
        raise InputError(f'--network is not supported by preset {args.preset}, which is trained '
                         'as '
                         'published')
    if args.alone:
        raise InputError(f'--alone is not supported by preset {args.preset}: train and score its '
                         'SNN with '
                         '`hybrid-pose reproduce --systems snn`')
    if args.precision not in (None, 'fp32'):
        raise InputError(f'--precision {args.precision} is not supported by preset {args.preset}, '
                         'which is trained in fp32, as published')
    chosen = recipes(args.preset)
    for part, system in (('ann', 'ann'), ('snn', 'hybrid_snn')):
        chosen = changed(chosen, system, learning_rate=getattr(args, f'{part}_learning_rate'),
                         batch=getattr(args, f'{part}_batch'),
                         iterations=getattr(args, f'{part}_iterations'))
    start = load(args.start, args.preset) if args.start else None
    return lambda clips, bars, ranks: train_by_recipe(
        chosen, preset(args.preset), clips, Path(args.output),
        torch.device(device_named(args.device, ranks)), start=start, seed=args.seed, ranks=ranks,
        progress=bars.update)


def kept(args: argparse.Namespace) -> str:
    """Return what an interrupt keeps."""
    saved = sorted(map(str, Path(args.output).glob('*.pt')))
    if not saved:
        return f'nothing was saved to {args.output} yet'
    return f'{", ".join(saved)} kept: run the same command again to resume'


def show(result: dict[str, Any]) -> None:
    """Print the validation results."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    metrics = result['card'].get('metrics') or {}
    if 'gestures' in metrics:
        for name, share in metrics['gestures']['right'].items():
            console.print(f'{name}: {share:.1%} right')
    if 'by_age' in metrics:
        table = Table('', 'mean [px]', 'median', 'to 30 ms', 'by age 10 ms, 20 ms ...')
        for name, row in metrics['by_age']['rows'].items():
            table.add_row(name, str(row['mpjpe_px']), str(row['median_px']),
                          str(row['mpjpe_px_to_30ms']), ' '.join(map(str, row['mpjpe_px_by_age'])))
        for name, row in metrics['live']['rows'].items():
            table.add_row(f'live {name}', str(row['mpjpe_px']), str(row['median_px']), '', '')
        console.print(table)
    console.print(f'weights: {result["weights"]}')
