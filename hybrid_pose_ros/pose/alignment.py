# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses of several cameras, brought to common instants: no camera waits for another's steps.

    camera 0   |    |    |    |    |    |      steps of its own
    camera 1     |    |    |         |    |    late ones and gaps
    instants   .    .    .    .    .    .      every step_us of the common clock

Between two poses a joint is on a straight line, after the last one it stays. An instant
is due when every camera has come to it, but for those that lag too far behind the first one.
C cameras, J joints.
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.pose.skeleton import JOINTS

KEPT_US = 500_000
"""Poses are kept so long at least: nothing is waited for longer."""


class TimedPose(NamedTuple):
    """A pose of one camera on the common clock."""

    stamp_us: int
    joints_px: np.ndarray  # (J, 2)
    confidence: np.ndarray  # (J,)


class Aligned(NamedTuple):
    """What the cameras saw at one instant."""

    stamp_us: int
    joints_px: np.ndarray  # (C, J, 2), NaN of a camera that is missing
    confidence: np.ndarray  # (C, J), 0 of a camera that is missing
    age_us: np.ndarray  # (C,) int64: how old the camera's newest pose is, 0 where it has one after
    missing: np.ndarray  # (C,) bool: it has no pose near enough


class Aligner:
    """Takes in the poses of each camera as they come; gives out instants in order."""

    def __init__(self, cameras: int, *, step_us: int, max_age_us: int, wait_us: int):
        """Start without a pose.

        Args:
            cameras: C.
            step_us: time between two instants.
            max_age_us: a camera whose poses round an instant are farther apart than this, or whose
                last one is older, is missing there.
            wait_us: so far may a camera lag behind the first before it is not waited for.
        """
        self._step_us, self._max_age_us, self._wait_us = step_us, max_age_us, wait_us
        self._poses: list[deque[TimedPose]] = [deque() for _ in range(cameras)]
        self._next_us: int | None = None
        self.out_of_order = 0  # poses that were dropped: not newer than the one before

    @property
    def newest_us(self) -> int | None:
        """Return the time of the newest pose of any camera; None without a pose."""
        return max((poses[-1].stamp_us for poses in self._poses if poses), default=None)

    def add(self, camera: int, pose: TimedPose) -> None:
        """Take in a camera's next pose; where its time goes back, it has begun anew."""
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
        # One of which nothing has come yet is waited for as any other, from the first pose on.
        until_us = min(waited_for)
        if len(newest) < len(self._poses):
            until_us = min(until_us, first_us - self._wait_us)
        if self._next_us is None:
            start_us = min(poses[0].stamp_us for poses in self._poses if poses)
            self._next_us = -(-start_us // self._step_us) * self._step_us
        # After a pause of all cameras there is nothing between to be told.
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
        """Return what the cameras saw at an instant."""
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
    """Return the last pose up to an instant and the first from it on."""
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
    """Return joints (J, 2) and confidence (J,) at an instant, None without a pose near enough."""
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
