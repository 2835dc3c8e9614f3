# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the pose streams of several cameras to 3D poses by alignment and triangulation."""

import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.clock import nearest_turn
from hybrid_pose_ros.pose.alignment import KEPT_US, Aligned, Aligner, TimedPose
from hybrid_pose_ros.pose.rig import Rig, undistort
from hybrid_pose_ros.pose.triangulation import TriangulationParams, triangulate_ideal
from hybrid_pose_ros.settings import param
from hybrid_pose_ros.tasks.skeleton import JOINTS


@dataclass(frozen=True)
class TriangulatorParams(TriangulationParams):
    """Parameters of the triangulator node."""

    rig: str = param('', 'YAML file of the cameras, or a Kalibr camchain; required. Each camera '
                     'is named after the namespace of its tracker.')
    step_us: int = param(1_000, 'Interval between two 3D poses [us].', low=100,
                         high=1_000_000)
    max_age_us: int = param(30_000, 'A camera is missing at an instant if its poses before and '
                            'after are farther apart than this [us], or if its last pose is older '
                            'than this.', low=100, high=KEPT_US)
    wait_us: int = param(50_000, 'Maximum lag behind the leading camera [us]; cameras that lag '
                         'more are not waited for.', low=0, high=KEPT_US)
    clock: str = param('ros', "Common clock of the poses: ros, or sensor if the clocks of the "
                       "cameras are synchronized.", choices=('ros', 'sensor'))
    undistorted: bool = param(False, 'The trackers use a calibration, so their joints are already '
                              'undistorted.')
    markers_hz: float = param(30.0, "Markers per second of the cameras' clock [Hz].",
                              low=1.0, high=1_000.0, live=True)


class Skeleton3D(NamedTuple):
    """One 3D pose of one person. J = 13 joints, C cameras."""

    stamp_us: int  # on the common clock
    joints_m: np.ndarray  # (J, 3), NaN if missing
    confidence: np.ndarray  # (J,) 0 to 1
    error_px: np.ndarray  # (J,) reprojection error, NaN if missing
    cameras: np.ndarray  # (J,) number of cameras used
    missing: np.ndarray  # (C,) bool: the camera had no pose near the instant
    compute_ns: int  # computing time


class Triangulator:
    """Aligns the poses of the cameras and triangulates one 3D pose per instant."""

    def __init__(self, rig: Rig, params: TriangulatorParams):
        """Start without poses, with all kernels compiled."""
        self._rig, self._params = rig, params
        self._projections = rig.projections
        self._aligner = Aligner(len(rig.cameras), step_us=params.step_us,
                                max_age_us=params.max_age_us, wait_us=params.wait_us)
        self.poses = 0
        self.points = np.zeros(len(JOINTS), np.int64)  # triangulated points of each joint
        self.missing = np.zeros(len(rig.cameras), np.int64)  # instants at which each is missing
        self.left_out = np.zeros(len(rig.cameras), np.int64)  # joints for which each is excluded
        self._triangulate(Aligned(0, np.zeros((len(rig.cameras), len(JOINTS), 2)),
                                  np.ones((len(rig.cameras), len(JOINTS))),
                                  np.zeros(0, np.int64), np.zeros(len(rig.cameras), bool)))

    def set_params(self, params: TriangulatorParams) -> None:
        """Change the live settings, effective from the next instant; the others must be equal."""
        self._params = params

    @property
    def out_of_order(self) -> int:
        """Return the number of poses dropped since they were not newer than the previous one."""
        return self._aligner.out_of_order

    def common_us(self, sensor_us: int) -> int:
        """Return a camera's sensor time on the common clock of synchronized cameras.

        Each tracker unwraps its camera's clock on its own, so the time is moved to the clock
        period of the leading camera. Times of clocks that do not wrap are unchanged, since they
        agree within half a period.
        """
        newest_us = self._aligner.newest_us
        return sensor_us if newest_us is None else nearest_turn(sensor_us, newest_us)

    def update(self, camera: int, poses: list[TimedPose]) -> list[Skeleton3D]:
        """Add poses of a camera; return the 3D poses that are due, in order."""
        for pose in poses:
            self._aligner.add(camera, pose)
        found = []
        started_ns = time.perf_counter_ns()
        for aligned in self._aligner.due():
            skeleton = self._triangulate(aligned)
            done_ns = time.perf_counter_ns()
            found.append(skeleton._replace(compute_ns=done_ns - started_ns))
            self._count(aligned, skeleton)
            started_ns = done_ns
        return found

    def _triangulate(self, aligned: Aligned) -> Skeleton3D:
        pixels = aligned.joints_px
        if not self._params.undistorted:
            pixels = np.stack([undistort(camera, seen)
                               for camera, seen in zip(self._rig.cameras, pixels)])
        found = triangulate_ideal(self._projections, pixels, aligned.confidence, self._params)
        self._used = found.used
        return Skeleton3D(aligned.stamp_us, found.points_m, found.confidence, found.error_px,
                          found.used.sum(axis=0, dtype=np.uint8), aligned.missing, 0)

    def _count(self, aligned: Aligned, skeleton: Skeleton3D) -> None:
        self.poses += 1
        self.points += skeleton.cameras > 0
        self.missing += aligned.missing
        seen = aligned.confidence >= max(self._params.least_confidence, 1e-12)
        self.left_out += (seen & ~self._used & (skeleton.cameras > 0)).sum(axis=1)


def check_tracker_sizes(rig: Rig, camera: int, width: int, height: int) -> None:
    """Raise InputError if a tracker's sensor size differs from the calibration."""
    known = rig.cameras[camera]
    if (known.width, known.height) != (width, height):
        raise InputError(f'camera {known.name} is calibrated for a sensor of {known.width}x'
                         f'{known.height} px, but its poses are for {width}x{height} px')
