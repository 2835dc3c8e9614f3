# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Alignment of the poses of several cameras to common instants.

    camera 0   |    |    |    |    |    |      its own time bins
    camera 1     |    |    |         |    |    delayed bins and gaps
    instants   .    .    .    .    .    .      every step_us of the common clock

Joints are interpolated linearly between two poses and held after the last one. An instant is due
when all cameras have reached it, except for those that lag too far behind the leading camera. C
cameras, J joints.
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.tasks.skeleton import JOINTS

KEPT_US = 500_000
"""Time for which poses are stored, and thus the maximum wait."""


class TimedPose(NamedTuple):
    """A pose of one camera on the common clock."""

    stamp_us: int
    joints_px: np.ndarray  # (J, 2)
    confidence: np.ndarray  # (J,)


class Aligned(NamedTuple):
    """Observations of all cameras at one instant."""

    stamp_us: int
    joints_px: np.ndarray  # (C, J, 2), NaN for missing cameras
    confidence: np.ndarray  # (C, J), 0 for missing cameras
    age_us: np.ndarray  # (C,) int64: age of the camera's newest pose; 0 if interpolated
    missing: np.ndarray  # (C,) bool: no pose is close enough


class Aligner:
    """Receives the poses of each camera and returns aligned instants in order."""

    def __init__(self, cameras: int, *, step_us: int, max_age_us: int, wait_us: int):
        """Start without poses.

        Args:
            cameras: number of cameras, C.
            step_us: interval between two instants.
            max_age_us: a camera is missing at an instant if its poses before and after are farther
                apart than this, or if its last pose is older.
            wait_us: maximum lag of a camera behind the leading one.
        """
        self._step_us, self._max_age_us, self._wait_us = step_us, max_age_us, wait_us
        self._poses: list[deque[TimedPose]] = [deque() for _ in range(cameras)]
        self._next_us: int | None = None
        self.out_of_order = 0  # poses dropped since they are not newer than the previous one

    @property
    def newest_us(self) -> int | None:
        """Return the time of the newest pose of any camera; None if there is none."""
        return max((poses[-1].stamp_us for poses in self._poses if poses), default=None)

    def add(self, camera: int, pose: TimedPose) -> None:
        """Add the next pose of a camera; a large step back in time means that it was restarted."""
        poses = self._poses[camera]
        if poses and pose.stamp_us <= poses[-1].stamp_us:
            self.out_of_order += 1
            if poses[-1].stamp_us - pose.stamp_us < KEPT_US:
                return
            self._restart()
        self._poses[camera].append(pose)
        while self._poses[camera][0].stamp_us < pose.stamp_us - KEPT_US:
            self._poses[camera].popleft()

    def due(self) -> list[Aligned]:
        """Return the instants that are due since the last call."""
        newest = [poses[-1].stamp_us for poses in self._poses if poses]
        if not newest:
            return []
        first_us = max(newest)
        waited_for = [stamp for stamp in newest if first_us - stamp <= self._wait_us]
        # A camera without poses is waited for like any other, starting at the first pose of any
        # camera.
        until_us = min(waited_for)
        if len(newest) < len(self._poses):
            until_us = min(until_us, first_us - self._wait_us)
        if self._next_us is None:
            start_us = min(poses[0].stamp_us for poses in self._poses if poses)
            self._next_us = -(-start_us // self._step_us) * self._step_us
        # After a pause of all cameras, the instants in between are skipped.
        oldest_us = first_us - KEPT_US
        if self._next_us < oldest_us:
            self._next_us = -(-oldest_us // self._step_us) * self._step_us
        found = []
        while self._next_us <= until_us:
            found.append(self._at(self._next_us))
            self._next_us += self._step_us
        return found

    def _restart(self) -> None:
        for poses in self._poses:
            poses.clear()
        self._next_us = None

    def _at(self, stamp_us: int) -> Aligned:
        """Return the observations of all cameras at an instant."""
        cameras = len(self._poses)
        aligned = Aligned(stamp_us, np.full((cameras, len(JOINTS), 2), np.nan),
                          np.zeros((cameras, len(JOINTS))), np.zeros(cameras, np.int64),
                          np.ones(cameras, bool))
        for camera, poses in enumerate(self._poses):
            before, after = _around(poses, stamp_us)
            if before is not None and after is None:
                aligned.age_us[camera] = stamp_us - before.stamp_us
            seen = _between(before, after, stamp_us, self._max_age_us)
            if seen is not None:
                aligned.joints_px[camera], aligned.confidence[camera] = seen
                aligned.missing[camera] = False
        return aligned


def _around(poses: deque[TimedPose], stamp_us: int) -> tuple[TimedPose | None, TimedPose | None]:
    """Return the last pose at or before an instant, and the first one at or after it."""
    after = None
    for pose in reversed(poses):
        if pose.stamp_us == stamp_us:
            return pose, pose
        if pose.stamp_us < stamp_us:
            return pose, after
        after = pose
    return None, after


def _between(before: TimedPose | None, after: TimedPose | None, stamp_us: int, max_age_us: int
             ) -> tuple[np.ndarray, np.ndarray] | None:
    """Return joints (J, 2) and confidence (J,) at an instant; None if no pose is close enough."""
    if before is None:
        return None
    if after is None:
        if stamp_us - before.stamp_us > max_age_us:
            return None
        return before.joints_px, before.confidence
    gap_us = after.stamp_us - before.stamp_us
    if gap_us > max_age_us:
        return None
    share = (stamp_us - before.stamp_us) / gap_us if gap_us else 0.0
    return ((1 - share) * before.joints_px + share * after.joints_px,
            np.minimum(before.confidence, after.confidence))
