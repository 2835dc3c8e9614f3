# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sensor region around a person, which the networks receive as input at finer resolution.

    whole sensor ──► person found ──► region follows the person ──► person lost ──► whole sensor

The region has the aspect ratio of the input and at least one pixel per cell. It is kept as long as
the person is inside it with some margin, so that consecutive inputs are comparable.
"""

import numpy as np

from hybrid_pose_ros.representation.geometry import InputGeometry, Region

JOINT_CONFIDENCE = 0.3
"""Minimum confidence of a joint that counts as part of the person."""

PERSON_CONFIDENCE = 0.35
"""Mean confidence of all joints below which the person is lost."""

FEWEST_JOINTS = 5
"""Number of such joints below which the person is lost."""

BORDER_PX = 20.0
"""Extent of a person beyond the joints, sum of both sides."""

LARGEST = 0.7, 0.8
"""Maximum width at which a region is adopted, and at which it is kept, relative to the whole
sensor. For larger people the resolution of the whole sensor suffices."""

KEPT_SHIFT = 0.15
"""Maximum offset of the person from the center of a region that is kept, relative to its width."""

KEPT_SCALE = 1.25
"""Maximum ratio of desired to actual width at which the region is kept."""


class PersonRegion:
    """Follows a person; `region` is None until the person is found."""

    def __init__(self, whole: InputGeometry):
        """Start with the whole sensor."""
        self.region: Region | None = None
        self._whole = whole

    def lose(self) -> None:
        """Return to the whole sensor."""
        self.region = None

    def update(self, joints_px: np.ndarray, confidence: np.ndarray, *, margin: float) -> None:
        """Move the region to the person.

        Args:
            joints_px: joints, (J, 2).
            confidence: confidence of each joint, 0 to 1.
            margin: desired size of the region relative to the person.
        """
        part = confidence >= JOINT_CONFIDENCE
        if confidence.mean() < PERSON_CONFIDENCE or part.sum() < FEWEST_JOINTS:
            self.region = None
            return
        whole = self._whole
        middle, needed = person_box(joints_px[part], whole)
        width = max(round(margin * needed), whole.width)
        if width > LARGEST[self.region is not None] * whole.region.width:
            self.region = None
        elif not self._fits(middle, width):
            self.region = region_around(whole, middle, width)

    def _fits(self, middle: np.ndarray, width: int) -> bool:
        """Return whether the current region can be kept."""
        if self.region is None:
            return False
        present = region_around(self._whole, middle, self.region.width)
        shift = np.abs(np.subtract(present[:2], self.region[:2])).max()
        return (shift <= KEPT_SHIFT * self.region.width
                and 1 / KEPT_SCALE <= width / self.region.width <= KEPT_SCALE)


def region_around(whole: InputGeometry, middle_px: np.ndarray, width_px: float) -> Region:
    """Return the region of a given width around a point (x, y), moved to be inside the sensor."""
    size = np.array([width_px, round(width_px * whole.height / whole.width)])
    first = np.clip(np.rint(middle_px - 0.5 * size), whole.region[:2],
                    np.add(whole.region[:2], whole.region[2:]) - size)
    return Region(*(int(value) for value in (*first, *size)))


def person_box(joints_px: np.ndarray, whole: InputGeometry) -> tuple[np.ndarray, float]:
    """Return the center (x, y) of joints (J, 2), and the width of a region that they need [px]."""
    low, high = joints_px.min(axis=0), joints_px.max(axis=0)
    extent = high - low + BORDER_PX
    return 0.5 * (low + high), max(extent[0], extent[1] * whole.width / whole.height)
