# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose study`: answer an open question of the paper with figures and a plot."""

import argparse
import importlib
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import writing
from hybrid_pose_ros.studies import STUDIES

SUMMARY = 'Answer an open question of the paper: ' + ', '.join(STUDIES) + '.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: study, recordings and weights."""
    parser.add_argument('name', choices=STUDIES, metavar='NAME',
                        help='; '.join(f'{name}: {text}' for name, text in STUDIES.items()))
    parser.add_argument('--recording', nargs='+', default=[], metavar='DIR', type=Path,
                        help='folders of labeled recordings (.h5) to measure on; `task` simulates '
                        'its own if none are given')
    parser.add_argument('--corpus', nargs='+', default=[], metavar='DIR', type=Path,
                        help='folders of training recordings of other people, for studies that '
                             'train')
    add_output(parser, '--output', 'folder', needs=('matplotlib',),
               required=True, metavar='DIR', type=Path,
               help='folder for the result (.json), the plot, and files to resume '
               'from')
    parser.add_argument('--checkpoint', default='', metavar='FILE',
                        help='weights (.safetensors) to study (those shipped with edge)')
    parser.add_argument('--batches', type=int, default=150, metavar='N',
                        help='number of batches in each training run (150)')
    parser.add_argument('--seed', type=int, default=0)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Run one study; write its result and plot to the folder."""
    from rich.console import Console

    from hybrid_pose_ros.studies.options import Options, write

    if args.batches < 1:
        raise InputError(f'--batches is {args.batches}, but must be 1 or more')
    with writing(args.output):
        args.output.mkdir(parents=True, exist_ok=True)
    module = importlib.import_module(f'hybrid_pose_ros.studies.{args.name}')
    with Console(stderr=True).status(args.name) as status:
        options = Options(
            recordings=tuple(args.recording), output=args.output, corpus=tuple(args.corpus),
            checkpoint=args.checkpoint, batches=args.batches, seed=args.seed,
            tell=lambda line: status.update(f'{args.name}: {line}'))
        result = {'study': args.name} | module.study(options)
    write(args.output / f'{args.name}.json', result)
    return result | {'plot': str(module.draw(result, args.output))}


def show(result: dict[str, Any]) -> None:
    """Print the rows as a table, and the path of the plot."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    rows, console = result['rows'], Console(highlight=False)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(*columns, box=box.SIMPLE_HEAD, padding=(0, 1),
                  title=STUDIES[result['study']])
    for row in rows:
        values = (row.get(name) for name in columns)
        table.add_row(*('-' if value is None else str(value) for value in values))
    console.print(table)
    console.print(f'plot: {result["plot"]}')
