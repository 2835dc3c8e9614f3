# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arguments of all verbs that evaluate recordings: weights, rates, and what to score."""

import argparse

from hybrid_pose_ros.cli.executors import add_executor_arguments
from hybrid_pose_ros.model.checkpoint import Checkpoint, load, shipped


def add_evaluation_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare weights, rates, what to score, and the number of workers."""
    parser.add_argument('--checkpoint', default='', metavar='FILE',
                        help='weights (.safetensors; those shipped with the preset)')
    parser.add_argument('--preset', default='', metavar='NAME',
                        help='preset of the network (that of the weights, else edge)')
    parser.add_argument('--step-us', type=int, default=1_000, metavar='US',
                        help='length of a time bin [us] (1000)')
    parser.add_argument('--ann-rate-hz', type=float, default=30.0, metavar='HZ',
                        help='initializations per second (30)')
    parser.add_argument('--whole-sensor', action='store_true',
                        help='use the whole sensor instead of a region around the person')
    parser.add_argument('--stride-ms', type=float, default=0.0, metavar='MS',
                        help='time between two scored instants [ms] (chosen automatically)')
    parser.add_argument('--max-s', type=float, default=0.0, metavar='S',
                        help='length of each recording to use [s] (all)')
    add_executor_arguments(parser, workers=1)


def weights(args: argparse.Namespace) -> Checkpoint:
    """Return the requested weights.

    Raises:
        InputError: there are none, or they are of another preset.
    """
    if args.checkpoint:
        return load(args.checkpoint, args.preset or None)
    return shipped(args.preset or 'edge')
