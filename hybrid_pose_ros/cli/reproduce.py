# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose reproduce`: the paper's systems, trained by its recipes, beside its figures."""

import argparse
import sys
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import writing

SUMMARY = "Train and score the paper's systems on recordings, beside the published figures."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the data set and what is made of it."""
    parser.add_argument('--dataset', required=True, metavar='DIR',
                        help='recordings with labels (.h5), perhaps in folders train and test')
    add_output(parser, '--output', 'folder', needs=('matplotlib',), required=True, metavar='DIR',
               help='report, picture, weights, and files to resume from')
    parser.add_argument('--preset', default='paper', metavar='NAME',
                        help='paper, or paper_small, which is no reproduction but quick (paper)')
    parser.add_argument('--systems', default='ann,snn,rnn,hybrid_rnn,hybrid_snn', metavar='NAMES',
                        help='which, with commas (ann,snn,rnn,hybrid_rnn,hybrid_snn); also '
                        'hybrid_snn_no_state_init, hybrid_snn_no_output_init, '
                        'hybrid_rnn_no_state_init')
    parser.add_argument('--published', default='', metavar='SYSTEM=FILE',
                        help='published weights (.pt) that are scored instead of training, with '
                        'commas')
    parser.add_argument('--test-subjects', default='13,14,15,16,17', metavar='NUMBERS',
                        help='who is for the test, where names of recordings tell the subject, '
                        'as S13_... (13,14,15,16,17, as published for DHP19)')
    parser.add_argument('--epochs', type=float, default=0.0, metavar='N',
                        help='of every system; 0: those of its recipe (0)')
    parser.add_argument('--seed', type=int, default=2022,
                        help='of first weights and of the order of windows (2022)')
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda (auto)')
    parser.add_argument('--threads', type=int, default=2, help='of torch on a CPU (2)')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Return the report; it is in the output folder, too. Of several processes the first does."""
    import torch

    from hybrid_pose_ros.cli.progress_bars import StageBars
    from hybrid_pose_ros.reproduction.report import markdown, plot
    from hybrid_pose_ros.reproduction.run import (
        ReproductionParams, published_systems, reproduce)
    from hybrid_pose_ros.training.corpus import load_recordings, split
    from hybrid_pose_ros.training.ranks import Ranks
    from hybrid_pose_ros.training.run import device_named

    if args.threads < 1:
        raise InputError(f'--threads is {args.threads}, but must be 1 or more')
    torch.set_num_threads(args.threads)
    params = ReproductionParams(preset=args.preset, systems=args.systems, epochs=args.epochs,
                                seed=args.seed, published=args.published)
    ranks = Ranks.of_environment()
    device = torch.device(device_named(args.device, ranks))
    published_systems(params, device)  # found wrong here rather than after hours of reading
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
    """Return what an interrupt leaves."""
    return f'what was saved to {args.output} is kept: the same command resumes from there'


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    from hybrid_pose_ros.reproduction.report import markdown
    print(markdown(result))
    print(f'\nreport, picture and weights: {result["output"]}')


def _subjects(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(',')]
    except ValueError:
        raise InputError(f'--test-subjects {text!r} must be whole numbers with commas, '
                         'as 13,14') from None
