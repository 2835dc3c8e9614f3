# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Maps joints from one calibrated camera to another, at an assumed distance."""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.pose.rig import Rig, RigCamera, project, undistort
from hybrid_pose_ros.recordings.hdf5 import LABEL_CENTER_PX


class SecondCamera(NamedTuple):
    """A frame camera, and the event camera next to it."""

    frames: RigCamera
    events: RigCamera
    distance_m: float  # of the person from the frame camera, along its optical axis

    def to_sensor(self, points: np.ndarray, *, nearer_m: float = 0.0) -> np.ndarray:
        """Return the event pixels (..., 2) of frame pixels; pixel i covers [i, i + 1).

        Args:
            points: frame pixels; NaN stays NaN.
            nearer_m: distance by which the points are nearer than assumed [m].
        """
        known = np.isfinite(points).all(axis=-1)
        out = np.full(points.shape, np.nan)
        ideal = undistort(self.frames, points[known] - LABEL_CENTER_PX)
        rays = np.column_stack([ideal, np.ones(len(ideal))]) @ np.linalg.inv(self.frames.matrix).T
        inside = rays * (self.distance_m - nearer_m) - self.frames.translation_m
        out[known] = project(self.events, inside @ self.frames.rotation) + LABEL_CENTER_PX
        return out

    def parallax_px(self, points: np.ndarray, off_m: float) -> float:
        """Return the mean error [px] of points (..., 2) nearer by `off_m` than assumed."""
        difference = self.to_sensor(points, nearer_m=off_m) - self.to_sensor(points)
        return float(np.nanmean(np.linalg.norm(difference, axis=-1)))


def second_camera(rig: Rig, events: str, frames: str, distance_m: float) -> SecondCamera:
    """Return the pair of cameras with these names in a rig.

    Raises:
        InputError: the rig has no such camera.
    """
    for name in (events, frames):
        if name not in rig.names:
            raise InputError(f'the rig has no camera {name}, only {", ".join(rig.names)}')
    return SecondCamera(rig.cameras[rig.names.index(frames)],
                        rig.cameras[rig.names.index(events)], distance_m)
