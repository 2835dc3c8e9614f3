# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arguments of all verbs that evaluate recordings: weights, rates, and what to score."""

import argparse

from hybrid_pose_ros.cli.executors import add_executor_arguments
from hybrid_pose_ros.cli.options import add_options
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.model.checkpoint import Checkpoint, load, shipped


def add_evaluation_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare weights, rates, what to score, and the number of workers."""
    parser.add_argument('--checkpoint', default='', metavar='FILE',
                        help='weights (.safetensors; those shipped with the preset)')
    parser.add_argument('--preset', default='', metavar='NAME',
                        help='preset of the network (that of the weights, else edge)')
    add_options(parser, EvaluationParams, 'step_us', 'ann_rate_hz', 'region_of_interest',
                'stride_us', 'max_s')
    add_executor_arguments(parser, workers=1)


def weights(args: argparse.Namespace) -> Checkpoint:
    """Return the requested weights.

    Raises:
        InputError: there are none, or they are of another preset.
    """
    if args.checkpoint:
        return load(args.checkpoint, args.preset or None)
    return shipped(args.preset or 'edge')
