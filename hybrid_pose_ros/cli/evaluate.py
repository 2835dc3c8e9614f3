# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose evaluate`: evaluate the hybrid and its baselines on labeled recordings."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_pose_ros.cli.evaluation_arguments import add_evaluation_arguments, weights_of
from hybrid_pose_ros.cli.executors import executor
from hybrid_pose_ros.cli.options import add_options, with_options
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.outputs import write_result

SUMMARY = ('Compare the hybrid with the ANN, with held or filtered ANN poses, and with the SNN '
           'alone.')
COLUMNS = {'mean': 'mpjpe_px', 'median': 'median_px', 'late': 'mpjpe_px_latency_aware',
           'moving': 'mpjpe_px_moving', 'resting': 'mpjpe_px_resting',
           'hidden': 'mpjpe_px_occluded'}
"""Columns of the table [px]; late: error of the newest output available at each instant."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: recordings, weights and settings of the graph."""
    parser.add_argument('--recording', nargs='+', required=True, metavar='FILE', type=Path,
                        help='labeled recordings (.h5), or folders of them')
    add_evaluation_arguments(parser)
    parser.add_argument('--snn-checkpoint', default='', metavar='FILE',
                        help='weights of an SNN trained to run alone (the shipped ones, if the '
                        'shipped hybrid is evaluated)')
    add_options(parser, EvaluationParams, 'ann_delay_us', 'replay', 'quiet_events_per_s',
                'ann_latency_us', 'pose_latency_us', 'seed')
    parser.add_argument('--rows', default='', metavar='NAMES',
                        help='rows to compute, comma-separated (all)')
    parser.add_argument('--sweep', nargs='+', default=[], metavar='NAME',
                        help='also vary step_rate, ann_rate, ann_delay, ann_delay_no_replay, '
                        'no_init, holding, density, noise, robustness, or all of them')
    add_output(parser, '--output', 'folder', needs=('matplotlib',), metavar='DIR', type=Path,
               help='folder for result.json, plots and report.html')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Evaluate the recordings."""
    from hybrid_pose_ros.evaluation.evaluate import evaluate
    from hybrid_pose_ros.evaluation.outcome import ROWS
    from hybrid_pose_ros.evaluation.sweeps import SWEEPS, sweep
    from hybrid_pose_ros.model.checkpoint import load, shipped_alone

    params = with_options(EvaluationParams(), args)
    recordings = _paths(args.recording)
    checkpoint = weights_of(args.checkpoint, args.preset)
    alone = None
    if args.snn_checkpoint:
        alone = load(args.snn_checkpoint, checkpoint.preset.name)
    elif not args.checkpoint:
        alone = shipped_alone(checkpoint.preset.name)
    rows = tuple(args.rows.split(',')) if args.rows else ROWS
    sweeps = list(SWEEPS) if args.sweep == ['all'] else args.sweep
    unknown = [name for name in sweeps if name not in SWEEPS]
    if unknown:
        raise InputError(f'unknown sweep {unknown[0]!r}: choose from {", ".join(SWEEPS)}, '
                         'all')
    passes = 1 + sum(len(SWEEPS[name].values) for name in sweeps)
    here = args.workers == 1 and args.dask is None
    with nullcontext() if here else executor(args) as others, \
            Bar(passes * len(recordings), 'evaluate') as bar:
        result = evaluate(checkpoint, recordings, params, snn_checkpoint=alone, rows=rows,
                          executor=others, progress=bar.advance)
        if sweeps:
            result['sweeps'] = [sweep(name, checkpoint, recordings, params, executor=others,
                                      progress=bar.advance) for name in sweeps]
    return result


def write(args: argparse.Namespace, result: dict[str, Any]) -> dict[str, str]:
    """Write the report if a folder is given."""
    from hybrid_pose_ros.evaluation.html_report import write_report
    if not args.output:
        return {}
    return {'report': str(write_result(args.output, result, lambda: write_report(
        result, args.output)))}


def show(result: dict[str, Any]) -> None:
    """Print the table and the ratios."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    settings, scored = result['settings'], result['scored']
    console.print(f'{len(result["recordings"])} recordings, {scored["instants"]} instants; '
                  f'{1e6 / settings["step_us"]:g} Hz, ANN {settings["ann_rate_hz"]:g} Hz and '
                  f'{settings["ann_delay_us"] * 1e-3:g} ms late; errors in px, honest power')
    for name, line in result['gaps'].items():
        console.print(f'{name}: {line}')
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0))
    table.add_column('', no_wrap=True)
    for name in (*COLUMNS, 'mW', 'saved'):
        table.add_column(name, justify='right', no_wrap=True)
    for name, row in result['rows'].items():
        power = row['energy']['honest']['45nm']
        table.add_row(name, *(_text(row[key]) for key in COLUMNS.values()),
                      f'{power["mw"]:.1f}',
                      f'{100 * power["saving_against_ann"]:.1f}%')
    console.print(table)
    console.print('hybrid relative to (late): ' + _ratios(result['ratios']))
    console.print('hybrid minus, by recording [px]: ' + _differences(result['differences']))
    for name, row in result['rows'].items():
        if 'note' in row:
            console.print(f'{name}: {row["note"]}')
    for swept in result.get('sweeps', []):
        console.print(_sweep_table(swept))
    if not result['trained']:
        console.print('[bold]the weights are random, not trained[/bold]')


def _ratios(ratios: dict[str, float]) -> str:
    return ', '.join(
        f'{name.removeprefix("hybrid_to_")} {ratio:.2f} ({ratios[name + "_latency_aware"]:.2f})'
        for name, ratio in ratios.items() if name + '_latency_aware' in ratios)


def _differences(differences: dict[str, dict[str, float | None]]) -> str:
    return ', '.join(f'{name.removeprefix("hybrid_minus_")} {_text(found["mean_px"])} ± '
                     f'{_text(found["standard_error_px"])}'
                     for name, found in differences.items())


def _sweep_table(swept: dict[str, Any]):
    from rich import box
    from rich.table import Table

    table = Table(swept['axis'], *swept['points'][0]['rows'], title=swept['name'],
                  box=box.SIMPLE_HEAD)
    for point in swept['points']:
        values = np.atleast_1d(point['value'])
        table.add_row('; '.join(f'{value:g}' for value in values), *(_text(row['mpjpe_px'])
                                               for row in point['rows'].values()))
    return table


def _text(value: float | None) -> str:
    return '-' if value is None else f'{value:.2f}'


def _paths(given: list[Path]) -> list[Path]:
    """Return the recordings; those of a folder are sorted by name."""
    paths = []
    for path in given:
        found = sorted(path.glob('*.h5')) if path.is_dir() else [path]
        if not found:
            raise InputError(f'no recordings (.h5) in {path}')
        paths += found
    return paths


class Bar:
    """Progress bar on stderr, if it is a terminal; a total of None is unknown."""

    def __init__(self, total: int | None, title: str):
        from rich.console import Console
        from rich.progress import Progress
        console = Console(stderr=True)
        self._progress = Progress(*Progress.get_default_columns(), console=console,
                                  disable=not console.is_terminal)
        self._task = self._progress.add_task(title, total=total)

    def advance(self, name: str) -> None:
        """Count a finished recording."""
        self._progress.update(self._task, advance=1, description=name)

    def __enter__(self) -> 'Bar':
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
