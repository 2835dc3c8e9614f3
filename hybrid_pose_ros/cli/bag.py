# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose bag`: score the recorded poses of a bag and rerun the tracker on its events."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.evaluation_arguments import add_weights_arguments, weights_of
from hybrid_pose_ros.cli.options import add_options, with_options
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.outputs import write_result

SUMMARY = 'Score the poses of a bag, rerun the tracker on its events, and compare.'
RERUN = EvaluationParams(ann_delay_us=10_000)
"""Settings of the rerun unless overridden by options or the bag."""
COLUMNS = {'mean': 'mpjpe_px', 'median': 'median_px', 'late': 'mpjpe_px_latency_aware',
           'moving': 'mpjpe_px_moving', 'resting': 'mpjpe_px_resting',
           'hidden': 'mpjpe_px_occluded', 'pck': 'pck_10px',
           'jitter': 'acceleration_error_px_s2'}
"""Columns of the table [px]; late: error of the newest pose available at the time of the label;
pck: within 10 px."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: bag, ground truth, weights and settings of the rerun."""
    parser.add_argument('bag', metavar='BAG', type=Path, help='bag folder, .mcap or .db3')
    parser.add_argument('--topic', help='topic of the event packets, if the bag has several')
    parser.add_argument('--truth', metavar='FILE', type=Path,
                        help="labels (.h5) in the bag's sensor time; if two bags are compared, "
                        'they are used for both (the ground truth recorded in each bag)')
    add_weights_arguments(parser)
    parser.add_argument('--against', metavar='BAG|FILE', type=Path,
                        help='compare with another bag, or with other weights (.safetensors)')
    add_options(parser, RERUN, 'step_us', default=f'as recorded, else {RERUN.step_us}')
    add_options(parser, RERUN, 'ann_rate_hz', 'ann_delay_us', 'quiet_events_per_s')
    parser.add_argument('--rows', default='', metavar='NAMES',
                        help='rows of the table to compute, comma-separated (all)')
    parser.add_argument('--no-re-run', action='store_true', help='score the recorded poses only')
    parser.add_argument('--partial', action='store_true',
                        help='evaluate the intact part of a truncated bag')
    parser.add_argument('--no-video', action='store_true')
    add_output(parser, '--output', 'folder', needs=('matplotlib', 'cv2'),
               metavar='DIR', type=Path,
               help='folder for result.json, plots, video and report.html')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Evaluate the bag, and the bag or weights to compare it with."""
    from hybrid_pose_ros.recordings.event_bag import EventBag
    sides = [(args.bag, args.checkpoint)]
    if args.against:
        if not args.against.exists():
            raise InputError(f'{args.against} does not exist: --against takes a bag or weights')
        sides.append((args.bag, str(args.against)) if args.against.suffix == '.safetensors'
                     else (args.against, args.checkpoint))
    for bag, weights in sides:  # validate the second before the first is run
        weights_of(weights, args.preset)
        EventBag(bag, args.topic)
    result, *others = (_evaluated(args, *side) for side in sides)
    if others:
        result['against'], = others
    return result


def write(args: argparse.Namespace, result: dict[str, Any]) -> dict[str, str]:
    """Write the report if a folder is given."""
    from hybrid_pose_ros.recorded_runs.bag_report import write_bag_report
    if not args.output:
        return {}
    return {'report': str(write_result(args.output, result, lambda: write_bag_report(
        result, args.output, video=not args.no_video)))}


def _evaluated(args: argparse.Namespace, bag: Path, weights: str) -> dict[str, Any]:
    from hybrid_pose_ros.evaluation.outcome import ROWS
    from hybrid_pose_ros.model.checkpoint import shipped_alone
    from hybrid_pose_ros.recorded_runs.bag_evaluation import evaluate_bag, recorded_step_us
    checkpoint = weights_of(weights, args.preset)
    as_recorded = replace(RERUN, step_us=recorded_step_us(bag) or RERUN.step_us)
    params = with_options(as_recorded, args)
    return evaluate_bag(
        bag, checkpoint, params, truth=args.truth, topic=args.topic,
        snn_checkpoint=None if weights else shipped_alone(checkpoint.preset.name),
        rows=tuple(args.rows.split(',')) if args.rows else ROWS, re_run=not args.no_re_run,
        partial=args.partial) | {'checkpoint': weights or f'shipped {checkpoint.preset.name}'}


def show(result: dict[str, Any]) -> None:
    """Print the tables, side by side if two are compared."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from hybrid_pose_ros.recorded_runs.bag_report import error_rows, run_rows, sides
    console = Console(highlight=False)

    def print_table(head, rows):
        table = Table(*map(escape, head), box=box.SIMPLE_HEAD, padding=(0, 0))
        for cells in rows:
            table.add_row(*map(escape, cells))
        console.print(table)
    print_table(['', *sides(result)], run_rows(result))
    rows = error_rows(result, COLUMNS.values())
    if rows:
        print_table(['error [px]', *COLUMNS], rows)
    else:
        console.print('no ground truth: pass a recording with labels as --truth for errors')
    if not all(side.get('trained', True) for side in sides(result).values()):
        console.print('[bold]the weights are random, not trained[/bold]')
