# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Triangulation of points from the pixels of several cameras. C cameras, N points.

A point minimizes the squared reprojection error, weighted by the confidence of each camera.
Cameras that fit badly are excluded as long as enough others remain.

Source: linear inhomogeneous equations of Hartley and Zisserman, Multiple View Geometry, 12.2,
refined by Gauss-Newton steps on the pixel distances.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.pose.rig import Rig, undistort
from hybrid_pose_ros.settings import check, param

REFINEMENTS = 3
"""Gauss-Newton steps after the linear solution."""
NEAREST_M = 0.05
"""Minimum depth of a point that a camera can see."""
SINGULAR = 1e-9
"""Rays count as parallel below this determinant, relative to the size of its terms."""


@dataclass(frozen=True)
class TriangulationParams:
    """Thresholds for using a camera."""

    least_confidence: float = param(0.15, 'Minimum confidence at which a camera is used for a '
                                    'joint; a camera that sees only noise reports 0.03 to 0.12.',
                                    low=0.0, high=1.0, live=True)
    outlier_px: float = param(12.0, 'Maximum reprojection error of a camera [px]. While it is '
                              'exceeded for a joint and more than two cameras remain, the '
                              'worst-fitting camera is excluded; 0: no limit.', low=0.0, high=1e4,
                              live=True)

    def __post_init__(self):
        check(self)


class Triangulated(NamedTuple):
    """Points in the world and their reliability."""

    points_m: np.ndarray  # (N, 3), NaN if fewer than two cameras see the point
    error_px: np.ndarray  # (N,) root mean square reprojection error over the used cameras, or NaN
    used: np.ndarray  # (C, N) bool: cameras used for the point
    confidence: np.ndarray  # (N,) mean over the cameras used, 0 to 1; 0 if there is no point


def triangulate(rig: Rig, pixels: np.ndarray, confidence: np.ndarray,
                params: TriangulationParams = TriangulationParams(), *,
                ideal: bool = False) -> Triangulated:
    """Triangulate the points that C cameras see at given pixels.

    Args:
        rig: C cameras.
        pixels: x and y, (C, N, 2); NaN if not seen.
        confidence: weight of the squared error, (C, N), 0 to 1.
        params: thresholds for using a camera.
        ideal: pixels are already undistorted.
    """
    pixels = np.asarray(pixels, np.float64)
    if not ideal:
        pixels = np.stack([undistort(camera, seen) for camera, seen in zip(rig.cameras, pixels)])
    return triangulate_ideal(rig.projections, pixels, np.asarray(confidence, np.float64), params)


def triangulate_ideal(projections: np.ndarray, pixels: np.ndarray, confidence: np.ndarray,
                      params: TriangulationParams) -> Triangulated:
    """Triangulate ideal pixels (C, N, 2) of cameras (C, 3, 4); otherwise like `triangulate`."""
    cameras, points = confidence.shape
    found = Triangulated(np.full((points, 3), np.nan), np.full(points, np.nan),
                         np.zeros((cameras, points), np.bool_), np.zeros(points))
    _triangulate(projections, pixels, confidence, params.least_confidence, params.outlier_px,
                 *found)
    return found


@njit(nogil=True, cache=True)
def _triangulate(projections, pixels, confidence, least, outlier_px, points, errors, used, sure):
    """Write points, reprojection errors, used cameras and confidences."""
    cameras, count = confidence.shape
    errors_px, point = np.empty(cameras), np.empty(3)
    trial = np.empty(3)
    for n in range(count):
        kept = used[:, n]
        seen = 0
        for c in range(cameras):
            kept[c] = (confidence[c, n] > 0 and confidence[c, n] >= least
                       and np.isfinite(pixels[c, n, 0]) and np.isfinite(pixels[c, n, 1]))
            seen += kept[c]
        solved = seen >= 2 and _solve(projections, pixels[:, n], confidence[:, n], kept, point,
                                      errors_px)
        while seen > 2 and outlier_px > 0 and not (
                solved and _worst(errors_px, kept) <= outlier_px):
            dropped = _least_missed(projections, pixels[:, n], confidence[:, n], kept, trial,
                                    errors_px)
            if dropped < 0:
                break
            kept[dropped] = False
            seen -= 1
            solved = _solve(projections, pixels[:, n], confidence[:, n], kept, point, errors_px)
        if not solved:
            kept[:] = False
            continue
        squared = total = 0.0
        for c in range(cameras):
            if kept[c]:
                squared += errors_px[c] ** 2
                total += confidence[c, n]
        points[n], errors[n], sure[n] = point, np.sqrt(squared / seen), total / seen


