# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose label`: label the events of a bag from the images recorded with them."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.cli.simulate_video import add_teacher_arguments
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.footage.teacher import teacher_python

if TYPE_CHECKING:
    from hybrid_pose_ros.footage.second_camera import SecondCamera

SUMMARY = 'Label the events of a bag by running a pose estimator on its images.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: bag, topics, teacher and second camera."""
    parser.add_argument('bag', metavar='BAG', type=Path,
                        help='bag with events and images: folder, .mcap or .db3')
    add_output(parser, '--output', 'new file', required=True, metavar='FILE', type=Path,
               help='recording to write (.h5)')
    parser.add_argument('--topic', help='topic of the event packets, if the bag has several')
    parser.add_argument('--image-topic', metavar='TOPIC',
                        help='topic of the images, if the bag has several')
    parser.add_argument('--delay-ms', type=float, default=0.0, metavar='MS',
                        help='time from the middle of the exposure to the stamp of an image [ms] '
                             '(0)')
    add_teacher_arguments(parser)
    second = parser.add_argument_group('a second camera, used instead of the frames of a DAVIS')
    second.add_argument('--rig', type=Path, metavar='FILE',
                        help='calibration of both cameras: a YAML file as in docs/3d.md, or '
                        "Kalibr's camchain")
    second.add_argument('--cameras', nargs=2, metavar=('EVENTS', 'FRAMES'),
                        help='names of the event camera and the frame camera in the rig')
    second.add_argument('--distance', type=float, metavar='M',
                        help='distance of the person from the second camera [m]')


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Label one bag."""
    from hybrid_pose_ros.footage.bag import BagJob, label_bag
    if not abs(args.delay_ms) <= 1000.0:
        raise InputError(f'--delay-ms {args.delay_ms:g} must be from -1000 to 1000')
    job = BagJob(args.bag, args.output, teacher_python(args.teacher, os.environ), args.topic,
                 args.image_topic, _camera(args), round(1000.0 * args.delay_ms), args.overlay)
    with Console(stderr=True).status('label') as status:
        return label_bag(job, lambda t_us: status.update(f'label: {1e-6 * t_us:.1f} s'))


def show(result: dict[str, Any]) -> None:
    """Print a summary."""
    print(f'{result["output"]}: {result["duration_s"]:.1f} s, {result["events"]} events, '
          f'{result["labels"]} labels with {result["known_share"]:.0%} of the joints')
    if 'parallax_px' in result:
        print(f'parallax: a joint {result["depth_error_m"]} m nearer than '
              f'{result["distance_m"]:g} m is labeled {result["parallax_px"]:.1f} px off')


def _camera(args: argparse.Namespace) -> 'SecondCamera | None':
    """Return the second camera, None without one."""
    given = [args.rig, args.cameras, args.distance]
    if all(value is None for value in given):
        return None
    if any(value is None for value in given):
        raise InputError('a second camera needs --rig, --cameras and --distance')
    if not 0.1 <= args.distance <= 1000.0:
        raise InputError(f'--distance {args.distance:g} must be from 0.1 to 1000 m')
    from hybrid_pose_ros.footage.second_camera import second_camera
    from hybrid_pose_ros.recordings.rig_files import load_rig
    events, frames = args.cameras
    return second_camera(load_rig(args.rig), events, frames, args.distance)
