# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose simulate --video`: generate labeled recordings from videos of people."""

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hybrid_pose_ros.cli.executors import executor
from hybrid_pose_ros.cli.progress_bars import StageBars
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.footage.teacher import INSTALL, Teacher, teacher_python
from hybrid_pose_ros.outputs import claim
from hybrid_pose_ros.parallel import as_done

SLOWEST = 100.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of videos."""
    group = parser.add_argument_group('videos: generate events by interpolating between frames')
    group.add_argument('--video', nargs='+', default=[], metavar='FILE', type=Path,
                       help='videos of a person, each a single shot; --scene and --set select '
                       'the sensor model')
    group.add_argument('--size', default='346x260', metavar='WxH', help='sensor size [px] '
                       '(346x260); pixels that the picture does not fill contain noise')
    group.add_argument('--slowed', type=float, default=1.0, metavar='N',
                       help='slow motion: the videos play N times slower than real time (1)')
    group.add_argument('--labels', default='teacher', choices=('teacher', 'none'),
                       help='teacher: label the joints with a frame-based pose estimator; '
                            'none: write no labels (teacher)')
    add_teacher_arguments(group)


def add_teacher_arguments(group) -> None:
    """Declare --teacher and --overlay on a parser or a group of one."""
    group.add_argument('--teacher', metavar='PYTHON', help='Python interpreter of the '
                       f'frame-based pose estimator: {INSTALL}')
    group.add_argument('--overlay', action='store_true',
                       help='write a contact sheet (.png) of frames, events and labels next to '
                       'each recording')


def run(args: argparse.Namespace, settings: Callable) -> dict[str, Any]:
    """Convert the videos that have no recording yet; `settings` returns the settings of a scene.

    Raises:
        InputError: an argument is invalid, or no video can be converted.
    """
    from hybrid_pose_ros.footage.conversion import VideoJob, convert_video
    if args.corpus is not None or args.output is None:
        raise InputError('videos are written to a folder: pass --output DIR, without --corpus')
    width, height = sensor_size(args.size)
    if not 1.0 / SLOWEST <= args.slowed <= SLOWEST:
        raise InputError(f'--slowed {args.slowed:g} must be from {1 / SLOWEST} to {SLOWEST:g}')
    repeated = [name for name, count in Counter(path.stem for path in args.video).items()
                if count > 1]
    if repeated:
        raise InputError(f'several videos are named {repeated[0]}, as their recordings would be: '
                         'rename them')
    teacher = teacher_python(args.teacher, os.environ) if args.labels == 'teacher' else None
    if teacher is not None:
        Teacher(teacher).close()  # fails here rather than once per video
    folder = Path(args.output).resolve()
    jobs = [VideoJob(path.resolve(), folder / f'{path.stem}.h5', width, height, settings,
                     args.seed, teacher, args.slowed, args.overlay) for path in args.video]
    missing = [job for job in jobs if not job.output.exists()]
    claim(folder, {'videos': True, 'size': args.size, 'seed': args.seed, 'scene': args.scene,
                   'changes': args.changes, 'labels': args.labels, 'slowed': args.slowed})
    made, refused = [], []
    with executor(args) as workers, StageBars(disable=not sys.stderr.isatty()) as bars:
        for facts in as_done(convert_video, missing, None if args.workers == 1 else workers):
            if 'refused' not in facts:
                made.append(facts)
            elif len(jobs) == 1:
                raise InputError(facts['refused'])
            else:
                refused.append(facts['refused'])
                print(f'rejected: {facts["refused"]}', file=sys.stderr)
            bars.update('videos', len(made) + len(refused), len(missing))
    if len(refused) == len(jobs):
        raise InputError(f'none of the {len(jobs)} videos can be converted')
    return {'videos': len(jobs), 'present': len(jobs) - len(missing),
            'output': args.output, 'made': made, 'refused': refused}


def show(result: dict[str, Any]) -> None:
    """Print a line for each recording and the totals."""
    for facts in result['made']:
        labels = (f'{facts["labels"]} labels with {facts["known_share"]:.0%} of the joints'
                  if facts['labels'] else 'no labels')
        print(f'{facts["output"]}: {facts["duration_s"]:.1f} s, '
              f'{1e-3 * facts["events"] / facts["duration_s"]:.0f} k events/s, {labels}')
    print(f'{len(result["made"])} videos converted, {result["present"]} existed, '
          f'{len(result["refused"])} were rejected')


def sensor_size(text: str) -> tuple[int, int]:
    """Return width and height of 'WxH'.

    Raises:
        InputError: it is not a size.
    """
    found = re.fullmatch(r'(\d{2,4})x(\d{2,4})', text)
    if not found:
        raise InputError(f'--size {text} is not a size: expected WxH, such as 346x260')
    return int(found[1]), int(found[2])
