# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The four cameras of DHP19: projection matrices, positions, channels; defined only here.

The world frame is Vicon's, in millimeters: z up, the floor at z = 0; the person near the origin
faces -y. The matrices count rows from the bottom of the image; the functions return rows from the
top, so that pixel (x, y) covers [x, x + 1) times [y, y + 1), as in the labels of recordings.

Source: DHP19 (Calabrese et al., CVPRW 2019), its calibration, scaled to P[2, 3] = 1.
"""

import numpy as np

from hybrid_pose_ros.representation.geometry import DHP19_SENSOR

PROJECTIONS = {
    1: ((-0.06506658794, 0.1028037161, -0.02991671992, 226.3271386),
        (-0.07982530276, -0.005739210847, 0.08041816785, 19.10880549),
        (-2.985130993e-4, -2.631914734e-5, -1.632111493e-4, 1.0)),
    2: ((0.04504472932, 0.09380784663, -0.01439192298, 160.9482652),
        (-0.03699029279, 0.04786179893, 0.08092164901, 43.38697768),
        (-1.639806791e-4, 1.927698439e-4, -7.910054208e-5, 1.0)),
    3: ((0.0938535959, -0.03211491169, -0.02381457698, 171.9239972),
        (0.04888594811, 0.0437818096, 0.07345563524, 52.69097144),
        (1.649830266e-4, 1.909986645e-4, -1.019876445e-4, 1.0)),
    4: ((0.05547159208, -0.09964811304, -0.03531374152, 195.3474254),
        (0.08271149398, 0.001769876473, 0.07409964276, 32.11113563),
        (2.786441187e-4, 2.790850291e-5, -1.642030558e-4, 1.0)),
}
"""P, (3, 4), by camera number: maps homogeneous millimeters to homogeneous pixels, rows bottom-up.

Camera 1 is to the person's left, 2 in front on their left, 3 in front on their right, and 4 to
their right."""

CAMERA_OF_CHANNEL = (4, 1, 3, 2)
"""Camera number of each of the four channels of a recording."""
FRONT_CHANNELS = (2, 3)
"""Channels used in the paper for training and triangulation: cameras 3 and 2."""


def projection(camera: int) -> np.ndarray:
    """Return P (3, 4) of a camera (1 to 4), from millimeters to pixels with rows top-down."""
    first_row_on_top = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, DHP19_SENSOR[1]], [0.0, 0.0, 1.0]])
    return first_row_on_top @ np.array(PROJECTIONS[camera])


def project(points_mm: np.ndarray, camera: int) -> np.ndarray:
    """Return the pixels (..., 2) of points (..., 3) in a camera (1 to 4); NaN stays NaN.

    Points behind the camera are not excluded, since no person in DHP19 is behind a camera.
    """
    matrix = projection(camera)
    homogeneous = np.asarray(points_mm, np.float64) @ matrix[:, :3].T + matrix[:, 3]
    with np.errstate(divide='ignore', invalid='ignore'):
        return homogeneous[..., :2] / homogeneous[..., 2:]


def center_mm(camera: int) -> np.ndarray:
    """Return the position of a camera (1 to 4), (3,): the null space of P."""
    matrix = np.array(PROJECTIONS[camera])
    return -np.linalg.solve(matrix[:, :3], matrix[:, 3])


def pinhole(camera: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return intrinsics (3, 3) [px], rotation (3, 3) and translation (3,) [m] of a camera.

    pixel = intrinsics @ (rotation @ world + translation), divided by depth; world in meters.
    """
    matrix = projection(camera)[:, :3]
    upside_down = np.eye(3)[::-1]
    q, r = np.linalg.qr((upside_down @ matrix).T)  # so that matrix = intrinsics @ rotation
    intrinsics, rotation = upside_down @ r.T @ upside_down, upside_down @ q.T
    signs = np.sign(np.diag(intrinsics))
    intrinsics, rotation = intrinsics * signs, signs[:, None] * rotation
    rotation *= np.sign(np.linalg.det(rotation))  # the sign of P is arbitrary
    return intrinsics / intrinsics[2, 2], rotation, -rotation @ center_mm(camera) * 1e-3
