# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A skeleton in ROS4HRI format: 18 points of a named body, relative to the image size.

Source: REP-155 (draft) and hri_msgs 2.0.0.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.tasks.skeleton import JOINTS, Skeleton

POINTS = ('nose', 'neck', 'shoulderR', 'elbowR', 'handR', 'shoulderL', 'elbowL', 'handL', 'hipR',
          'kneeR', 'footR', 'hipL', 'kneeL', 'footL', 'eyeL', 'eyeR', 'earL', 'earR')
"""Points of hri_msgs/Skeleton2D in order, by joint name; the hand stands in for the wrist."""

_SOURCES = {'nose': 'head'}  # the center of the head is the closest joint
_FROM = np.array([JOINTS.index(joint) if (joint := _SOURCES.get(point, point)) in JOINTS else -1
                  for point in POINTS])
_KNOWN = _FROM >= 0


def body_points(skeleton: Skeleton, width: int, height: int) -> np.ndarray:
    """Return x, y (0 to 1, relative to the image) and confidence of POINTS, (18, 3) float32.

    A point that the network lacks (neck, eyes, ears) or did not locate has zeros.
    """
    points = np.zeros((len(POINTS), 3), np.float32)
    joints = _FROM[_KNOWN]
    # Joints refer to pixel centers, hri_msgs to fractions of the whole image.
    points[_KNOWN, :2] = (skeleton.joints_px[joints] + 0.5) / (width, height)
    points[_KNOWN, 2] = skeleton.confidence[joints]
    inside: np.ndarray = np.all(
        np.isfinite(points) & (points >= 0) & (points <= 1), axis=1)
    return np.where(inside[:, None], points, np.float32(0))


def region(points: np.ndarray) -> np.ndarray:
    """Return xmin, ymin, xmax, ymax and confidence of the points' bounding box, (5,) float32.

    Args:
        points: result of `body_points`; points with confidence 0 are ignored.
    """
    seen = points[points[:, 2] > 0]
    if not len(seen):
        return np.zeros(5, np.float32)
    return np.concatenate([seen[:, :2].min(axis=0), seen[:, :2].max(axis=0), [seen[:, 2].mean()]],
                          dtype=np.float32)


class Presence(NamedTuple):
    """Whether a person is present, and the name of the body; each return gets a new name."""

    bodies: int = 0  # number of bodies so far
    present: bool = False

    def update(self, seen: bool) -> 'Presence':
        """Return the presence after an observation."""
        return Presence(self.bodies + (seen and not self.present), seen)

    @property
    def ids(self) -> list[str]:
        """Names of the bodies present: one or none."""
        return [f'event{self.bodies:04d}'] if self.present else []
