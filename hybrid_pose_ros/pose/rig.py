# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibrated cameras that observe the same scene. C cameras, N points.

Pixel centers have integer coordinates, as in OpenCV and ROS. The ideal pixel of a point is its
image in a camera with the same matrix and no distortion.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.representation.calibration import COEFFICIENTS, check_numbers

CRITERIA = cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-14
"""Termination criteria of the iteration that inverts the distortion."""
TOLERANCE = 1e-9
"""Maximum error of the inverted distortion, at focal length 1."""

if hasattr(cv2, 'undistortPointsIter'):  # OpenCV 4, where only this function takes criteria
    _undistort: Callable[..., np.ndarray] = partial(cv2.undistortPointsIter, R=None, P=None)
else:
    _undistort = cv2.undistortPoints


class RigCamera(NamedTuple):
    """One camera: ideal pixel = matrix @ (rotation @ world + translation), divided by depth."""

    name: str  # name of the camera in ROS: the namespace of its tracker
    width: int  # [px]
    height: int
    matrix: np.ndarray  # (3, 3) [px]
    rotation: np.ndarray  # (3, 3), world to camera
    translation_m: np.ndarray  # (3,)
    distortion: np.ndarray = np.zeros(5)  # k1, k2, p1, p2, k3 ..., or k1 to k4 of equidistant
    model: str = 'plumb_bob'  # one of COEFFICIENTS

    @property
    def projection(self) -> np.ndarray:
        """Projection of world points in meters to ideal pixels, (3, 4)."""
        return self.matrix @ np.column_stack([self.rotation, self.translation_m])

    @property
    def center_m(self) -> np.ndarray:
        """Position of the camera in the world, (3,)."""
        return -self.rotation.T @ self.translation_m


class Rig(NamedTuple):
    """Cameras and their common world frame."""

    cameras: tuple[RigCamera, ...]
    frame_id: str = 'world'

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the cameras in order."""
        return tuple(camera.name for camera in self.cameras)

    @property
    def projections(self) -> np.ndarray:
        """Projection matrices of all cameras, (C, 3, 4)."""
        return np.stack([camera.projection for camera in self.cameras])


def check_camera(camera: RigCamera) -> None:
    """Raise InputError unless the parameters of a camera are valid."""
    known = COEFFICIENTS.get(camera.model)
    if known is None:
        raise InputError(f'camera {camera.name}: unknown distortion model {camera.model!r}: '
                         f'choose from {", ".join(COEFFICIENTS)}')
    if len(camera.distortion) not in known:
        raise InputError(f'camera {camera.name}: {camera.model} has '
                         f'{" or ".join(map(str, known))} coefficients, not '
                         f'{len(camera.distortion)}')
    try:
        check_numbers(camera.matrix, camera.distortion)
    except InputError as error:
        raise InputError(f'camera {camera.name}: {error}') from error
    if not (np.isfinite(camera.rotation).all() and np.isfinite(camera.translation_m).all()):
        raise InputError(f'camera {camera.name}: its rotation or its translation is not finite')
    turn = np.clip(camera.rotation, -2.0, 2.0)  # keeps products finite
    if np.abs(turn @ turn.T - np.eye(3)).max() > 1e-3 or np.linalg.det(turn) < 0:
        raise InputError(f'camera {camera.name}: not a valid rotation: the rows must be '
                         'orthonormal and right-handed')


def to_camera(camera: RigCamera, points_m: np.ndarray) -> np.ndarray:
    """Return world points (..., 3) in the camera frame: x right, y down, z forward [m]."""
    return points_m @ camera.rotation.T + camera.translation_m


def project(camera: RigCamera, points_m: np.ndarray) -> np.ndarray:
    """Return the pixels (..., 2) of world points (..., 3); NaN behind the camera."""
    x, y, z = np.moveaxis(to_camera(camera, np.asarray(points_m, np.float64)), -1, 0)
    z = np.where(z > 0, z, np.nan)
    ray = np.ascontiguousarray(np.stack([x / z, y / z], axis=-1))
    bent = _bent(camera, ray.reshape(-1, 2)).reshape(ray.shape)
    return bent @ camera.matrix[:2, :2].T + camera.matrix[:2, 2]


def undistort(camera: RigCamera, pixels: np.ndarray) -> np.ndarray:
    """Return the ideal pixels (..., 2) of pixels; NaN where the distortion is not invertible.

    The model of a wide lens folds back outside the image, where pixels correspond to no ray.
    """
    pixels = np.asarray(pixels, np.float64)
    if not np.any(camera.distortion):
        return pixels
    inverse = np.linalg.inv(camera.matrix[:2, :2])
    bent = np.ascontiguousarray((pixels - camera.matrix[:2, 2]) @ inverse.T)
    ray = _straightened(camera, bent.reshape(-1, 2)).reshape(bent.shape)
    return ray @ camera.matrix[:2, :2].T + camera.matrix[:2, 2]


def _bent(camera: RigCamera, rays: np.ndarray) -> np.ndarray:
    """Return the distorted image points (N, 2), at focal length 1, of rays (N, 2)."""
    if not len(rays):
        return rays
    if camera.model == 'equidistant':
        bent = cv2.fisheye.distortPoints(rays[:, None], np.eye(3), camera.distortion)
    else:
        # cv2.projectPoints views 3D points along z, so rays are passed at depth 1.
        bent, _ = cv2.projectPoints(np.column_stack([rays, np.ones(len(rays))]), np.zeros(3),
                                    np.zeros(3), np.eye(3), camera.distortion)
    return bent[:, 0]


def _straightened(camera: RigCamera, bent: np.ndarray) -> np.ndarray:
    """Return rays (N, 2) for distorted image points (N, 2); NaN if no ray maps to the point."""
    if not len(bent):
        return bent
    if camera.model == 'equidistant':
        rays = cv2.fisheye.undistortPoints(bent[:, None], np.eye(3), camera.distortion,
                                           criteria=CRITERIA)
    else:
        rays = _undistort(bent[:, None], np.eye(3), camera.distortion, criteria=CRITERIA)
    rays = rays[:, 0]
    missed = np.abs(_bent(camera, rays) - bent).max(axis=1)
    return np.where((missed < TOLERANCE)[:, None], rays, np.nan)
