# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose compare`: compare the accuracy of several weights by kind of recording."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.compare_tables import show as show
from hybrid_pose_ros.cli.evaluate import Bar
from hybrid_pose_ros.cli.evaluation_arguments import add_evaluation_arguments, weights_of
from hybrid_pose_ros.cli.executors import executor
from hybrid_pose_ros.cli.options import with_options
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import write_result

SUMMARY = 'Compare weights on each kind of recording.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: recordings, weights and settings of the run."""
    parser.add_argument('--kinds', type=Path, metavar='DIR',
                        help='folder with one subfolder of labeled recordings (.h5) per kind')
    parser.add_argument('--real', type=Path, metavar='DIR',
                        help='folder of labeled clips of real people (.h5); each clip is listed '
                        'separately and does not affect the decision to ship')
    add_evaluation_arguments(parser)
    parser.add_argument('--against', nargs='+', metavar='FILE', default=[],
                        help='weights to compare with (those shipped with the preset, if '
                        '--checkpoint is given)')
    parser.add_argument('--hybrid', action='store_true',
                        help='also run the complete hybrid, with fusion')
    add_output(parser, '--output', 'folder', needs=('matplotlib',), metavar='DIR', type=Path,
               help='folder for result.json and a plot')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Score the weights."""
    from hybrid_pose_ros.evaluation.compare import REAL, ROWS, compare, find_kinds
    from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
    from hybrid_pose_ros.model.checkpoint import load, shipped

    params = with_options(EvaluationParams(), args)
    kinds = find_kinds(args.kinds) if args.kinds else {}
    if args.real:
        if REAL in kinds:
            raise InputError(f'{args.kinds} has a kind {REAL!r}, a name reserved for --real: '
                             'rename it')
        kinds[REAL] = sorted(args.real.glob('*.h5'))
        if not kinds[REAL]:
            raise InputError(f'no recordings (.h5) in {args.real}')
    if not kinds:
        raise InputError('no recordings to score: pass a folder as --kinds or --real')
    first = weights_of(args.checkpoint, args.preset)
    others = [load(path) for path in args.against]
    if args.checkpoint and not others:
        others = [shipped(first.preset.name)]
    files = [args.checkpoint or 'shipped', *(args.against or ['shipped'] * len(others))]
    checkpoints = dict(zip('ABCDEFGHIJKLMNOPQRSTUVWXYZ', [first, *others]))
    here = args.workers == 1 and args.dask is None
    with nullcontext() if here else executor(args) as pool, \
            Bar(sum(map(len, kinds.values())), 'compare') as bar:
        result = compare(checkpoints, kinds, params, rows=ROWS if args.hybrid else ROWS[:1],
                         executor=pool, progress=bar.advance)
    for name, file in zip(checkpoints, files):
        result['weights'][name]['file'] = file
    return result


def write(args: argparse.Namespace, result: dict[str, Any]) -> dict[str, str]:
    """Write result.json and a plot if a folder is given."""
    from hybrid_pose_ros.evaluation.plot_kinds import plot_kinds
    if not args.output:
        return {}
    return {'plot': str(write_result(args.output, result,
                                     lambda: plot_kinds(result, args.output)))}
