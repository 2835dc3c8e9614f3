# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a simulated scene and their distributions for training."""

from dataclasses import dataclass, field

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.simulation.body import BodySettings
from hybrid_pose_ros.simulation.camera import SwaySettings
from hybrid_pose_ros.simulation.motion_capture import StagingSettings
from hybrid_pose_ros.simulation.props import PropSettings
from hybrid_pose_ros.simulation.sensor import SensorSettings
from hybrid_pose_ros.simulation.textures import BackgroundSettings


@dataclass(frozen=True)
class LightSettings:
    """A key light and ambient light."""

    azimuth_deg: float = param(35.0, 'Azimuth of the key light [deg]; 0: from behind the camera, '
                               '90: from the right.', low=-180.0, high=180.0)
    elevation_deg: float = param(50.0, 'Elevation of the key light [deg].', low=-20.0, high=90.0)
    ambient: float = param(0.45, 'Ambient fraction of the light.', low=0.0, high=1.0)
    level: float = param(1.0, 'Brightness of a white surface.', low=0.02, high=1.0)
    flicker: float = param(0.0, 'Amplitude of mains flicker.', low=0.0, high=0.2)
    flicker_hz: float = param(100.0, 'Frequency of mains flicker [Hz].', low=10.0, high=400.0)

    def __post_init__(self):
        check(self)


@dataclass(frozen=True)
class TimingSettings:
    """Rates of labels and images."""

    label_us: int = param(1_000, 'Interval between labels, and maximum interval between images '
                          '[us].', low=100, high=20_000)
    slice_us: int = param(100_000, 'Duration of one slice of the scene [us].',
                          low=100, high=1_000_000)
    step_px: float = param(0.7, 'Maximum motion of a body point between two images [px]; more '
                           'images are drawn if needed; 0 = no limit.', low=0.0, high=100.0)

    def __post_init__(self):
        check(self)
        if self.slice_us % self.label_us:
            raise InputError(f'slice_us = {self.slice_us} is not a multiple of '
                             f'label_us = {self.label_us}')


@dataclass(frozen=True)
class SceneSettings:
    """Settings of a scene, except the camera pose and the motion."""

    body: BodySettings = field(default_factory=BodySettings)
    staging: StagingSettings = field(default_factory=StagingSettings)
    background: BackgroundSettings = field(default_factory=BackgroundSettings)
    light: LightSettings = field(default_factory=LightSettings)
    sway: SwaySettings = field(default_factory=SwaySettings)
    props: PropSettings = field(default_factory=PropSettings)
    sensor: SensorSettings = field(default_factory=SensorSettings)
    timing: TimingSettings = field(default_factory=TimingSettings)


LIVE = SceneSettings(sensor=SensorSettings(shot_hz=0.02),
                     timing=TimingSettings(label_us=2_000, slice_us=2_000, step_px=0.0))
"""500 images per second, rendered faster than real time on part of one core. The sensor is ideal
except for some noise, since a real one never falls silent, even in front of a static scene."""

IDEAL = SceneSettings()
"""An ideal sensor with fine time resolution."""

OFFICE = SceneSettings(sensor=SensorSettings(
    threshold_sigma=0.03, cutoff_hz=100.0, leak_hz=0.1, shot_hz=0.1, hot_pixels=3,
    refractory_us=300, jitter_us=20))
