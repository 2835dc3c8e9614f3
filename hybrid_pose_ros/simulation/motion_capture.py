# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion capture: loading, orientation toward the camera, speed, pauses, entrances and exits."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.simulation.body import BODY_POINTS, MIRRORED_POINTS, joints_of
from hybrid_pose_ros.simulation.kinematics import smooth_step
from hybrid_pose_ros.tasks.skeleton import JOINTS

STAGE_STEP_S = 1e-3
"""Time step of the playback speed [s]."""
TURNING_S = 0.2
"""Duration of a stop, a start, and a reversal at the end of the motion [s]."""
MOST_COMPRESSION = 500
"""Maximum accepted compression ratio; data that compresses better cannot be motion."""
FARTHEST_M = 1e6
OFFSTAGE_M = 4.0
"""Lateral offset of a person who has not entered yet [m]."""


class Capture(NamedTuple):
    """A captured motion with T samples."""

    points: np.ndarray  # (T, 24, 3) float64 [m], z up
    rate_hz: float

    @property
    def duration_s(self) -> float:
        """Time from the first sample to the last."""
        return (len(self.points) - 1) / self.rate_hz


def load_capture(path: str | Path) -> Capture:
    """Return the motion in an .npz file with `body` (T, 24, 3), `joints` (T, 13, 3) and `fps`.

    Raises:
        InputError: the file cannot be read, lacks an array, or has wrong shapes or NaN.
    """
    arrays = _arrays(Path(path))
    missing = {'body', 'joints', 'fps'} - set(arrays)
    if missing:
        raise InputError(f'{path} lacks {", ".join(sorted(missing))}: a motion file has body '
                         '(T, 24, 3) [m], joints (T, 13, 3) [m] and fps')
    body = _finite(path, 'body', arrays['body'], len(BODY_POINTS))
    joints = _finite(path, 'joints', arrays['joints'], len(JOINTS))
    if len(body) != len(joints):
        raise InputError(f'{path} has {len(body)} bodies but {len(joints)} sets of joints')
    worst = np.abs(joints_of(body) - joints).max()
    if worst > 0.02:
        raise InputError(f'{path}: joints are up to {worst:.2f} m from their positions in body; '
                         'both must be in meters and in the documented order')
    rate_hz = arrays['fps']
    if rate_hz.shape != () or rate_hz.dtype.kind not in 'iuf' or not (
            1.0 <= float(rate_hz) <= 10_000.0):
        raise InputError(f'{path}: fps must be one number from 1 to 10000, not '
                         f'{rate_hz!r:.100}')
    return Capture(body, float(rate_hz))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Return those of the three arrays that the file contains."""
    try:
        size = path.stat().st_size
        with np.load(path, allow_pickle=False) as file:
            entries = file.zip.infolist()
            if sum(entry.file_size for entry in entries) > MOST_COMPRESSION * size:
                raise ValueError('its arrays are too large for the file size')
            return {name: file[name] for name in ('body', 'joints', 'fps') if name in file}
    except Exception as error:  # from zipfile, zlib or the parser of array headers
        raise InputError(f'{path} is not a motion file (.npz), or is damaged: '
                         f'{str(error) or type(error).__name__}') from error


def _finite(path, name: str, array: np.ndarray, rows: int) -> np.ndarray:
    if array.ndim != 3 or array.shape[1:] != (rows, 3) or len(array) < 4 \
            or array.dtype.kind != 'f':
        raise InputError(f'{path}: {name} must be floats of shape (T, {rows}, 3) with T >= 4, '
                         f'not {array.dtype} of shape {array.shape}')
    array = array.astype(np.float64)
    bad = ~(np.abs(array) <= FARTHEST_M).all(axis=(1, 2))  # also true for NaN
    if bad.any():
        raise InputError(f'{path}: {name} has NaN or values above {FARTHEST_M:g} m in {bad.sum()} '
                         f'of {len(array)} samples, first in sample {bad.argmax()}')
    return array


def interpolate(points: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return samples (T, ...) at fractional indices (N,) by cubic Hermite interpolation.

    Position and velocity are continuous, so sample times do not cause bursts of events.
    """
    at = np.clip(at, 0.0, len(points) - 1.0)
    first = np.minimum(at.astype(np.int64), len(points) - 2)
    u = (at - first).reshape(-1, *[1] * (points.ndim - 1))
    slope = np.gradient(points, axis=0)
    start, end = points[first], points[first + 1]
    return start + u * u * (3.0 - 2.0 * u) * (end - start) + u * (1.0 - u) * (
        (1.0 - u) * slope[first] - u * slope[first + 1])


