# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters for reporting a person to ROS4HRI."""

from dataclasses import dataclass

from hybrid_pose_ros.pose.presence import LEAST_PRESENCE
from hybrid_pose_ros.settings import check, param


@dataclass(frozen=True)
class Ros4hriParams:
    """Parameters of the ros4hri node."""

    least_confidence: float = param(LEAST_PRESENCE, 'Minimum mean confidence of the joints, '
                                    'smoothed over 0.3 s; below it, nobody is reported.',
                                    low=0.0, high=1.0, live=True)
    patience_s: float = param(1.0, 'Report nobody after this long without a pose [s].',
                              low=0.1, high=60.0, live=True)

    def __post_init__(self):
        check(self)
