# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibrated cameras that observe the same scene. C cameras, N points.

Pixel coordinates have integer centers, as in OpenCV and ROS. The ideal pixel of a point is its
image in a camera with the same matrix and no distortion.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.representation.calibration import check_numbers

MODELS = {'plumb_bob': (4, 5), 'rational_polynomial': (8,), 'equidistant': (4,)}
"""Distortion models by their names in ROS, with the numbers of coefficients."""
ITERATIONS = 50
"""Maximum number of Newton steps for inverting the distortion."""
TOLERANCE = 1e-12


class RigCamera(NamedTuple):
    """One camera: ideal pixel = matrix @ (rotation @ world + translation), then divide."""

    name: str  # of the camera in ROS: the namespace of its tracker
    width: int  # [px]
    height: int
    matrix: np.ndarray  # (3, 3) [px]
    rotation: np.ndarray  # (3, 3), world to camera
    translation_m: np.ndarray  # (3,)
    distortion: np.ndarray = np.zeros(5)  # k1, k2, p1, p2, k3 ..., or k1 to k4 of equidistant
    model: str = 'plumb_bob'  # one of MODELS

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
    known = MODELS.get(camera.model)
    if known is None:
        raise InputError(f'camera {camera.name}: unknown distortion model {camera.model!r}: '
                         f'choose from {", ".join(MODELS)}')
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
    bent = np.empty_like(ray)
    _distort(ray.reshape(-1, 2), np.float64(camera.distortion), camera.model == 'equidistant',
             bent.reshape(-1, 2))
    return bent @ camera.matrix[:2, :2].T + camera.matrix[:2, 2]


def undistort(camera: RigCamera, pixels: np.ndarray) -> np.ndarray:
    """Return the ideal pixels (..., 2) of pixels; NaN if the distortion cannot be inverted.

    The model of a wide lens folds back outside of the image, where pixels correspond to no ray.
    """
    pixels = np.asarray(pixels, np.float64)
    if not np.any(camera.distortion):
        return pixels
    inverse = np.linalg.inv(camera.matrix[:2, :2])
    bent = np.ascontiguousarray((pixels - camera.matrix[:2, 2]) @ inverse.T)
    ray = np.empty_like(bent)
    _undistort(bent.reshape(-1, 2), np.float64(camera.distortion), camera.model == 'equidistant',
               ray.reshape(-1, 2))
    return ray @ camera.matrix[:2, :2].T + camera.matrix[:2, 2]


@njit(nogil=True, cache=True)
def _bend(x, y, k, equidistant):
    """Return the distorted image point of a ray (x, y, 1) at focal length 1."""
    squared = x * x + y * y
    if equidistant:
        radius = np.sqrt(squared)
        if radius < 1e-12:
            return x, y
        angle = np.arctan(radius)
        a = angle * angle
        factor = angle * (1 + a * (k[0] + a * (k[1] + a * (k[2] + a * k[3])))) / radius
        return factor * x, factor * y
    third = k[4] if len(k) > 4 else 0.0
    factor = 1 + squared * (k[0] + squared * (k[1] + squared * third))
    if len(k) > 5:
        factor /= 1 + squared * (k[5] + squared * (k[6] + squared * k[7]))
    return (factor * x + 2 * k[2] * x * y + k[3] * (squared + 2 * x * x),
            factor * y + k[2] * (squared + 2 * y * y) + 2 * k[3] * x * y)


@njit(nogil=True, cache=True)
def _distort(rays, k, equidistant, bent):
    """Write the distorted points `bent` (N, 2) of rays (N, 2)."""
    for i in range(len(rays)):
        bent[i, 0], bent[i, 1] = _bend(rays[i, 0], rays[i, 1], k, equidistant)


@njit(nogil=True, cache=True)
def _undistort(bent, k, equidistant, rays):
    """Write rays (N, 2) that `_bend` maps to `bent`, by Newton's method; NaN if there is none."""
    step = 1e-6
    for i in range(len(bent)):
        x, y = bent[i, 0], bent[i, 1]
        miss = np.inf
        for _ in range(ITERATIONS):
            bent_x, bent_y = _bend(x, y, k, equidistant)
            error_x, error_y = bent_x - bent[i, 0], bent_y - bent[i, 1]
            miss = abs(error_x) + abs(error_y)
            if miss < TOLERANCE:
                break
            right, left = _bend(x + step, y, k, equidistant), _bend(x - step, y, k, equidistant)
            down, up = _bend(x, y + step, k, equidistant), _bend(x, y - step, k, equidistant)
            a, b = (right[0] - left[0]) / (2 * step), (down[0] - up[0]) / (2 * step)
            c, d = (right[1] - left[1]) / (2 * step), (down[1] - up[1]) / (2 * step)
            determinant = a * d - b * c
            if determinant <= 0.0:  # the model folds back
                miss = np.inf
                break
            x -= (d * error_x - b * error_y) / determinant
            y -= (a * error_y - c * error_x) / determinant
        found = miss < 1e-7
        rays[i, 0] = x if found else np.nan
        rays[i, 1] = y if found else np.nan
