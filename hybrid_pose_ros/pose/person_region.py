# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The region of the sensor around a person: the input of the networks, at a finer resolution.

    whole sensor ──► person found ──► region follows the person ──► person lost ──► whole sensor

The region has the shape of the input and at least one pixel per cell. It is kept while the person
is inside with some margin, so that consecutive inputs are comparable.
"""

import numpy as np

from hybrid_pose_ros.representation.geometry import InputGeometry, Region

JOINT_CONFIDENCE = 0.3
"""Confidence of a joint from which on it counts as part of the person."""

PERSON_CONFIDENCE = 0.35
"""Mean confidence of all joints below which the person is lost."""

FEWEST_JOINTS = 5
"""Number of confident joints below which the person is lost."""

BORDER_PX = 20.0
"""Extent of a person beyond the joints, both sides together."""

LARGEST = 0.7, 0.8
"""Width up to which a region is used, and up to which it is kept, relative to that of the whole
sensor: its resolution is sufficient for larger people."""

KEPT_SHIFT = 0.15
"""Distance of the person from the middle up to which the region is kept, relative to its width."""

KEPT_SCALE = 1.25
"""Ratio of the desired to the actual width up to which the region is kept."""


class PersonRegion:
    """Follows a person; `region` is None while the person is not found."""

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
            joints_px: (J, 2).
            confidence: of each joint, 0 to 1.
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
        """Return whether the present region is good enough."""
        if self.region is None:
            return False
        present = region_around(self._whole, middle, self.region.width)
        shift = np.abs(np.subtract(present[:2], self.region[:2])).max()
        return (shift <= KEPT_SHIFT * self.region.width
                and 1 / KEPT_SCALE <= width / self.region.width <= KEPT_SCALE)


def region_around(whole: InputGeometry, middle_px: np.ndarray, width_px: float) -> Region:
    """Return the region of a width that is inside the sensor, close to a point (x, y)."""
    size = np.array([width_px, round(width_px * whole.height / whole.width)])
    first = np.clip(np.rint(middle_px - 0.5 * size), whole.region[:2],
                    np.add(whole.region[:2], whole.region[2:]) - size)
    return Region(*(int(value) for value in (*first, *size)))


def person_box(joints_px: np.ndarray, whole: InputGeometry) -> tuple[np.ndarray, float]:
    """Return the middle (x, y) of joints (J, 2) and the width that a region needs [px]."""
    low, high = joints_px.min(axis=0), joints_px.max(axis=0)
    extent = high - low + BORDER_PX
    return 0.5 * (low + high), max(extent[0], extent[1] * whole.width / whole.height)
