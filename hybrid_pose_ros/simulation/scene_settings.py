# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that a simulated scene can vary in, and the ranges that training draws from."""

from dataclasses import dataclass, field

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.simulation.body import BodySettings
from hybrid_pose_ros.simulation.sensor import SensorSettings
from hybrid_pose_ros.simulation.textures import BackgroundSettings


@dataclass(frozen=True)
class LightSettings:
    """One key light, and light from everywhere."""

    azimuth_deg: float = param(35.0, 'Direction of the key light, from behind the camera to the '
                               'right [deg].', low=-180.0, high=180.0)
    elevation_deg: float = param(50.0, 'Height of the key light [deg].', low=-20.0, high=90.0)
    ambient: float = param(0.45, 'Share of the light that has no direction.', low=0.0, high=1.0)
    level: float = param(1.0, 'Brightness of a white surface.', low=0.02, high=1.0)
    flicker: float = param(0.0, 'Amplitude of the mains flicker.', low=0.0, high=0.2)
    flicker_hz: float = param(100.0, 'Frequency of the mains flicker [Hz].', low=10.0, high=400.0)

    def __post_init__(self):
        check(self)


@dataclass(frozen=True)
class TimingSettings:
    """How densely the scene is drawn and labeled."""

    frame_us: int = param(1_000, 'Time between two images [us].', low=50, high=20_000)
    slice_us: int = param(2_000, 'Time of one slice that the scene yields [us].',
                          low=50, high=1_000_000)

    def __post_init__(self):
        check(self)
        if self.slice_us % self.frame_us:
            raise InputError(f'slice_us = {self.slice_us} is not a multiple of '
                             f'frame_us = {self.frame_us}')


@dataclass(frozen=True)
class SceneSettings:
    """A scene but for its camera and its motion."""

    body: BodySettings = field(default_factory=BodySettings)
    background: BackgroundSettings = field(default_factory=BackgroundSettings)
    light: LightSettings = field(default_factory=LightSettings)
    sensor: SensorSettings = field(default_factory=SensorSettings)
    timing: TimingSettings = field(default_factory=TimingSettings)


LIVE = SceneSettings(timing=TimingSettings(frame_us=2_000, slice_us=2_000))
"""An ideal sensor and 500 images a second: faster than real time on a part of one core."""
