# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Placement of the picture of a video on the sensor, and its brightness there.

    frame            sensor
    +------------+   +----------------+
    |black bar   |   |noise |    |    |      bars in the video are removed; pixels outside
    |------------|   |      |pic-|    |      the picture get noise (events.py)
    |picture     |   |      |ture|    |
    +------------+   +----------------+
"""

from typing import NamedTuple

import cv2
import numpy as np

SUPERSAMPLING = 2
"""Texels per pixel and axis: edges are warped at this resolution, then averaged."""
BAR_LEVEL = 24
"""Maximum brightness of the bars of a letterboxed video, out of 255."""
LARGEST_BAR = 0.45
"""Maximum size of a bar as a fraction of the frame, so that a dark scene is not taken for one."""
LUMINANCE = np.array([[0.0722, 0.7152, 0.2126]], np.float32)  # of blue, green, red (Rec. 709)


def _linear() -> np.ndarray:
    """Return the linear light of each 8-bit sRGB value, (256,) float32, 0 to 1."""
    value = np.arange(256) / 255.0
    return np.where(value <= 0.04045, value / 12.92,
                    ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


LINEAR = _linear()


class Box(NamedTuple):
    """A rectangle [px]."""

    left: int
    top: int
    width: int
    height: int


class Placement(NamedTuple):
    """The mapping from a frame to the sensor; in both, pixel i covers [i, i + 1)."""

    width: int  # of the sensor [px]
    height: int
    source: Box  # part of the frame
    target: Box  # part of the sensor that it fills

    def to_sensor(self, points: np.ndarray) -> np.ndarray:
        """Return the sensor pixels of frame pixels (..., 2)."""
        scale = np.array([self.target.width / self.source.width,
                          self.target.height / self.source.height])
        return ((points - np.array([self.source.left, self.source.top])) * scale
                + np.array([self.target.left, self.target.top]))

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Return which sensor pixels (..., 2) are inside the picture; NaN is outside."""
        low = np.array([self.target.left, self.target.top])
        return ((points >= low) & (points < low + np.array(
            [self.target.width, self.target.height]))).all(axis=-1)

    def brightness(self, image: np.ndarray) -> np.ndarray:
        """Return the linear light of a frame (H, W, 3) uint8, resampled to texels of the picture.

        Returns:
            (SUPERSAMPLING * height, SUPERSAMPLING * width) float32, 0 to 1.
        """
        left, top, width, height = self.source
        part = np.ascontiguousarray(image[top:top + height, left:left + width])
        light = cv2.transform(cv2.LUT(part, LINEAR), LUMINANCE)
        size = SUPERSAMPLING * self.target.width, SUPERSAMPLING * self.target.height
        shrinks = size[0] <= width
        return cv2.resize(light, size,
                          interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def placed(source: Box, width: int, height: int) -> Placement:
    """Return the placement that fits a part of a frame into the center of a sensor."""
    scale = min(width / source.width, height / source.height)
    size = [min(max(1, round(scale * length)), most)
            for length, most in ((source.width, width), (source.height, height))]
    target = Box((width - size[0]) // 2, (height - size[1]) // 2, *size)
    return Placement(width, height, source, target)


class PictureFinder:
    """Finds the part of a video's frames inside black bars."""

    def __init__(self):
        # Maximum brightness so far, per row and column; set by the first frame.
        self._rows = self._columns = np.zeros((), np.uint8)

    def update(self, image: np.ndarray) -> None:
        """Add a frame (H, W, 3) uint8."""
        green = image[:, :, 1]
        self._rows = np.maximum(self._rows, green.max(axis=1))
        self._columns = np.maximum(self._columns, green.max(axis=0))

    def picture(self) -> Box:
        """Return the part of the frames inside the bars."""
        top, height = _lit(self._rows)
        left, width = _lit(self._columns)
        return Box(left, top, width, height)


def _lit(brightest: np.ndarray) -> tuple[int, int]:
    """Return the start and length of the part that is not a bar."""
    lit = np.flatnonzero(brightest > BAR_LEVEL)
    if not len(lit):
        return 0, len(brightest)
    first, last = int(lit[0]), int(lit[-1])
    most = LARGEST_BAR * len(brightest)
    first = first if first <= most else 0
    last = last if len(brightest) - 1 - last <= most else len(brightest) - 1
    return first, last + 1 - first
