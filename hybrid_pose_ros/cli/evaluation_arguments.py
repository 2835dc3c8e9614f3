# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arguments of all verbs that evaluate recordings: weights, rates, and what to score."""

import argparse

from hybrid_pose_ros.cli.executors import add_executor_arguments
from hybrid_pose_ros.cli.options import add_options
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.model.checkpoint import Checkpoint, load, shipped
from hybrid_pose_ros.tracking.tracker_params import TrackerParams


def add_evaluation_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare weights, rates, what to score, and the number of workers."""
    add_weights_arguments(parser)
    add_options(parser, EvaluationParams, 'step_us', 'ann_rate_hz', 'region_of_interest',
                'stride_us', 'max_s')
    add_executor_arguments(parser, workers=1)


def add_weights_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --checkpoint and --preset."""
    parser.add_argument('--checkpoint', default='', metavar='FILE',
                        help='weights (.safetensors; those shipped with the preset)')
    parser.add_argument('--preset', default='', metavar='NAME', help='preset of the network (that '
                        f'of the weights, else {TrackerParams.preset})')


def weights_of(checkpoint: str, preset: str) -> Checkpoint:
    """Return the weights from a file, or, without one, those shipped with a preset.

    Raises:
        InputError: there are none, or they are of another preset.
    """
    if checkpoint:
        return load(checkpoint, preset or None)
    return shipped(preset or TrackerParams.preset)
