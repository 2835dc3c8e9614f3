# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trackers without a spiking network: ANN poses that are held, extrapolated or filtered.

K ANN poses, J joints, T instants; G settings of a Kalman filter, computed together.
"""

from typing import NamedTuple

import numpy as np

NOISE_PX = 2.0
"""Standard deviation of a joint with confidence 1. After the first poses, only its ratio to the
process noise matters."""
FIRST_SPEED_PX_S = 300.0


class AnnPoses(NamedTuple):
    """ANN poses in order of time."""

    stamps_us: np.ndarray  # (K,) int64: end of the events that the pose is computed from
    joints_px: np.ndarray  # (K, J, 2)
    confidence: np.ndarray  # (K, J), 0 to 1


class KalmanSettings(NamedTuple):
    """Motion and measurement models.

    The position drifts and moves at a velocity that is driven by white acceleration and decays.
    The standard deviation of a measured joint is NOISE_PX * exp(span * (1 - confidence)).
    """

    wander_px2_s3: np.ndarray  # (G,) spectral density of the acceleration
    decay_s: np.ndarray  # (G,) time constant of the velocity; inf: constant, 0: no velocity
    drift_px2_s: np.ndarray  # (G,) spectral density of the drift
    span: np.ndarray  # (G,) 0: the confidence has no effect


def kalman_grid() -> KalmanSettings:
    """Return the settings to try, from holding a smoothed pose to following every measurement."""
    wander = NOISE_PX ** 2 * np.logspace(1, 7, 13)
    return _grid(wander, np.array([0.05, 0.1, 0.2, 0.4, np.inf]), np.zeros(1), np.zeros(1))


def confidence_kalman_grid() -> KalmanSettings:
    """Return the settings for tuning `CONFIDENCE_KALMAN`: constant position, then velocity."""
    span = np.log(np.array([1, 10, 20, 40, 80, 160, 320]))
    still = _grid(np.zeros(1), np.zeros(1), NOISE_PX ** 2 * np.logspace(-1, 3, 17), span)
    moving = _grid(NOISE_PX ** 2 * np.logspace(1, 6, 11), np.array([0.05, 0.1, 0.2, np.inf]),
                   NOISE_PX ** 2 * np.array([0.0, 1.0, 10.0]), span)
    return KalmanSettings(*(np.concatenate(both) for both in zip(still, moving, strict=True)))


def _grid(*axes: np.ndarray) -> KalmanSettings:
    return KalmanSettings(*(values.ravel() for values in np.meshgrid(*axes, indexing='ij')))


def held(poses: AnnPoses, last: np.ndarray) -> np.ndarray:
    """Return the pose with index `last` (T,) at each instant, (T, J, 2)."""
    return poses.joints_px[last]


def constant_velocity(poses: AnnPoses, last: np.ndarray, at_us: np.ndarray) -> np.ndarray:
    """Extrapolate the last two poses linearly to each instant, (T, J, 2).

    Args:
        poses: ANN poses.
        last: index of the last available pose, (T,); the first pose is held.
        at_us: times of the instants, (T,).
    """
    before = np.maximum(last - 1, 0)
    gap_us = np.maximum(poses.stamps_us[last] - poses.stamps_us[before], 1)
    share = (at_us - poses.stamps_us[last]) / gap_us
    step = poses.joints_px[last] - poses.joints_px[before]
    return poses.joints_px[last] + share[:, None, None] * step


CONFIDENCE_KALMAN = KalmanSettings(
    *(np.array([value]) for value in (4e5, 0.05, 0.0, np.log(160))))
"""The filter of row `confidence_kalman`; docs/evaluation.md documents how it was tuned."""


class KalmanTrack(NamedTuple):
    """The filter state after each measurement."""

    position: np.ndarray  # (K, G, J, 2) [px]
    velocity: np.ndarray  # (K, G, J, 2) [px/s]
    decay_s: np.ndarray  # (G,)
    stamps_us: np.ndarray  # (K,)

    def at(self, setting: int, last: np.ndarray, at_us: np.ndarray) -> np.ndarray:
        """Return the prediction (T, J, 2) with one setting from measurement `last` (T,)."""
        reach_s = _reach((at_us - self.stamps_us[last]) * 1e-6, self.decay_s[setting])
        return self.position[last, setting] + (reach_s[:, None, None]
                                               * self.velocity[last, setting])


def kalman(poses: AnnPoses, settings: KalmanSettings) -> KalmanTrack:
    """Run a Kalman filter of position and velocity over the poses, joint by joint.

    Both axes of a joint share a covariance, since it does not depend on the measurements.
    """
    noise_px2 = _noise_px2(poses, settings)
    settings_count, shape = len(settings.decay_s), poses.joints_px.shape[1:]
    position = np.broadcast_to(poses.joints_px[0], (settings_count, *shape)).astype(np.float64)
    velocity = np.zeros_like(position)
    covariance = np.zeros((settings_count, shape[0], 2, 2))
    covariance[..., 0, 0], covariance[..., 1, 1] = noise_px2[0], FIRST_SPEED_PX_S ** 2
    positions, velocities = [position], [velocity]
    for step_us, measured, noise in zip(np.diff(poses.stamps_us), poses.joints_px[1:],
                                        noise_px2[1:], strict=True):
        reach_s, kept, driven = _motion(settings, step_us * 1e-6)
        position = position + reach_s[:, None, None] * velocity
        velocity = kept[:, None, None] * velocity
        transition = np.zeros((settings_count, 1, 2, 2))
        transition[:, 0, 0, 0], transition[:, 0, 0, 1] = 1, reach_s
        transition[:, 0, 1, 1] = kept
        covariance = transition @ covariance @ transition.swapaxes(-2, -1) + driven[:, None]
        gain = covariance[..., 0] / (covariance[..., :1, 0] + noise[..., None])
        surprise = measured - position
        position = position + gain[..., :1] * surprise
        velocity = velocity + gain[..., 1:] * surprise
        covariance = covariance - gain[..., None] * covariance[..., :1, :]
        positions.append(position)
        velocities.append(velocity)
    return KalmanTrack(np.stack(positions), np.stack(velocities), settings.decay_s,
                       poses.stamps_us)


def _noise_px2(poses: AnnPoses, settings: KalmanSettings) -> np.ndarray:
    """Return the variance of each measured joint, (K, G, J) [px2]."""
    doubt = 1 - poses.confidence
    return NOISE_PX ** 2 * np.exp(2 * settings.span[None, :, None] * doubt[:, None])


def _reach(ahead_s: np.ndarray, decay_s: np.ndarray) -> np.ndarray:
    """Return the distance covered in some time [s] per unit of initial, decaying velocity."""
    usual = (decay_s > 0) & np.isfinite(decay_s)
    finite = np.where(usual, decay_s, 1.0)
    return np.where(np.isinf(decay_s), ahead_s,
                    np.where(usual, -finite * np.expm1(-ahead_s / finite), 0.0))


def _motion(settings: KalmanSettings, step_s: float
            ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the velocity's reach [s] and kept fraction, each (G,), and the noise (G, 2, 2)."""
    reach_s = _reach(np.float64(step_s), settings.decay_s)
    with np.errstate(divide='ignore'):
        kept = np.exp(-step_s / settings.decay_s)
    # Noise for constant velocity; a decay within the step lowers it, which tuning absorbs.
    shape = np.array([[step_s ** 3 / 3, step_s ** 2 / 2], [step_s ** 2 / 2, step_s]])
    noise = settings.wander_px2_s3[:, None, None] * shape
    noise[:, 0, 0] += settings.drift_px2_s * step_s
    return reach_s, kept, noise
