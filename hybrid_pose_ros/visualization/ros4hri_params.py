# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When somebody is there for ROS4HRI."""

from dataclasses import dataclass

from hybrid_pose_ros.settings import check, param


@dataclass(frozen=True)
class Ros4hriParams:
    """Parameters of the ros4hri node."""

    least_confidence: float = param(0.2, 'Mean confidence of the joints below which nobody is '
                                    'there.', low=0.0, high=1.0, live=True)
    patience_s: float = param(1.0, 'Nobody is there either when no pose came for so long [s].',
                              low=0.1, high=60.0, live=True)

    def __post_init__(self):
        check(self)
