# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose train`: weights from a corpus of recordings with labels."""

import argparse
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hybrid_pose_ros.checkpoint import Checkpoint, load
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.cli.progress_bars import StageBars
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import writing
from hybrid_pose_ros.presets import preset

SUMMARY = 'Train ANN, SNN and heads on a folder of recordings with labels; resumes where it was.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare folders and what a run is."""
    parser.add_argument('--corpus', nargs='+', metavar='DIR', default=[],
                        help='recordings (.h5) to train on')
    parser.add_argument('--stream', metavar='DIR',
                        help='motion capture (.npz): the ANN learns from an endless stream of '
                        'scenes that are rendered meanwhile, the SNN from the corpus')
    parser.add_argument('--draws', type=float, metavar='N',
                        help='windows drawn from each scene of the stream (16)')
    parser.add_argument('--kept', type=int, metavar='N',
                        help='scenes of the stream that a batch draws from (256)')
    parser.add_argument('--workers', type=int, metavar='N',
                        help='processes that render the stream (1)')
    parser.add_argument('--averaged', type=float, metavar='D',
                        help='decay of the moving average of the ANN that training ends with (0)')
    parser.add_argument('--validation', metavar='DIR',
                        help='recordings of other people, to measure the weights on')
    add_output(parser, '--out', 'folder', required=True, metavar='DIR',
               help='log, files to resume from, and the weights')
    parser.add_argument('--preset', default='edge', metavar='NAME', help='network (edge)')
    parser.add_argument('--network', default='', metavar='FILE',
                        help='network of that kind in other sizes: a card of weights, or its '
                        '`network` alone, with changes (.json)')
    parser.add_argument('--task', default='pose', metavar='NAME',
                        help='pose, or gesture: the name of a recording begins with what it '
                        'shows, as in wave_01.h5 (pose)')
    parser.add_argument('--start', default='', metavar='FILE',
                        help='weights (.safetensors) to start from, instead of random ones; of '
                        'those for another task what fits')
    parser.add_argument('--ann-rate', type=float, metavar='R',
                        help='highest learning rate of the ANN (0.003; paper: 0.0001)')
    parser.add_argument('--snn-rate', type=float, metavar='R',
                        help='highest learning rate of SNN and heads (0.002; paper: 0.00005)')
    parser.add_argument('--ann-batch', type=int, metavar='N',
                        help='windows in a batch of the ANN, a process (16; paper: 8)')
    parser.add_argument('--snn-batch', type=int, metavar='N',
                        help='streams in a batch of the SNN, a process (8; paper: 2 windows)')
    parser.add_argument('--seed', type=int, default=0, help='of first weights and batches (0)')
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda (auto)')
    parser.add_argument('--threads', type=int, default=1, help='of torch on a CPU (1)')
    parser.add_argument('--precision', metavar='P',
                        help='of convolutions: bf16, with weights in fp32, or fp32 (bf16 where '
                        'the CPU or GPU is fast at it; paper: fp32)')
    parser.add_argument('--alone', action='store_true',
                        help='train an SNN that runs without an ANN, and nothing else, for '
                        '`evaluate --snn-checkpoint`')
    parser.add_argument('--ann-iterations', type=int, metavar='N',
                        help='batches of the ANN (20000; paper: 6 epochs); fewer than were done: '
                        'none')
    parser.add_argument('--snn-iterations', type=int, metavar='N',
                        help='batches of SNN and heads (20000; paper: 3 epochs); fewer than were '
                        'done: none')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Return where the weights are, and their card; only the first of several processes does."""
    import torch

    from hybrid_pose_ros.training.corpus import load_clips
    from hybrid_pose_ros.training.gestures import gestures_by_age
    from hybrid_pose_ros.training.log import summary_writer
    from hybrid_pose_ros.training.ranks import Ranks
    from hybrid_pose_ros.training.validation import by_age, live

    if args.threads < 1:
        raise InputError(f'--threads is {args.threads}, but must be 1 or more')
    if args.alone and args.validation:
        raise InputError('--validation measures a hybrid: measure weights that run alone with '
                         '`hybrid-pose evaluate --snn-checkpoint`')
    torch.set_num_threads(args.threads)
    train = (_own if preset(args.preset).logits else _published)(args)
    ranks = Ranks.of_environment()
    unseen = load_clips(args.validation) if args.validation and ranks.rank == 0 else []
    if not args.corpus and (args.stream is None or args.snn_iterations != 0):
        raise InputError('--corpus is missing: name folders with recordings (.h5); only an ANN '
                         'learns from a --stream alone, with --snn-iterations 0')
    clips = load_clips(*args.corpus)
    if ranks.rank == 0 and summary_writer() is None:
        print('hybrid-pose train: no curves, as TensorBoard is not installed: '
              'pip install tensorboard', file=sys.stderr)
    with StageBars(disable=ranks.rank > 0) as bars:
        checkpoint = train(clips, bars, ranks)
    if ranks.rank > 0:
        sys.exit(0)  # the first process has the same weights, it measures, writes and tells them
    card = dict(checkpoint.card)
    if unseen:
        card['metrics'] = (
            {'by_age': by_age(checkpoint, unseen), 'live': live(checkpoint, unseen)}
            if args.task == 'pose' else {'gestures': gestures_by_age(checkpoint, unseen)})
    ending = '' if args.task == 'pose' else f'_{args.task}'
    path = Path(args.out) / f'{args.preset}{ending}.safetensors'
    with writing(path):
        dataclasses.replace(checkpoint, card=card).save(path)
    return {'weights': str(path), 'card': card}


def _own(args: argparse.Namespace) -> Callable[..., Checkpoint]:
    """Return what trains one of our own networks on (clips, bars, ranks)."""
    from hybrid_pose_ros.training.run import TrainingParams, train

    given = {name: getattr(args, name) for name in (
        'preset', 'network', 'task', 'start', 'seed', 'device', 'precision', 'alone', 'ann_batch',
        'snn_batch', 'ann_iterations', 'ann_rate', 'snn_iterations', 'snn_rate', 'averaged')
        if getattr(args, name) is not None}
    params = TrainingParams(**given)
    stream = _stream(args)
    totals = {'ann': params.ann_iterations, 'snn': params.snn_iterations}
    return lambda clips, bars, ranks: train(
        params, clips, Path(args.out), lambda stage, iteration, figures: bars.update(
            stage, iteration + 1, totals[stage], f'loss {figures["loss"]:.3f}'), ranks, stream)


def _stream(args: argparse.Namespace):
    """Return the parameters of the stream, None without one."""
    from hybrid_pose_ros.training.stream import StreamParams

    given = {name: getattr(args, name) for name in ('draws', 'kept', 'workers')
             if getattr(args, name) is not None}
    if args.stream is None:
        if given:
            raise InputError(f'--{next(iter(given))} is of a stream: give --stream DIR, too')
        return None
    return StreamParams(motion=args.stream, **given)


def _published(args: argparse.Namespace) -> Callable[..., Checkpoint]:
    """Return what trains a published network by its recipe on (clips, bars, ranks)."""
    import torch

    from hybrid_pose_ros.training.recipe_run import changed, train_by_recipe
    from hybrid_pose_ros.training.recipes import recipes
    from hybrid_pose_ros.training.run import device_named

    if args.task != 'pose':
        raise InputError(f'--task {args.task} is not for preset {args.preset}, whose recipe is '
                         'for poses: train edge')
    if args.stream or args.averaged:
        raise InputError(f'--stream and --averaged are not for preset {args.preset}, which is '
                         'trained as published')
    if args.network:
        raise InputError(f'--network is not for preset {args.preset}, which is trained as '
                         'published')
    if args.alone:
        raise InputError(f'--alone is not for preset {args.preset}: train and score its SNN with '
                         '`hybrid-pose reproduce --systems snn`')
    if args.precision not in (None, 'fp32'):
        raise InputError(f'--precision {args.precision} is not for preset {args.preset}, which is '
                         'trained in fp32, as published')
    chosen = recipes(args.preset)
    for part, system in (('ann', 'ann'), ('snn', 'hybrid_snn')):
        chosen = changed(chosen, system, learning_rate=getattr(args, f'{part}_rate'),
                         batch=getattr(args, f'{part}_batch'),
                         iterations=getattr(args, f'{part}_iterations'))
    start = load(args.start, args.preset) if args.start else None
    return lambda clips, bars, ranks: train_by_recipe(
        chosen, preset(args.preset), clips, Path(args.out),
        torch.device(device_named(args.device, ranks)), start=start, seed=args.seed, ranks=ranks,
        progress=bars.update)


def kept(args: argparse.Namespace) -> str:
    """Return what an interrupt leaves."""
    saved = sorted(map(str, Path(args.out).glob('*.pt')))
    if not saved:
        return f'nothing was saved to {args.out} yet'
    return f'{", ".join(saved)} kept: the same command resumes from there'


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
