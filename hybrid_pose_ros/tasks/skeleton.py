# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The skeleton: 13 joints in the order of DHP19, and the bones; defined only here.

Source: DHP19 (Calabrese et al., CVPRW 2019), joint order of its label files.
"""

from typing import NamedTuple

import numpy as np

JOINTS = ('head', 'shoulderR', 'shoulderL', 'elbowR', 'elbowL', 'hipR', 'hipL',
          'handR', 'handL', 'kneeR', 'kneeL', 'footR', 'footL')
"""R and L denote the person's right and left."""

BONES = ((0, 1), (0, 2), (1, 3), (2, 4), (3, 7), (4, 8), (1, 5), (2, 6), (5, 9), (6, 10),
         (9, 11), (10, 12), (1, 2), (5, 6))

MIRRORED = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11)
"""Index of each joint's mirror image."""

PAIRS = tuple((joint, mirror) for joint, mirror in enumerate(MIRRORED) if joint < mirror)
"""Indices of the right and left joint of each pair, P = 6."""


class Skeleton(NamedTuple):
    """One pose of one person at the end of one time bin. J = 13."""

    stamp_us: int  # sensor time of the pose
    joints_px: np.ndarray  # (J, 2) float32, x and y in sensor pixels
    confidence: np.ndarray  # (J,) float32, 0 to 1
    velocity_px_s: np.ndarray  # (J, 2) float32 [px/s]
