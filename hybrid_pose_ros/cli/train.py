# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose train`: train weights on a corpus of labeled recordings."""

import argparse
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.options import add_options, with_options
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.cli.progress_bars import StageBars
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.checkpoint import Checkpoint, load
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.outputs import writing
from hybrid_pose_ros.training.training_params import StreamParams, TrainingParams

SUMMARY = 'Train ANN, SNN and heads on folders of labeled recordings; resume an interrupted run.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: folders and training settings."""
    parser.add_argument('--corpus', nargs='+', metavar='DIR', default=[],
                        help='folders of labeled recordings (.h5) to train on')
    parser.add_argument('--stream', metavar='DIR',
                        help='folder of motion capture (.npz): train the ANN on an endless stream '
                        'of rendered scenes, and the SNN on the corpus')
    add_options(parser, StreamParams, 'draws', 'kept', 'workers')
    parser.add_argument('--validation', metavar='DIR',
                        help='folder of recordings of other people to validate on')
    add_output(parser, '--output', 'folder', required=True, metavar='DIR',
               help='folder for the weights, the log, and files to resume from')
    add_options(parser, TrainingParams, 'preset', 'network', 'task', 'start', 'seed', 'device')
    parser.add_argument('--threads', type=int, default=1, help='torch threads on a CPU (1)')
    parser.add_argument('--alone', action='store_true',
                        help='train only an SNN that runs without an ANN, the baseline for '
                        '`evaluate --snn-checkpoint`')
    stages = parser.add_argument_group('the two stages; with preset paper, the defaults are those '
                                       'of its recipe')
    add_options(stages, TrainingParams, 'precision', 'averaged', 'ann_learning_rate',
                'snn_learning_rate', 'ann_batch', 'snn_batch', 'ann_iterations', 'snn_iterations')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Train; return the path and card of the weights, in the first of several processes."""
    import torch

    from hybrid_pose_ros.training.corpus import load_clips
    from hybrid_pose_ros.training.log import summary_writer
    from hybrid_pose_ros.training.ranks import Ranks
    from hybrid_pose_ros.training.tasks import TASKS

    if args.threads < 1:
        raise InputError(f'--threads is {args.threads}, but must be 1 or more')
    params = with_options(TrainingParams(), args)
    if params.alone and args.validation:
        raise InputError('--validation requires a hybrid: evaluate an SNN that runs alone with '
                         '`hybrid-pose evaluate --snn-checkpoint`')
    torch.set_num_threads(args.threads)
    train = (_own if preset(params.preset).logits else _published)(args, params)
    ranks = Ranks.of_environment()
    unseen = load_clips(args.validation) if args.validation and ranks.rank == 0 else []
    if not args.corpus and (args.stream is None or params.snn_iterations):
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
        card['metrics'] = TASKS[params.task].metrics(checkpoint, unseen)
    ending = '' if params.task == 'pose' else f'_{params.task}'
    path = Path(args.output) / f'{params.preset}{ending}.safetensors'
    with writing(path):
        dataclasses.replace(checkpoint, card=card).save(path)
    return {'weights': str(path), 'card': card}


def _own(args: argparse.Namespace, params: TrainingParams) -> Callable[..., Checkpoint]:
    """Return the function that trains a network of this project on (clips, bars, ranks)."""
    from hybrid_pose_ros.training.run import train

    stream = _stream(args)
    totals = {'ann': params.ann_iterations, 'snn': params.snn_iterations}
    return lambda clips, bars, ranks: train(
        params, clips, Path(args.output), lambda stage, iteration, figures: bars.update(
            stage, iteration + 1, totals[stage], f'loss {figures["loss"]:.3f}'), ranks, stream)


def _stream(args: argparse.Namespace) -> StreamParams | None:
    """Return the parameters of the stream, or None without one."""
    given = [name for name in ('draws', 'kept', 'workers') if hasattr(args, name)]
    if args.stream is None:
        if given:
            raise InputError(f'--{given[0]} requires a stream: add --stream DIR')
        return None
    return with_options(StreamParams(motion=args.stream), args)


def _published(args: argparse.Namespace, params: TrainingParams) -> Callable[..., Checkpoint]:
    """Return the function that trains a published network by its recipe."""
    import torch

    from hybrid_pose_ros.training.recipe_run import changed, train_by_recipe
    from hybrid_pose_ros.training.recipes import recipes
    from hybrid_pose_ros.training.run import device_named

    name = params.preset
    if params.task != 'pose':
        raise InputError(f'--task {params.task} is not supported by preset {name}, whose recipe '
                         'is for poses: train edge')
    if args.stream or params.averaged:
        raise InputError(f'--stream and --averaged are not supported by preset {name}, which is '
                         'trained as published')
    if params.network:
        raise InputError(f'--network is not supported by preset {name}, which is trained as '
                         'published')
    if params.alone:
        raise InputError(f'--alone is not supported by preset {name}: train and score its SNN '
                         'with `hybrid-pose reproduce --systems snn`')
    if params.precision not in ('auto', 'fp32'):
        raise InputError(f'--precision {params.precision} is not supported by preset {name}, '
                         'which is trained in fp32, as published')
    chosen, given = recipes(name), vars(args)
    for part, system in (('ann', 'ann'), ('snn', 'hybrid_snn')):
        chosen = changed(chosen, system, learning_rate=given.get(f'{part}_learning_rate'),
                         batch=given.get(f'{part}_batch'),
                         iterations=given.get(f'{part}_iterations'))
    start = load(params.start, name) if params.start else None
    return lambda clips, bars, ranks: train_by_recipe(
        chosen, preset(name), clips, Path(args.output),
        torch.device(device_named(params.device, ranks)), start=start, seed=params.seed,
        ranks=ranks, progress=bars.update)


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
