# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose export`: convert a bag for the Rerun viewer."""

import argparse
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import check_new_file

SUMMARY = 'Convert a bag to a recording for the Rerun viewer (.rrd).'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: bag and file."""
    parser.add_argument('bag', metavar='BAG', type=Path, help='bag folder, .mcap or .db3')
    add_output(parser, '--output', 'new file', metavar='FILE', type=Path,
               help='file to write (next to the bag, with its name)')
    parser.add_argument('--fps', type=int, default=25, metavar='N',
                        help='images to export per second (25); every pose is exported')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Write the file; return a summary of its contents."""
    from hybrid_pose_ros.recorded_runs.rerun_export import export_rerun
    if not 1 <= args.fps <= 1000:
        raise InputError(f'--fps must be 1 to 1000, not {args.fps}')
    path = args.output or args.bag.with_name(args.bag.name + '.rrd')
    check_new_file(path)
    return {'output': str(path), **export_rerun(args.bag, path, fps=args.fps),
            'mib': round(path.stat().st_size / 2**20, 1)}


def show(result: dict[str, Any]) -> None:
    """Print a summary and the command that opens the file."""
    print(f'{result["output"]}: {result["poses"]} poses, {result["pictures"]} pictures, '
          f'{result["truth"]} poses of ground truth, {result["mib"]} MiB\n'
          f'view it with: rerun {result["output"]}')
    if result['bad_messages']:
        print(f'messages left out: {result["bad_messages"]}')
