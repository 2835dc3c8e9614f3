# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Interpolates images between two video frames by optical flow.

Both frames are warped to the intermediate time and blended. The flow from that time to either
frame is combined from the flows between the two frames, which is exact for uniform motion.

Source: Jiang et al., Super SloMo (CVPR 2018), equation 4, for the combination of flows.
"""

from typing import NamedTuple

import cv2
import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.footage.placement import SUPERSAMPLING

F = np.float32
FASTEST_SHARE = 0.999
"""The motion of a frame is this quantile of its flow; the few larger values are flow errors."""
LEAST_ALIKE = 0.5
"""A frame is after a cut if its correlation with the warped previous frame is below this ..."""
DIFFERENT_LEVELS = 15.0
"""... and their mean difference is above this, out of 255."""


class Gap(NamedTuple):
    """Two consecutive frames and the flow between them, (h, w) texels."""

    first: np.ndarray  # (h, w) float32, linear brightness, 0 to 1
    second: np.ndarray
    forward: np.ndarray  # (h, w, 2) float32 [texels], from the first to the second frame
    backward: np.ndarray

    @property
    def motion_px(self) -> float:
        """The maximum motion between the frames [sensor px]."""
        length = np.hypot(self.forward[..., 0], self.forward[..., 1])
        return float(np.quantile(length[::2, ::2], FASTEST_SHARE)) / SUPERSAMPLING

    @property
    def cut(self) -> bool:
        """Whether there is a cut between the frames."""
        first, second = perceived(self.first), perceived(self.second)
        y, x = np.mgrid[:first.shape[0], :first.shape[1]].astype(F)
        moved = cv2.remap(second, x + self.forward[..., 0], y + self.forward[..., 1],
                          cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if cv2.absdiff(moved, first).mean() < DIFFERENT_LEVELS:
            return False
        return bool(cv2.matchTemplate(moved, first, cv2.TM_CCOEFF_NORMED)[0, 0] < LEAST_ALIKE)

    def at(self, share: float) -> np.ndarray:
        """Return the image at a fraction, 0 to 1, of the time between the frames.

        Returns:
            Brightness in pixels, (h / SUPERSAMPLING, w / SUPERSAMPLING) float32.
        """
        if share in (0.0, 1.0):
            return averaged(self.second if share else self.first)
        out = np.empty((self.first.shape[0] // SUPERSAMPLING,
                        self.first.shape[1] // SUPERSAMPLING), F)
        _blend(self.first, self.second, self.forward, self.backward, F(share), out)
        return out


class Flow:
    """Estimates the flow between consecutive frames."""

    def __init__(self):
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def between(self, first: np.ndarray, second: np.ndarray) -> Gap:
        """Return two frames (linear brightness, (h, w) texels) with the flow between them.

        The flow is estimated at pixel resolution; at texel resolution it takes four times as long
        and yields the same events.
        """
        images = perceived(averaged(first)), perceived(averaged(second))
        return Gap(first, second, *(SUPERSAMPLING * cv2.resize(flow, first.shape[::-1])
                                    for flow in (self._flow(*images), self._flow(*images[::-1]))))

    def _flow(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return self._dis.calc(  # type: ignore[call-overload]  # its stub demands an initial flow
            first, second, None)


def perceived(brightness: np.ndarray) -> np.ndarray:
    """Return an image in video gray levels, uint8, for flow estimation."""
    return np.rint(255.0 * np.sqrt(brightness)).astype(np.uint8)


def averaged(texels: np.ndarray) -> np.ndarray:
    """Return the mean brightness of each pixel's texels."""
    height, width = texels.shape
    return texels.reshape(height // SUPERSAMPLING, SUPERSAMPLING,
                          width // SUPERSAMPLING, SUPERSAMPLING).mean(axis=(1, 3), dtype=F)


@njit(cache=True, nogil=True)
def _sample(image, x, y):
    """Return the image value at (x, y), interpolated bilinearly; the border value outside."""
    height, width = image.shape
    x, y = min(max(x, F(0.0)), F(width - 1)), min(max(y, F(0.0)), F(height - 1))
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    right, down = x - F(left), y - F(top)
    upper = image[top, left] + right * (image[top, left + 1] - image[top, left])
    lower = image[top + 1, left] + right * (image[top + 1, left + 1] - image[top + 1, left])
    return upper + down * (lower - upper)


@njit(cache=True, nogil=True)
def _blend(first, second, forward, backward, share, out):
    """Write the image at a fraction of the gap to `out`; each pixel is the mean of its texels."""
    left = F(1.0) - share
    weight = F(1.0 / (SUPERSAMPLING * SUPERSAMPLING))
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            total = F(0.0)
            for y in range(SUPERSAMPLING * row, SUPERSAMPLING * (row + 1)):
                for x in range(SUPERSAMPLING * column, SUPERSAMPLING * (column + 1)):
                    u = left * forward[y, x, 0] - share * backward[y, x, 0]
                    v = left * forward[y, x, 1] - share * backward[y, x, 1]
                    total += left * _sample(first, F(x) - share * u, F(y) - share * v)
                    total += share * _sample(second, F(x) + left * u, F(y) + left * v)
            out[row, column] = weight * total
