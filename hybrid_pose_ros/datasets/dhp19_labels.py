# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the joints of DHP19 are in a camera's image, and in the crop that the paper takes."""

import numpy as np

from hybrid_pose_ros.datasets.dataset_recording import inside_image
from hybrid_pose_ros.datasets.dhp19_calibration import CAMERA_OF_CHANNEL, pinhole, project
from hybrid_pose_ros.recordings.hdf5 import CameraPose, Labels
from hybrid_pose_ros.representation.geometry import DHP19_CROP_ORIGIN, DHP19_SENSOR

CROP_SIZE = (256, 256)
"""Width and height of the paper's crop [px]; it begins at DHP19_CROP_ORIGIN."""
LABEL_US = 10_000
"""Vicon's 100 samples a second. Sample i is the pose of time i * LABEL_US."""


def channel_labels(joints_mm: np.ndarray, stamps_us: np.ndarray, channel: int) -> Labels:
    """Return the labels of a channel (0 to 3) for joints (N, 13, 3) in Vicon's millimetres.

    A joint is visible where Vicon saw it and the whole image of 346x260 px contains it.
    """
    joints_px = project(joints_mm, CAMERA_OF_CHANNEL[channel])
    with np.errstate(over='ignore'):  # in a damaged file a joint may be anywhere
        return Labels(np.asarray(stamps_us, np.int64), joints_px.astype(np.float32),
                      joints_mm.astype(np.float32), inside_image(joints_px, *DHP19_SENSOR))


def channel_camera(channel: int) -> CameraPose:
    """Return the camera behind a channel (0 to 3), of the whole image."""
    return CameraPose(*pinhole(CAMERA_OF_CHANNEL[channel]))


def crop_landmarks(joints_mm: np.ndarray, channel: int) -> np.ndarray:
    """Return what the paper's metric compares poses with, (..., 2) float, for joints (..., 3).

    Whole pixels of its crop, rounded down; NaN for a joint that is outside or missing.
    """
    pixels = project(joints_mm, CAMERA_OF_CHANNEL[channel]) - np.array(DHP19_CROP_ORIGIN)
    return np.where(inside_image(pixels, *CROP_SIZE)[..., None], np.floor(pixels), np.nan)
