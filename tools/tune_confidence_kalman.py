# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tune the filter of the row `confidence_kalman` on recordings that are scored nowhere.

Prints the settings with the lowest mean error over all steps, at two rates of the ANN.
"""

import argparse
from pathlib import Path

import numpy as np

from hybrid_pose_ros.evaluation.baselines import confidence_kalman_grid, kalman
from hybrid_pose_ros.evaluation.evaluate import errors_of_settings
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.metrics import distances
from hybrid_pose_ros.evaluation.outcome import run_recording
from hybrid_pose_ros.model.checkpoint import load, shipped
from hybrid_pose_ros.recordings.labeled import load_seen

SHOWN = 8


def main() -> None:
    """Print a table for each rate."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('recordings', type=Path, help='folder of recordings with labels (.h5)')
    parser.add_argument('--checkpoint', default='', help='weights (those that ship)')
    args = parser.parse_args()
    weights = load(args.checkpoint) if args.checkpoint else shipped('edge')
    grid = confidence_kalman_grid()
    for ann_rate_hz, step_us in ((30.0, 1_000), (10.0, 10_000)):
        params = EvaluationParams(ann_rate_hz=ann_rate_hz, step_us=step_us)
        outcomes = [run_recording(weights, weights, load_seen(path), params, rows=())
                    for path in sorted(args.recordings.glob('*.h5'))]
        errors = errors_of_settings([kalman(outcome.ann_poses, grid) for outcome in outcomes],
                                    outcomes)
        held = np.nanmean(np.concatenate([
            distances(outcome.steps.found['ann_held'], outcome.steps.truth.joints_px,
                      outcome.steps.truth.counted) for outcome in outcomes]))
        print(f'{len(outcomes)} recordings, ANN {ann_rate_hz:g} Hz: held {held:.3f} px')
        for setting in np.argsort(errors)[:SHOWN]:
            print(f'  {errors[setting]:.3f} px: ' + ', '.join(
                f'{name} {values[setting]:.4g}' for name, values in grid._asdict().items()))


if __name__ == '__main__':
    main()
