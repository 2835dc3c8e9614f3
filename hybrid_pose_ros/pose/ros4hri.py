# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A skeleton as ROS4HRI has it: 18 points relative to the image, of a body with a name.

Source: REP-155 (draft) and hri_msgs 2.0.0.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.pose.skeleton import JOINTS, Skeleton

POINTS = ('nose', 'neck', 'shoulderR', 'elbowR', 'handR', 'shoulderL', 'elbowL', 'handL', 'hipR',
          'kneeR', 'footR', 'hipL', 'kneeL', 'footL', 'eyeL', 'eyeR', 'earL', 'earR')
"""In the order of hri_msgs/Skeleton2D, by our names; the palm stands for the wrist."""

_SOURCES = {'nose': 'head'}  # the head's centre: what is nearest
_FROM = np.array([JOINTS.index(joint) if (joint := _SOURCES.get(point, point)) in JOINTS else -1
                  for point in POINTS])
_KNOWN = _FROM >= 0


def body_points(skeleton: Skeleton, width: int, height: int) -> np.ndarray:
    """Return x, y (0 to 1 of the image) and confidence of each of POINTS, (18, 3) float32.

    All are 0 where the network knows no such point (neck, eyes, ears) or where it is not.
    """
    points = np.zeros((len(POINTS), 3), np.float32)
    joints = _FROM[_KNOWN]
    # Ours are the centres of pixels, theirs a share of the whole image.
    points[_KNOWN, :2] = (skeleton.joints_px[joints] + 0.5) / (width, height)
    points[_KNOWN, 2] = skeleton.confidence[joints]
    inside = (np.isfinite(points) & (points >= 0) & (points <= 1)).all(axis=1)
    return np.where(inside[:, None], points, np.float32(0))


def region(points: np.ndarray) -> np.ndarray:
    """Return xmin, ymin, xmax, ymax and confidence of the box round points, (5,) float32.

    Args:
        points: as `body_points` returns them; those of confidence 0 do not count.
    """
    seen = points[points[:, 2] > 0]
    if not len(seen):
        return np.zeros(5, np.float32)
    return np.concatenate([seen[:, :2].min(axis=0), seen[:, :2].max(axis=0), [seen[:, 2].mean()]],
                          dtype=np.float32)


class Presence(NamedTuple):
    """Whether somebody is there, and who: a body that comes back has another name."""

    count: int = 0  # of bodies so far
    present: bool = False

    def update(self, seen: bool) -> 'Presence':
        """Return what is so after a look."""
        return Presence(self.count + (seen and not self.present), seen)

    @property
    def ids(self) -> list[str]:
        """Names of those who are there: one or none."""
        return [f'event{self.count:04d}'] if self.present else []
