# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pinhole cameras: the four of DHP19, a DAVIS346 in front of the person, and random ones.

The world is in meters with z up and the floor at z = 0; the person stands near the origin and
faces -y. Camera frames have x right, y down and z along the optical axis. Pixel (x, y) covers
[x, x + 1) times [y, y + 1), so its center is at (x + 0.5, y + 0.5).

The cameras of DHP19 are defined in `datasets/dhp19_calibration.py`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.datasets import dhp19_calibration
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.representation.geometry import DHP19_SENSOR
from hybrid_pose_ros.settings import check, param

FRONT_AZIMUTH = -np.pi / 2
"""Direction from the person to a camera in front of them [rad]."""
MIDDLE = np.array([0.0, 0.0, 0.9])
"""Approximate center of a person [m]."""


class Camera(NamedTuple):
    """A pinhole camera: pixel = intrinsics @ (rotation @ world + translation), divided by depth.

    A moving camera has a leading axis N in rotation and translation; its methods then take points
    of shape (N, P, 3).
    """

    width: int
    height: int
    intrinsics: np.ndarray  # (3, 3) [px]
    rotation: np.ndarray  # (3, 3), world to camera
    translation: np.ndarray  # (3,) [m]

    @property
    def center(self) -> np.ndarray:
        """Position of the camera in the world, (3,) [m]."""
        return -self.rotation.T @ self.translation

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Return world points (..., 3) [m] in the camera frame; (N, ..., 3) if it moves."""
        shift = self.translation if self.translation.ndim == 1 else self.translation[:, None]
        return points @ np.swapaxes(self.rotation, -1, -2) + shift

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return the pixels (..., 2) of world points (..., 3) [m]; NaN behind the camera."""
        homogeneous = self.to_camera(points) @ self.intrinsics.T
        depth = homogeneous[..., 2:]
        return homogeneous[..., :2] / np.where(depth > 0.0, depth, np.nan)

    def contains(self, pixels: np.ndarray) -> np.ndarray:
        """Return which pixels (..., 2) are inside the image, (...) bool; NaN is outside."""
        x, y = pixels[..., 0], pixels[..., 1]
        return (x >= 0.0) & (x < self.width) & (y >= 0.0) & (y < self.height)


def look_at(center, target, *, focal_px: float, width: int = 346, height: int = 260,
            roll: float = 0.0) -> Camera:
    """Return a camera at `center` [m] that points at `target` [m]; roll in radians."""
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


def _dhp19(number: int) -> Camera:
    return Camera(*DHP19_SENSOR, *dhp19_calibration.pinhole(number))


CAMERAS = {
    'davis346-front': look_at((0.0, -3.4, 1.1), (0.0, 0.0, 0.95), focal_px=340.0),
    **{f'dhp19-{number}': _dhp19(number) for number in dhp19_calibration.PROJECTIONS},
}


def camera(name: str) -> Camera:
    """Return the camera with this name.

    Raises:
        InputError: the name is unknown.
    """
    if name not in CAMERAS:
        raise InputError(f'unknown camera {name!r}: choose from {", ".join(CAMERAS)}')
    return CAMERAS[name]


def random_camera(rng: np.random.Generator, *, front: bool = False) -> Camera:
    """Return a DAVIS346 that sees the person: near a DHP19 camera or anywhere, equally likely.

    Args:
        rng: random generator.
        front: place the camera within 60 degrees of the person's front.
    """
    if rng.random() < 0.5:
        near = CAMERAS[f'dhp19-{rng.integers(2, 4) if front else rng.integers(1, 5)}']
        moved = near.center + rng.uniform(-0.3, 0.3, 3)
        rotation = _small_rotation(np.radians(rng.uniform(-3.0, 3.0, 3))) @ near.rotation
        return near._replace(rotation=rotation, translation=-rotation @ moved)
    spread = np.pi / 3 if rng.random() < 0.5 or front else np.pi
    azimuth = FRONT_AZIMUTH + rng.uniform(-spread, spread)
    distance, height_m = rng.uniform(1.8, 5.0), rng.uniform(0.8, 2.3)
    center = (distance * np.cos(azimuth), distance * np.sin(azimuth), height_m)
    focal_px = min(rng.uniform(250.0, 400.0), 130.0 * distance)  # fits the person in the image
    return look_at(center, MIDDLE + rng.normal(0.0, 0.12, 3), focal_px=focal_px,
                   roll=np.radians(rng.normal(0.0, 3.0)))


def close_camera(rng: np.random.Generator, *, spread: float = np.pi / 4) -> Camera:
    """Return a DAVIS346 at arm's length or slightly more that sees the upper body.

    Args:
        rng: random generator.
        spread: largest angle from the person's front [rad].
    """
    azimuth = FRONT_AZIMUTH + rng.uniform(-spread, spread)
    distance = rng.uniform(0.9, 1.7)
    target = (rng.normal(0.0, 0.08), rng.normal(0.0, 0.08), rng.uniform(1.15, 1.55))
    center = (target[0] + distance * np.cos(azimuth), target[1] + distance * np.sin(azimuth),
              target[2] + rng.uniform(-0.4, 0.3))
    return look_at(center, target, focal_px=rng.uniform(230.0, 400.0),
                   roll=np.radians(rng.normal(0.0, 3.0)))


@dataclass(frozen=True)
class SwaySettings:
    """Slow motion of the camera, as when handheld or mounted on a robot."""

    turn_deg: float = param(0.0, 'Rotation amplitude about each axis [deg].', low=0.0, high=20.0)
    shift_m: float = param(0.0, 'Translation amplitude along each axis [m].', low=0.0, high=1.0)
    period_s: float = param(4.0, 'Shortest period of the sway [s].', low=0.2, high=60.0)

    def __post_init__(self):
        check(self)

    @property
    def still(self) -> bool:
        """Whether the camera is stationary."""
        return self.turn_deg == 0.0 and self.shift_m == 0.0


def sway(camera: Camera, settings: SwaySettings, times_s: np.ndarray, seed: int) -> Camera:
    """Return a camera that sways around its initial pose, with one pose per time (N,).

    The motion along each axis is the sum of two sines with random periods and phases. At time 0
    the camera is at its initial pose.
    """
    rng = np.random.default_rng([seed, 3])
    omega = 2.0 * np.pi / (settings.period_s * rng.uniform(1.0, 2.5, (6, 2)))
    phase = rng.uniform(0.0, 2.0 * np.pi, (6, 2))
    swing = np.sin(omega * times_s[:, None, None] + phase) - np.sin(phase)  # (N, 6, 2)
    swing = 0.5 * swing.sum(axis=-1)
    turns = _small_rotation(np.radians(settings.turn_deg) * swing[:, :3])
    rotation = turns @ camera.rotation
    center = camera.center + settings.shift_m * swing[:, 3:]
    translation = -np.einsum('nij,nj->ni', rotation, center)
    return camera._replace(rotation=rotation, translation=translation)


def _small_rotation(angles: np.ndarray) -> np.ndarray:
    """Return the rotation matrices (..., 3, 3) of rotation vectors `angles` (..., 3) [rad]."""
    angle = np.maximum(np.linalg.norm(angles, axis=-1), 1e-12)[..., None, None]
    x, y, z = np.moveaxis(angles, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3) / angle
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross
