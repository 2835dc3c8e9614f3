# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint velocity: the slope of an exponentially weighted line fit to the last poses."""

import math
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit

TAU_US = 12_000
"""Age at which a pose has weight 1 / e; the fit covers roughly the last 25 ms."""


class VelocityState(NamedTuple):
    """Weighted sums over each joint's past poses."""

    stamp_us: int  # sensor time of the last pose
    sums: np.ndarray
    """Sums of w, w t, w t^2, w p and w t p, (J, 7), where p is x and y [px], and t is the time
    before the last pose [s]."""


def velocity_step(joints_px: np.ndarray, confidence: np.ndarray, stamp_us: int,
                  state: VelocityState | None) -> tuple[np.ndarray, VelocityState]:
    """Return the velocity at a new pose.

    Args:
        joints_px: joints, x and y, (J, 2); finite.
        confidence: weight of each joint's position, (J,); 0: ignore it.
        stamp_us: sensor time of the pose. Intervals may vary; if it does not increase, earlier
            poses are discarded.
        state: state after the previous pose; None for the first pose.

    Returns:
        Velocity (J, 2) float32 [px/s], 0 until a joint has had two positions, and the next state.
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
    """Write the sums and the slopes of least-squares lines; kept = 0 discards earlier poses."""
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
        spread = weight * squared - time ** 2  # 0 if all poses coincide in time
        if spread > 1e-9 * weight * squared:
            velocity[joint, 0] = (weight * time_x - time * x) / spread
            velocity[joint, 1] = (weight * time_y - time * y) / spread