@dataclass(frozen=True)
class StagingSettings:
    """Placement and timing of a captured motion in front of the camera."""

    present: bool = param(True, 'Whether a person is in the scene.')
    mirror: bool = param(False, 'Swap left and right.')
    stature: float = param(1.0, 'Scale factor of the person.', low=0.5, high=1.5)
    speed: float = param(1.0, 'Speed factor of the motion.', low=0.1, high=5.0)
    heading_deg: float = param(0.0, 'Heading of the person, 0 = toward -y [deg].',
                               low=-180.0, high=180.0)
    travel: float = param(1.0, 'Fraction of the captured path to keep, 0 = on the spot.',
                          low=0.0, high=1.0)
    x_m: float = param(0.0, 'x position of the person [m].', low=-5.0, high=5.0)
    y_m: float = param(0.0, 'y position of the person [m].', low=-5.0, high=5.0)
    stops_hz: float = param(0.0, 'Rate of pauses [1/s].', low=0.0, high=2.0)
    stop_s: float = param(1.0, 'Longest pause [s].', low=0.2, high=20.0)
    enter_s: float = param(0.0, 'Time by which the person has entered from the side [s].',
                           low=0.0, high=60.0)
    leave_s: float = param(0.0, 'Time before the end at which the person starts to leave [s].',
                           low=0.0, high=60.0)

    def __post_init__(self):
        check(self)


class StagedMotion:
    """A captured motion in front of the camera; a short one is played forward and backward."""

    def __init__(self, capture: Capture, settings: StagingSettings = StagingSettings(), *,
                 seed: int = 0, duration_s: float | None = None):
        """Rotate, scale and time the motion.

        Args:
            capture: the motion.
            settings: staging settings.
            seed: random seed of the pauses.
            duration_s: duration [s]; None: that of the motion at this speed.
        """
        self._settings = settings
        self._rate_hz = capture.rate_hz
        natural_s = capture.duration_s / settings.speed
        self.duration_s = natural_s if duration_s is None else duration_s
        self._points = _placed(capture, settings)
        rng = np.random.default_rng([seed, 2])
        self._side = 1.0 if rng.random() < 0.5 else -1.0
        self._played_s = _playback(rng, settings, self.duration_s, capture.duration_s)

    def sample(self, times_s: np.ndarray) -> np.ndarray:
        """Return the body points (N, 24, 3) [m] at times (N,) [s]."""
        times_s = np.asarray(times_s, np.float64)
        grid = STAGE_STEP_S * np.arange(len(self._played_s))
        points = interpolate(self._points, np.interp(times_s, grid, self._played_s)
                             * self._rate_hz)
        points[..., 0] += self._side * OFFSTAGE_M * self._away(times_s)[:, None]
        return points

    def _away(self, times_s: np.ndarray) -> np.ndarray:
        """Return how far the person is off stage, from 0 to 1."""
        away = np.zeros(len(times_s))
        if self._settings.enter_s > 0.0:
            away += 1.0 - smooth_step(times_s / self._settings.enter_s)
        if self._settings.leave_s > 0.0:
            away -= smooth_step(1.0 - (self.duration_s - times_s) / self._settings.leave_s)
        return away


def _smooth(values: np.ndarray, samples: int) -> np.ndarray:
    """Return the moving average of values (T, ...) along the first axis over `samples`."""
    if samples < 3:
        return values
    window = np.hanning(2 * (samples // 2) + 1)
    window /= window.sum()
    half = len(window) // 2
    padded = np.pad(values.reshape(len(values), -1), ((half, half), (0, 0)), 'edge')
    columns = [np.convolve(column, window, 'valid') for column in padded.T]
    return np.stack(columns, axis=1).reshape(values.shape)


def _placed(capture: Capture, settings: StagingSettings) -> np.ndarray:
    """Return the points of a person turned to face -y, then rotated, scaled and moved."""
    points = capture.points.copy()
    if settings.mirror:
        points = points[:, MIRRORED_POINTS] * [-1.0, 1.0, 1.0]
    pelvis = points[:, :1] * [1.0, 1.0, 0.0]
    points -= np.median(pelvis, axis=0)
    points -= (1.0 - settings.travel) * _smooth(pelvis - np.median(pelvis, axis=0),
                                                int(2 * capture.rate_hz))
    right = points[:, BODY_POINTS.index('r_hip')] - points[:, BODY_POINTS.index('l_hip')]
    right = (right / np.linalg.norm(right, axis=-1, keepdims=True)).mean(axis=0)
    # the mean direction to the person's right becomes -x
    turn = np.radians(settings.heading_deg) + np.pi - np.arctan2(right[1], right[0])
    cosine, sine = np.cos(turn), np.sin(turn)
    points = points @ np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return settings.stature * points + [settings.x_m, settings.y_m, 0.0]


def _playback(rng: np.random.Generator, settings: StagingSettings, duration_s: float,
              motion_s: float) -> np.ndarray:
    """Return the playback position in the motion [s], sampled every STAGE_STEP_S."""
    count = int(np.ceil(duration_s / STAGE_STEP_S)) + 2
    moving = np.ones(count)
    for _ in range(rng.poisson(settings.stops_hz * duration_s)):
        start, length_s = rng.integers(count), rng.uniform(0.2, settings.stop_s)
        moving[start:start + int(length_s / STAGE_STEP_S)] = 0.0
    played = settings.speed * STAGE_STEP_S * (np.cumsum(moving) - 1.0)
    folded = np.abs((played + motion_s) % (2.0 * motion_s) - motion_s)
    return _smooth(folded, int(TURNING_S / STAGE_STEP_S))
