# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What can be made of the ANN's poses alone: hold them, or extrapolate them.

K poses of the ANN, J joints, T instants; G settings of a Kalman filter beside each other.
"""

from typing import NamedTuple

import numpy as np

NOISE_PX = 2.0
"""Standard deviation of the ANN's poses that the Kalman filter starts from; only its ratio to the
noise of the motion matters later on, and that is tried out."""
FIRST_SPEED_PX_S = 300.0


class AnnPoses(NamedTuple):
    """The ANN's poses in the order of their times."""

    stamps_us: np.ndarray  # (K,) int64: the pose is of the events before
    joints_px: np.ndarray  # (K, J, 2)
    confidence: np.ndarray | None = None  # (K, J), 0 to 1, where somebody wants it


class KalmanSettings(NamedTuple):
    """A motion model: velocity wanders, and decays towards 0 with a time constant."""

    wander_px2_s3: np.ndarray  # (G,) spectral density of the acceleration
    decay_s: np.ndarray  # (G,) time constant of the velocity, inf = constant velocity


def kalman_grid() -> KalmanSettings:
    """Return settings to try: from holding a smoothed pose to following every measurement."""
    wander = NOISE_PX ** 2 * np.logspace(1, 7, 13)
    decay = np.array([0.05, 0.1, 0.2, 0.4, np.inf])
    grid = np.meshgrid(wander, decay, indexing='ij')
    return KalmanSettings(*(values.ravel() for values in grid))


def held(poses: AnnPoses, last: np.ndarray) -> np.ndarray:
    """Return the pose of index `last` (T,) at each instant, (T, J, 2)."""
    return poses.joints_px[last]


def constant_velocity(poses: AnnPoses, last: np.ndarray, at_us: np.ndarray) -> np.ndarray:
    """Return the straight line through the last two poses at each instant, (T, J, 2).

    Args:
        poses: of the ANN.
        last: index of the last pose that is available, (T,); the first pose is held.
        at_us: times of the instants, (T,).
    """
    before = np.maximum(last - 1, 0)
    gap_us = np.maximum(poses.stamps_us[last] - poses.stamps_us[before], 1)
    share = (at_us - poses.stamps_us[last]) / gap_us
    step = poses.joints_px[last] - poses.joints_px[before]
    return poses.joints_px[last] + share[:, None, None] * step


class KalmanTrack(NamedTuple):
    """The filter after each measurement."""

    position: np.ndarray  # (K, G, J, 2) [px]
    velocity: np.ndarray  # (K, G, J, 2) [px/s]
    decay_s: np.ndarray  # (G,)
    stamps_us: np.ndarray  # (K,)

    def at(self, setting: int, last: np.ndarray, at_us: np.ndarray) -> np.ndarray:
        """Return the prediction (T, J, 2) of one setting from measurement `last` (T,)."""
        reach_s = _reach((at_us - self.stamps_us[last]) * 1e-6, self.decay_s[setting])
        return self.position[last, setting] + (reach_s[:, None, None]
                                               * self.velocity[last, setting])


def kalman(poses: AnnPoses, settings: KalmanSettings) -> KalmanTrack:
    """Return a Kalman filter of position and velocity over the poses, joint by joint.

    All joints and both axes share one covariance, since it does not depend on the measurements.
    """
    settings_count, shape = len(settings.decay_s), poses.joints_px.shape[1:]
    position = np.broadcast_to(poses.joints_px[0], (settings_count, *shape)).astype(np.float64)
    velocity = np.zeros_like(position)
    covariance = np.zeros((settings_count, 2, 2))
    covariance[:, 0, 0], covariance[:, 1, 1] = NOISE_PX ** 2, FIRST_SPEED_PX_S ** 2
    positions, velocities = [position], [velocity]
    for step_us, measured in zip(np.diff(poses.stamps_us), poses.joints_px[1:]):
        reach_s, kept, noise = _motion(settings, step_us * 1e-6)
        position = position + reach_s[:, None, None] * velocity
        velocity = kept[:, None, None] * velocity
        transition = np.zeros_like(covariance)
        transition[:, 0, 0], transition[:, 0, 1], transition[:, 1, 1] = 1, reach_s, kept
        covariance = transition @ covariance @ transition.swapaxes(1, 2) + noise
        gain = covariance[:, 0] / (covariance[:, :1, 0] + NOISE_PX ** 2)
        surprise = measured - position
        position = position + gain[:, 0, None, None] * surprise
        velocity = velocity + gain[:, 1, None, None] * surprise
        covariance = covariance - gain[:, :, None] * covariance[:, :1]
        positions.append(position)
        velocities.append(velocity)
    return KalmanTrack(np.stack(positions), np.stack(velocities), settings.decay_s,
                       poses.stamps_us)


def _reach(ahead_s: np.ndarray, decay_s: np.ndarray) -> np.ndarray:
    """Return how far a unit of velocity leads in some time while it decays [s]."""
    finite = np.where(np.isinf(decay_s), 1.0, decay_s)
    return np.where(np.isinf(decay_s), ahead_s, -finite * np.expm1(-ahead_s / finite))


def _motion(settings: KalmanSettings, step_s: float):
    """Return reach [s] and kept share of the velocity, each (G,), and the noise (G, 2, 2)."""
    reach_s = _reach(np.float64(step_s), settings.decay_s)
    kept = np.exp(-step_s / settings.decay_s)
    # That of constant velocity; a decay within a step lessens it, which the grid makes up for.
    shape = np.array([[step_s ** 3 / 3, step_s ** 2 / 2], [step_s ** 2 / 2, step_s]])
    return reach_s, kept, settings.wander_px2_s3[:, None, None] * shape
