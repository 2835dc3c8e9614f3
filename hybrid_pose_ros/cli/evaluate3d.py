# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose evaluate3d`: poses of several cameras, triangulated, against labels in the world."""

import argparse
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.evaluate import Bar
from hybrid_pose_ros.cli.executors import add_executor_arguments, executor
from hybrid_pose_ros.errors import InputError

SUMMARY = 'Triangulate the poses of several cameras and compare them with labels, in mm.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare takes, weights, and how the graphs are run."""
    parser.add_argument('--takes', nargs='+', required=True, metavar='DIR', type=Path,
                        help='folders with a recording (.h5) of each camera, or folders of such')
    parser.add_argument('--checkpoint', default='', metavar='FILE',
                        help='weights (.safetensors); those that ship with the preset')
    parser.add_argument('--preset', default='', metavar='NAME',
                        help='network (that of the weights, else edge)')
    parser.add_argument('--step-us', type=int, default=1_000, metavar='US',
                        help='length of a time bin [us] (1000)')
    parser.add_argument('--ann-rate', type=float, default=30.0, metavar='HZ',
                        help='initializations a second (30)')
    parser.add_argument('--stride-ms', type=float, default=0.0, metavar='MS',
                        help='between two instants that are scored [ms] (chosen)')
    parser.add_argument('--max-s', type=float, default=0.0, metavar='S',
                        help='only so much of each recording [s] (all)')
    parser.add_argument('--least-confidence', type=float, metavar='C',
                        help='a camera that is less sure of a joint does not count for it')
    parser.add_argument('--outlier-px', type=float, metavar='PX',
                        help='where more than two cameras see a joint, one farther than this from '
                        'where the others put it is left out; 0: none is')
    parser.add_argument('--no-blind', action='store_true',
                        help='do not blind cameras, one after the other: it takes as long again')
    add_executor_arguments(parser, workers=1)
    parser.add_argument('--output', metavar='DIR', type=Path,
                        help='folder for result.json and a picture')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Evaluate; write the figures where a folder is named."""
    from hybrid_pose_ros.checkpoint import load, shipped
    from hybrid_pose_ros.evaluation.evaluate3d import evaluate3d
    from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
    from hybrid_pose_ros.evaluation.takes import find_takes
    from hybrid_pose_ros.pose.triangulation import TriangulationParams

    params = EvaluationParams(step_us=args.step_us, ann_rate_hz=args.ann_rate, max_s=args.max_s,
                              stride_us=round(1e3 * args.stride_ms),
                              ann_latency_us=0)  # nothing here asks how late a pose is
    given = {name: getattr(args, name) for name in ('least_confidence', 'outlier_px')}
    trust = TriangulationParams(**{name: value for name, value in given.items()
                                   if value is not None})
    takes = find_takes(args.takes)
    if args.checkpoint:
        checkpoint = load(args.checkpoint, args.preset or None)
    else:
        checkpoint = shipped(args.preset or 'edge')
    here = args.workers == 1 and args.dask is None
    with nullcontext() if here else executor(args) as others, \
            Bar(None, 'evaluate3d') as bar:
        result = evaluate3d(checkpoint, takes, params, trust, blind=not args.no_blind,
                            executor=others, progress=bar.advance)
    if args.output:
        from hybrid_pose_ros.evaluation.plots3d import plot_world
        try:
            args.output.mkdir(parents=True, exist_ok=True)
            (args.output / 'result.json').write_text(json.dumps(result, indent=1))
            plot_world(result, args.output)
        except OSError as error:
            raise InputError(f'{args.output} cannot be written: {error}') from error
    return result


def show(result: dict[str, Any]) -> None:
    """Print a table of the sets of cameras."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    settings = result['settings']
    console.print(f'{len(result["takes"])} takes, {1e6 / settings["step_us"]:g} Hz, ANN '
                  f'{settings["ann_rate_hz"]:g} Hz; mean and median error in mm')
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0))
    table.add_column('cameras')
    for name in ('ANN', 'held', 'hybrid', 'hybrid / ANN', 'worst step', 'error px', 'used',
                 'no point'):
        table.add_column(name, justify='right', no_wrap=True)
    for name, case in result['cases'].items():
        rows, hybrid = case['rows'], case['rows']['hybrid']
        steps = [ratio for ratio in case['hybrid_to_ann_by_step'] if ratio is not None]
        errors = (f'{rows[row]["mpjpe_mm"]:.1f} {rows[row]["median_mm"]:.1f}'
                  for row in ('ann', 'ann_held', 'hybrid'))
        table.add_row(name, *errors, f'{case["hybrid_to_ann"]:.3f}', f'{max(steps):.3f}',
                      f'{hybrid["reprojection_error_px"]:.2f}', f'{hybrid["cameras_used"]:.2f}',
                      f'{hybrid["joints_without_point"] / hybrid["joints"]:.2%}')
    console.print(table)
    if not result['trained']:
        console.print('[bold]the weights are random, not trained[/bold]')
