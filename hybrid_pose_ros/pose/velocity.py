# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Velocity of joints: the slope of a line through the last poses, older ones counting less."""

import math
from typing import NamedTuple

import numpy as np

TAU_US = 12_000
"""A pose this old counts 1 / e of a new one: the line sees the last 25 ms or so."""


class VelocityState(NamedTuple):
    """Weighted sums over the poses so far, of each joint; t is the time before the last one."""

    stamp_us: int  # of the last pose, sensor time
    weight: np.ndarray  # sum of w, (J, 1), seconds and pixels throughout
    time: np.ndarray  # sum of w t
    time_squared: np.ndarray  # sum of w t^2
    position: np.ndarray  # sum of w p, (J, 2)
    time_position: np.ndarray  # sum of w t p, (J, 2)


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
    joints_px, new = np.float64(joints_px), np.float64(confidence)[:, None]
    if state is None or stamp_us <= state.stamp_us:
        zero = np.zeros_like(new)
        state = VelocityState(stamp_us, new, zero, zero, new * joints_px, 0 * joints_px)
        return np.zeros(joints_px.shape, np.float32), state
    step_s = (stamp_us - state.stamp_us) * 1e-6
    kept = math.exp(-(stamp_us - state.stamp_us) / TAU_US)
    state = VelocityState(
        stamp_us,
        weight=kept * state.weight + new,
        time=kept * (state.time - step_s * state.weight),
        time_squared=kept * (state.time_squared - 2 * step_s * state.time
                             + step_s ** 2 * state.weight),
        position=kept * state.position + new * joints_px,
        time_position=kept * (state.time_position - step_s * state.position))
    return _slope(state), state


def _slope(state: VelocityState) -> np.ndarray:
    """Return the slope of the line of least squares, (J, 2) float32."""
    spread = state.weight * state.time_squared - state.time ** 2  # 0 where all poses are one
    known = spread > 1e-9 * state.weight * state.time_squared
    slope = state.weight * state.time_position - state.time * state.position
    return np.float32(np.where(known, slope / np.where(known, spread, 1), 0))