"""A realistic DAVIS346 in a lit room."""


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _chance(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def _uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def random_body(rng: np.random.Generator) -> BodySettings:
    """Draw a person from the training distribution."""
    tones = {name: _log_uniform(rng, 0.05, 0.9)
             for name in ('shirt', 'trousers', 'shoes', 'trim')}
    return BodySettings(
        girth=_uniform(rng, 0.85, 1.2), limb_girth=_uniform(rng, 0.85, 1.2),
        head_girth=_uniform(rng, 0.9, 1.15), skin=_log_uniform(rng, 0.1, 0.7),
        hair=_log_uniform(rng, 0.03, 0.5), cloth_contrast=_uniform(rng, 0.0, 0.6),
        skin_contrast=_uniform(rng, 0.05, 0.25), cloth_scale_m=_log_uniform(rng, 0.02, 0.15),
        stripes=_uniform(rng, 0.0, 1.0), sleeves=_chance(rng, 0.6), shorts=_chance(rng, 0.25),
        loose=_uniform(rng, 0.0, 0.06) if _chance(rng, 0.3) else 0.0,
        long_hair=_chance(rng, 0.3), beard=_chance(rng, 0.2),
        trim_m=_uniform(rng, 0.01, 0.08) if _chance(rng, 0.6) else 0.0, **tones)


def random_staging(rng: np.random.Generator) -> StagingSettings:
    """Draw speed, size, heading, pauses and entrances for training."""
    stature = _uniform(rng, 0.88, 1.14)
    return StagingSettings(
        mirror=_chance(rng, 0.5), stature=stature,
        speed=_uniform(rng, 0.7, 1.4) / float(np.sqrt(stature)),
        heading_deg=float(np.clip(rng.normal(0.0, 35.0), -180.0, 180.0)),
        travel=1.0 if _chance(rng, 0.3) else 0.0,
        x_m=float(np.clip(rng.normal(0.0, 0.2), -1.0, 1.0)),
        y_m=float(np.clip(rng.normal(0.0, 0.2), -1.0, 1.0)),
        stops_hz=0.15 if _chance(rng, 0.5) else 0.0, stop_s=2.0,
        enter_s=_uniform(rng, 1.5, 3.0) if _chance(rng, 0.08) else 0.0,
        leave_s=_uniform(rng, 1.5, 3.0) if _chance(rng, 0.08) else 0.0)


def random_sensor(rng: np.random.Generator) -> SensorSettings:
    """Draw a sensor from the training distribution; one in ten is noisy."""
    on = _log_uniform(rng, 0.1, 0.5)
    off = on * float(np.exp(np.clip(rng.normal(-0.1, 0.3), -0.7, 0.6)))  # real sensors favor OFF
    return SensorSettings(
        threshold_on=on, threshold_off=off,
        threshold_sigma=_uniform(rng, 0.02, 0.05), cutoff_hz=_log_uniform(rng, 15.0, 300.0),
        leak_hz=_log_uniform(rng, 0.01, 0.3),
        shot_hz=5.0 if _chance(rng, 0.1) else _log_uniform(rng, 0.01, 2.0),
        hot_pixels=int(rng.integers(0, 21)), hot_hz=_log_uniform(rng, 30.0, 700.0),
        refractory_us=int(rng.integers(100, 1_001)), jitter_us=int(rng.integers(0, 101)),
        neighbor_us=70_000 if _chance(rng, 0.5) else 0)


def random_scene(rng: np.random.Generator) -> SceneSettings:
    """Draw a scene from the training distribution."""
    swaying, flickering = _chance(rng, 0.1), _chance(rng, 0.05)
    return SceneSettings(
        body=random_body(rng), staging=random_staging(rng),
        background=BackgroundSettings(
            albedo=_log_uniform(rng, 0.06, 0.9), contrast=_uniform(rng, 0.0, 0.6),
            slope=_uniform(rng, 0.5, 2.0), gradient=_uniform(rng, 0.0, 1.0),
            shelves=int(rng.integers(0, 12))),
        light=LightSettings(
            azimuth_deg=_uniform(rng, -180.0, 180.0), elevation_deg=_uniform(rng, 10.0, 80.0),
            ambient=_uniform(rng, 0.2, 0.7), level=_log_uniform(rng, 0.15, 1.0),
            flicker=_uniform(rng, 0.01, 0.05) if flickering else 0.0,
            flicker_hz=100.0 if _chance(rng, 0.5) else 120.0),
        sway=SwaySettings(turn_deg=_uniform(rng, 0.3, 2.0), shift_m=_uniform(rng, 0.0, 0.05),
                          period_s=_uniform(rng, 1.5, 6.0)) if swaying else SwaySettings(),
        sensor=random_sensor(rng))
