# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose evaluate3d`: triangulate the poses of several cameras and score them [mm]."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.evaluate import Bar
from hybrid_pose_ros.cli.evaluation_arguments import add_evaluation_arguments, weights_of
from hybrid_pose_ros.cli.executors import executor
from hybrid_pose_ros.cli.options import add_options, with_options
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.outputs import write_result
from hybrid_pose_ros.pose.triangulation import TriangulationParams

SUMMARY = 'Triangulate the poses of several cameras and compare them with labels [mm].'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: takes, weights and settings of the graphs."""
    parser.add_argument('--takes', nargs='+', required=True, metavar='DIR', type=Path,
                        help='folders with one recording (.h5) per camera, or parent folders of '
                             'such folders')
    add_evaluation_arguments(parser)
    add_options(parser, TriangulationParams, 'least_confidence', 'outlier_px')
    parser.add_argument('--no-blind', action='store_true',
                        help='skip the runs with one camera blinded, which double the run time')
    add_output(parser, '--output', 'folder', needs=('matplotlib',), metavar='DIR', type=Path,
               help='folder for result.json and a plot')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Evaluate the takes."""
    from hybrid_pose_ros.evaluation.evaluate3d import evaluate3d
    from hybrid_pose_ros.evaluation.takes import find_takes

    # The latency of poses is not evaluated here.
    params = with_options(EvaluationParams(ann_latency_us=0), args)
    trust = with_options(TriangulationParams(), args)
    takes = find_takes(args.takes)
    checkpoint = weights_of(args.checkpoint, args.preset)
    here = args.workers == 1 and args.dask is None
    with nullcontext() if here else executor(args) as others, \
            Bar(None, 'evaluate3d') as bar:
        return evaluate3d(checkpoint, takes, params, trust, blind=not args.no_blind,
                          executor=others, progress=bar.advance)


def write(args: argparse.Namespace, result: dict[str, Any]) -> dict[str, str]:
    """Write the figures if a folder is given."""
    from hybrid_pose_ros.evaluation.plots3d import plot_world
    if args.output:
        write_result(args.output, result, lambda: plot_world(result, args.output))
    return {}


def show(result: dict[str, Any]) -> None:
    """Print a line for each set of cameras."""
    settings = result['settings']
    print(f'{len(result["takes"])} takes, {1e6 / settings["step_us"]:g} Hz, ANN '
          f'{settings["ann_rate_hz"]:g} Hz. Errors in mm, mean and median; the hybrid\'s relative '
          'to the ANN\'s,\non average and by thirds of the time since the ANN pass; for the '
          'hybrid the reprojection error [px],\ncameras used, and joints without a point.\n')
    for name, line in result['gaps'].items():
        print(f'{name}: {line}')
    print(f'{"":19}{"ANN":>12}{"held":>12}{"hybrid":>12}  ratio   by thirds          px  used  '
          'none')
    for name, case in result['cases'].items():
        rows, hybrid = case['rows'], case['rows']['hybrid']
        errors = ''.join(f'{rows[row]["mpjpe_mm"]:7.1f}{rows[row]["median_mm"]:5.0f}'
                         for row in ('ann', 'ann_held', 'hybrid'))
        thirds = ' '.join(_ratio(third) for third in case['hybrid_to_ann_by_third'])
        missing = hybrid['joints_without_point'] / hybrid['joints']
        print(f'{_label(name, result["cameras"]):19}{errors}  {_ratio(case["hybrid_to_ann"])}  '
              f'{thirds}  {hybrid["reprojection_error_px"]:5.2f}  {hybrid["cameras_used"]:4.2f} '
              f'{missing:6.2%}')
    if not result['trained']:
        print('the weights are random, not trained')


def _ratio(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'


def _label(case: str, cameras: list[str]) -> str:
    """Return a short name of a set of cameras."""
    if case.endswith(' blinded'):
        return case.removeprefix('all, ')
    others = [name for name in cameras if name not in case.split(' + ')]
    if len(cameras) == 2 or len(others) > 1:
        return case
    return f'without {others[0]}' if others else f'all {len(cameras)}'
