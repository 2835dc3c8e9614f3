# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint positions of DHP19 in a camera image and in the paper's crop."""

import numpy as np

from hybrid_pose_ros.datasets.dataset_recording import inside_image
from hybrid_pose_ros.datasets.dhp19_calibration import CAMERA_OF_CHANNEL, pinhole, project
from hybrid_pose_ros.recordings.hdf5 import CameraPose, Labels
from hybrid_pose_ros.representation.geometry import DHP19_CROP_ORIGIN, DHP19_SENSOR

CROP_SIZE = (256, 256)
"""Width and height of the paper's crop [px]; its origin is DHP19_CROP_ORIGIN."""
LABEL_US = 10_000
"""Interval between Vicon samples (100 per second). Sample i is the pose at time i * LABEL_US."""


def channel_labels(joints_mm: np.ndarray, stamps_us: np.ndarray, channel: int) -> Labels:
    """Return the labels of a channel (0 to 3) for joints (N, 13, 3) [mm] in Vicon's frame.

    A joint is visible if Vicon tracked it and it is inside the uncropped image of 346x260 px.
    """
    joints_px = project(joints_mm, CAMERA_OF_CHANNEL[channel])
    with np.errstate(over='ignore'):  # a damaged file may contain any value
        return Labels(np.asarray(stamps_us, np.int64), joints_px.astype(np.float32),
                      joints_mm.astype(np.float32), inside_image(joints_px, *DHP19_SENSOR))


def channel_camera(channel: int) -> CameraPose:
    """Return the camera pose of a channel (0 to 3), for the uncropped image."""
    return CameraPose(*pinhole(CAMERA_OF_CHANNEL[channel]))


def crop_landmarks(joints_mm: np.ndarray, channel: int) -> np.ndarray:
    """Return the ground truth for the paper's metric, (..., 2) float, of joints (..., 3) [mm].

    The values are pixels of the paper's crop, rounded down; NaN for joints outside it or missing.
    """
    pixels = project(joints_mm, CAMERA_OF_CHANNEL[channel]) - np.array(DHP19_CROP_ORIGIN)
    return np.where(inside_image(pixels, *CROP_SIZE)[..., None], np.floor(pixels), np.nan)