@njit(nogil=True, cache=True)
def _least_missed(projections, pixels, confidence, kept, point, errors_px):
    """Return the camera whose removal reduces the error most; -1 if none can be removed."""
    best, lowest = -1, np.inf
    for c in range(len(kept)):
        if not kept[c]:
            continue
        kept[c] = False
        if _solve(projections, pixels, confidence, kept, point, errors_px):
            cost = 0.0
            for other in range(len(kept)):
                if kept[other]:
                    cost += confidence[other] * errors_px[other] ** 2
            if cost < lowest:
                best, lowest = c, cost
        kept[c] = True
    return best


@njit(nogil=True, cache=True)
def _worst(errors_px, kept):
    worst = 0.0
    for c in range(len(kept)):
        if kept[c]:
            worst = max(worst, errors_px[c])
    return worst


@njit(nogil=True, cache=True)
def _solve(projections, pixels, confidence, kept, point, errors_px):
    """Write the point for the kept cameras, and its reprojection errors.

    Returns:
        Whether the point exists: the rays intersect in front of all cameras.
    """
    point[:] = 0.0
    step = np.empty(3)
    for number in range(1 + REFINEMENTS):
        a, b = np.zeros((3, 3)), np.zeros(3)
        for c in range(len(kept)):
            if kept[c]:
                _add_rows(projections[c], pixels[c], confidence[c], point, number == 0, a, b)
        if not _solve_symmetric(a, b, step):
            return False
        point += step
        for c in range(len(kept)):
            if kept[c] and _depth(projections[c], point) < NEAREST_M:
                return False
    for c in range(len(kept)):
        p, depth, squared = projections[c], _depth(projections[c], point), 0.0
        for axis in range(2):
            squared += (_dot(p[axis], point) / depth - pixels[c, axis]) ** 2
        errors_px[c] = np.sqrt(squared)
    return True


@njit(nogil=True, cache=True)
def _add_rows(p, pixel, weight, point, linear, a, b):
    """Add the equations of a camera to a x = b, where x is the step from `point`.

    If linear, they are pixel * depth = image, which is valid for any point. Otherwise the
    projection is linearized at the point, and the residual is in pixels.
    """
    depth = 1.0 if linear else _depth(p, point)
    for axis in range(2):
        seen = pixel[axis] if linear else _dot(p[axis], point) / depth
        missing = _dot(p[axis], point) - pixel[axis] * _depth(p, point)
        for i in range(3):
            slope = (seen * p[2, i] - p[axis, i]) / depth
            for j in range(i, 3):
                a[i, j] += weight * slope * (seen * p[2, j] - p[axis, j]) / depth
            b[i] += weight * slope * missing / depth


@njit(nogil=True, cache=True)
def _dot(row, point):
    return row[0] * point[0] + row[1] * point[1] + row[2] * point[2] + row[3]


@njit(nogil=True, cache=True)
def _depth(p, point):
    """Return the depth of the point in a camera (3, 4) [m]."""
    return _dot(p[2], point)


@njit(nogil=True, cache=True)
def _solve_symmetric(a, b, x):
    """Write the solution of a x = b, given the upper triangle of `a` (3, 3); False if singular."""
    c00 = a[1, 1] * a[2, 2] - a[1, 2] ** 2
    c01 = a[0, 2] * a[1, 2] - a[0, 1] * a[2, 2]
    c02 = a[0, 1] * a[1, 2] - a[0, 2] * a[1, 1]
    c11 = a[0, 0] * a[2, 2] - a[0, 2] ** 2
    c12 = a[0, 1] * a[0, 2] - a[0, 0] * a[1, 2]
    c22 = a[0, 0] * a[1, 1] - a[0, 1] ** 2
    determinant = a[0, 0] * c00 + a[0, 1] * c01 + a[0, 2] * c02
    size = a[0, 0] * a[1, 1] * a[2, 2]
    if not determinant > SINGULAR * size:
        return False
    x[0] = (c00 * b[0] + c01 * b[1] + c02 * b[2]) / determinant
    x[1] = (c01 * b[0] + c11 * b[1] + c12 * b[2]) / determinant
    x[2] = (c02 * b[0] + c12 * b[1] + c22 * b[2]) / determinant
    return True
