# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pinhole cameras: the four of DHP19, a DAVIS346 in front of the person, and random ones.

The world is in metres, z up, the floor at z = 0; the person stands near the origin and faces -y.
Camera frames have x right, y down, z along the optical axis. Pixel (x, y) covers [x, x + 1) times
[y, y + 1): its middle is at + 0.5.

Source of the DHP19 cameras: the published projection matrices (Calabrese et al., CVPRW 2019),
decomposed, with the image's first row on top.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError

FRONT_AZIMUTH = -np.pi / 2
"""Direction from the person to a camera in front of it [rad]."""


class Camera(NamedTuple):
    """A pinhole camera: pixel = intrinsics @ (rotation @ world + translation), then divide."""

    width: int
    height: int
    intrinsics: np.ndarray  # (3, 3) [px]
    rotation: np.ndarray  # (3, 3), world to camera
    translation: np.ndarray  # (3,) [m]

    @property
    def center(self) -> np.ndarray:
        """Place of the camera in the world, (3,) [m]."""
        return -self.rotation.T @ self.translation

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Return world points (..., 3) [m] in the camera's frame."""
        return points @ self.rotation.T + self.translation

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return the pixels (..., 2) of world points (..., 3) [m]; NaN behind the camera."""
        homogeneous = self.to_camera(points) @ self.intrinsics.T
        depth = homogeneous[..., 2:]
        return homogeneous[..., :2] / np.where(depth > 0.0, depth, np.nan)

    def contains(self, pixels: np.ndarray) -> np.ndarray:
        """Return which pixels (..., 2) lie inside the image, (...) bool; NaN does not."""
        x, y = pixels[..., 0], pixels[..., 1]
        return (x >= 0.0) & (x < self.width) & (y >= 0.0) & (y < self.height)


def look_at(center, target, *, focal_px: float, width: int = 346, height: int = 260,
            roll: float = 0.0) -> Camera:
    """Return a camera at `center` [m] whose optical axis meets `target` [m]; roll in radians."""
    center = np.asarray(center, np.float64)
    forward = np.asarray(target, np.float64) - center
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    level = np.stack([right, down, forward])
    cosine, sine = np.cos(roll), np.sin(roll)
    rotation = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]]) @ level
    intrinsics = np.array([[focal_px, 0.0, width / 2],
                           [0.0, focal_px, height / 2], [0.0, 0.0, 1.0]])
    return Camera(width, height, intrinsics, rotation, -rotation @ center)


def _dhp19(intrinsics, rotation, translation) -> Camera:
    return Camera(346, 260, np.array(intrinsics), np.array(rotation), np.array(translation))


CAMERAS = {
    'davis346-front': look_at((0.0, -3.4, 1.1), (0.0, 0.0, 0.95), focal_px=340.0),
    'dhp19-1': _dhp19(  # the person's left side
        [[316.8165, -4.9643, 185.5045], [0.0, 319.1491, 166.7782], [0.0, 0.0, 1.0]],
        [[-0.08216, 0.996565, -0.010433], [0.477458, 0.03017, -0.878136],
         [-0.874805, -0.077129, -0.478297]],
        [0.38827, 0.68053, 2.93054]),
    'dhp19-2': _dhp19(  # front, the person's left
        [[358.5965, -6.4216, 168.3375], [0.0, 359.431, 133.5391], [0.0, 0.0, 1.0]],
        [[0.767108, 0.640889, -0.028405], [0.170539, -0.246409, -0.954043],
         [-0.618435, 0.72701, -0.298319]],
        [-0.0621, 0.87167, 3.77139]),
    'dhp19-3': _dhp19(  # front, the person's right
        [[339.3734, -0.486, 158.9598], [0.0, 341.1625, 139.4077], [0.0, 0.0, 1.0]],
        [[0.731594, -0.676594, -0.083617], [-0.31216, -0.223419, -0.923385],
         [0.606075, 0.701645, -0.374658]],
        [0.14138, 0.73115, 3.67356]),
    'dhp19-4': _dhp19(  # the person's right side
        [[323.2836, 3.5186, 175.3057], [0.0, 326.0271, 156.2929], [0.0, 0.0, 1.0]],
        [[0.068648, -0.996241, -0.052832], [-0.508458, 0.010624, -0.861021],
         [0.858346, 0.08597, -0.505817]],
        [0.18361, 0.67647, 3.08044]),
}


def camera(name: str) -> Camera:
    """Return the camera of that name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in CAMERAS:
        raise InputError(f'camera {name!r} is not known: choose from {", ".join(CAMERAS)}')
    return CAMERAS[name]
