# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Velocity of joints: the slope of a line through the last poses, older ones counting less."""

import math
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit

TAU_US = 12_000
"""A pose this old counts 1 / e of a new one: the line sees the last 25 ms or so."""


class VelocityState(NamedTuple):
    """Weighted sums over the poses so far, of each joint."""

    stamp_us: int  # of the last pose, sensor time
    sums: np.ndarray
    """Of w, w t, w t^2, w p and w t p, p being x and y, (J, 7); t is the time before the last
    pose; seconds and pixels."""


class VelocityFilter:
    """Keeps the state of `velocity_step` between the poses of one stream."""

    def __init__(self):
        """Start without a pose."""
        self._state: VelocityState | None = None

    def update(self, joints_px: np.ndarray, stamp_us: int,
               confidence: np.ndarray | None = None) -> np.ndarray:
        """Return the velocity (J, 2) [px/s] at a new pose; without confidence all count alike."""
        if confidence is None:
            confidence = np.ones(len(joints_px))
        velocity, self._state = velocity_step(joints_px, confidence, stamp_us, self._state)
        return velocity


def velocity_step(joints_px: np.ndarray, confidence: np.ndarray, stamp_us: int,
                  state: VelocityState | None) -> tuple[np.ndarray, VelocityState]:
    """Return the velocity at a new pose.

    Args:
        joints_px: x and y, (J, 2), finite.
        confidence: weight of each joint's position, (J,), 0 = leave it out.
        stamp_us: sensor time of the pose. Poses may come at any distance; where time does not
            go forward, the poses before are forgotten.
        state: as the pose before left it, None at the first one.

    Returns:
        Velocity (J, 2) float32 [px/s], 0 until a joint had two positions, and the next state.
    """
    joints_px, confidence = np.float64(joints_px), np.float64(confidence)
    velocity = np.zeros(joints_px.shape, np.float32)
    sums = np.empty((len(joints_px), 7))
    if state is None or stamp_us <= state.stamp_us:
        _update(joints_px, confidence, 0.0, 0.0, sums, sums, velocity)
    else:
        step_us = stamp_us - state.stamp_us
        _update(joints_px, confidence, step_us * 1e-6, math.exp(-step_us / TAU_US), state.sums,
                sums, velocity)
    return velocity, VelocityState(stamp_us, sums)


@njit(nogil=True, cache=True)
def _update(joints_px, confidence, step_s, kept, before, sums, velocity):
    """Write sums and slopes of the lines of least squares; kept = 0 forgets what was before."""
    for joint in range(len(joints_px)):
        new = confidence[joint]
        weight = time = squared = x = y = time_x = time_y = 0.0
        if kept > 0:
            weight, time, squared = before[joint, 0], before[joint, 1], before[joint, 2]
            x, y = before[joint, 3], before[joint, 4]
            time_x, time_y = before[joint, 5], before[joint, 6]
        squared = kept * (squared - 2 * step_s * time + step_s ** 2 * weight)
        time = kept * (time - step_s * weight)
        time_x, time_y = kept * (time_x - step_s * x), kept * (time_y - step_s * y)
        weight = kept * weight + new
        x = kept * x + new * joints_px[joint, 0]
        y = kept * y + new * joints_px[joint, 1]
        for index, value in enumerate((weight, time, squared, x, y, time_x, time_y)):
            sums[joint, index] = value
        spread = weight * squared - time ** 2  # 0 where all poses are one
        if spread > 1e-9 * weight * squared:
            velocity[joint, 0] = (weight * time_x - time * x) / spread
            velocity[joint, 1] = (weight * time_y - time * y) / spread
