# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converts joints in a Human3.6M video to labels of Event-Human3.6M.

The paper crops 960x768 px from a video of 1000x1000 or 1000x1002 px and downscales by 3.
"""

import numpy as np

from hybrid_pose_ros.datasets.h36m import CAMERAS, SIZE

JOINTS_OF_32 = (15, 25, 17, 26, 18, 1, 6, 27, 19, 2, 7, 3, 8)
"""Indices of the 13 joints among the 32 of Human3.6M."""
SCALE = 3
VIDEO_WIDTH = 1000
VIDEO_HEIGHTS = (1002, 1000, 1000, 1002)
"""Video heights of cameras 0 to 3 [px]."""


def crop_start(start_px: tuple[int, int], camera: int) -> tuple[int, int]:
    """Return the top left corner of a crop, clamped to the video."""
    most = (VIDEO_WIDTH - SCALE * SIZE[0], VIDEO_HEIGHTS[CAMERAS[camera]] - SCALE * SIZE[1])
    x, y = (min(max(asked, 0), limit) for asked, limit in zip(start_px, most))
    return x, y


def event_pixels(joints_px: np.ndarray, start_px: tuple[int, int], camera: int) -> np.ndarray:
    """Return labels (..., 13, 2) for joints (..., 32, 2) in the video, given the crop's corner."""
    chosen = np.asarray(joints_px)[..., JOINTS_OF_32, :]
    return (chosen - crop_start(start_px, camera)) / SCALE
