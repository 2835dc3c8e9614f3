# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose reproduce`: train the paper's systems by its recipes and compare the figures."""

import argparse
import sys
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.options import add_options, with_options
from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import writing
from hybrid_pose_ros.reproduction.reproduction_params import ReproductionParams

SUMMARY = "Train and score the paper's systems on recordings; compare with the published figures."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: dataset, systems and training."""
    parser.add_argument('--dataset', required=True, metavar='DIR',
                        help='labeled recordings (.h5), optionally in folders train and test')
    add_output(parser, '--output', 'folder', needs=('matplotlib',), required=True, metavar='DIR',
               help='folder for report, plot, weights, and files to resume from')
    add_options(parser, ReproductionParams, 'preset', 'systems', 'published', 'epochs', 'seed')
    parser.add_argument('--test-subjects', default='13,14,15,16,17', metavar='NUMBERS',
                        help='test subjects, if recording names begin with the subject, as in '
                        'S13_... (13,14,15,16,17, as published for DHP19)')
    parser.add_argument('--device', default='auto', help='device: auto, cpu or cuda (auto)')
    parser.add_argument('--threads', type=int, default=2, help='torch threads on a CPU (2)')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Write and return the report; of several processes, only the first does so."""
    import torch

    from hybrid_pose_ros.cli.progress_bars import StageBars
    from hybrid_pose_ros.reproduction.report import markdown, plot
    from hybrid_pose_ros.reproduction.run import published_systems, reproduce
    from hybrid_pose_ros.training.corpus import load_recordings, split
    from hybrid_pose_ros.training.ranks import Ranks
    from hybrid_pose_ros.training.run import device_named

    if args.threads < 1:
        raise InputError(f'--threads is {args.threads}, but must be 1 or more')
    torch.set_num_threads(args.threads)
    params = with_options(ReproductionParams(), args)
    ranks = Ranks.of_environment()
    device = torch.device(device_named(args.device, ranks))
    published_systems(params, device)  # fail here rather than after hours of reading
    parts = split(args.dataset, _subjects(args.test_subjects))
    clips = load_recordings([*parts.train, *parts.test])
    folder = Path(args.output)
    with StageBars(disable=ranks.rank > 0) as bars:
        report = reproduce(params, clips[:len(parts.train)], clips[len(parts.train):], folder,
                           device, split_rule=parts.rule, ranks=ranks, progress=bars.update)
    if report is None:
        sys.exit(0)
    with writing(folder):
        plot(report, folder)
        (folder / 'report.md').write_text(markdown(report) + '\n')
    return report | {'output': str(folder)}


def kept(args: argparse.Namespace) -> str:
    """Return what an interrupt keeps."""
    return f'the files saved to {args.output} are kept: run the same command again to resume'


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    from hybrid_pose_ros.reproduction.report import markdown
    print(markdown(result))
    print(f'\nreport, plot and weights: {result["output"]}')


def _subjects(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(',')]
    except ValueError:
        raise InputError(f'--test-subjects {text!r} must be comma-separated integers, '
                         'such as 13,14') from None
