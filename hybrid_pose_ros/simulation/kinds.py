# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Kinds of scenes: `mixed` is the training distribution; the others isolate one difficulty each.

| kind | the scene | the camera |
|---|---|---|
| any | everything random | all directions, half of them near a DHP19 camera |
| front | low sensor noise | within 60 degrees of the person's front |
| close | as front | upper body, at arm's length or slightly more |
| benchmark | stationary, facing the cameras, DAVIS346 in a lit room | DHP19's two front cameras |
| any_heading | benchmark, with a random heading of the person | as benchmark |
| moving_camera | benchmark | sways by at least 3 px, or pans at 50 to 150 px/s |
| clutter | benchmark with poles, balls and a bar in the hand | as benchmark |
| small | benchmark | the person is 50 to 90 px tall, all directions |
| noisy | benchmark, 2 to 5 Hz of unfiltered shot noise | as benchmark |
| nobody | clutter or noise, without a person | as benchmark |
| floor | any_heading, people lying, crouching and crawling (FLOOR_TAKES) | as any_heading |
| robot | drawn with the shares in `ROBOT` | low to high, near to far, tilted, mostly moving |
| mixed | kinds drawn with the shares in `MIXED` | |
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.simulation.camera import (
    CAMERAS, MIDDLE, Camera, SwaySettings, close_camera, look_at, random_camera)
from hybrid_pose_ros.simulation.props import PropSettings
from hybrid_pose_ros.simulation.scene_settings import OFFICE, SceneSettings, random_scene

KINDS = ('any', 'front', 'close', 'benchmark', 'any_heading', 'moving_camera', 'clutter', 'small',
         'noisy', 'nobody', 'floor', 'robot', 'mixed')
ONE_CAMERA = ('any_heading', 'moving_camera', 'clutter', 'small', 'nobody', 'floor', 'robot',
              'mixed')
"""Kinds that support only one camera, since they define its view, motion or surroundings."""
MIXED = {'robot': 0.6, 'front': 0.2, 'benchmark': 0.1, 'close': 0.1}
"""Kinds in a training stream, with their shares."""
QUIET_SHOT_HZ = 1.0
"""Maximum shot noise of a pixel in scenes of kind `front`."""
STATURE_M = 1.75
FLOOR_TAKES = ('accadF1_A08_CrouchToLie_00', 'accadF1_A09_LieT2_00',
               'accadF1_A11_CrawlForward_01', 'accadF1_A12_CrawlBackwards_01')
"""Motion files of kind `floor`. They are excluded from all other kinds and from training, since
none of the people reserved for validation lies or crawls."""


class Setting(NamedTuple):
    """A scene and the camera at its initial pose."""

    scene: SceneSettings
    camera: Camera


class RobotShares(NamedTuple):
    """Shares of the properties of `robot` scenes; each property is drawn independently."""

    close: float = 0.15
    moving: float = 0.65
    panning: float = 0.3  # of the moving cameras; the others are handheld or on a moving robot
    poles: float = 0.5
    balls: float = 0.15
    held: float = 0.15
    nobody: float = 0.04
    tilted: float = 0.1  # by up to 30 degrees
    cut: float = 0.2  # by a border of the image


ROBOT = RobotShares()


def random_setting(kind: str, rng: np.random.Generator) -> Setting:
    """Return a random scene and camera of a kind, one of KINDS.

    The first random draws are the same for all kinds, so scenes with the same seed differ only in
    what the kind isolates.
    """
    if kind == 'mixed':
        kind = str(rng.choice(list(MIXED), p=list(MIXED.values())))
    scene = random_scene(rng)
    if kind == 'any':
        return Setting(scene, random_camera(rng))
    if kind == 'robot':
        return _robot(scene, rng)
    in_place = dataclasses.replace(scene.staging, travel=0.0, enter_s=0.0, leave_s=0.0)
    if kind in ('front', 'close'):
        sensor = dataclasses.replace(scene.sensor,
                                     shot_hz=min(scene.sensor.shot_hz, QUIET_SHOT_HZ))
        if kind == 'close':
            return Setting(dataclasses.replace(scene, sensor=sensor, staging=in_place),
                           close_camera(rng))
        return Setting(dataclasses.replace(scene, sensor=sensor), random_camera(rng, front=True))
    camera = CAMERAS[f'dhp19-{rng.integers(2, 4)}']
    facing = dataclasses.replace(in_place, heading_deg=0.0, stops_hz=0.0)
    scene = dataclasses.replace(scene, sensor=OFFICE.sensor, staging=facing)
    return ISOLATED[kind](Setting(scene, camera), rng)


def _any_heading(setting: Setting, rng: np.random.Generator) -> Setting:
    """Move the camera around the person, which also turns generated motion."""
    scene, camera = setting
    angle = rng.uniform(-np.pi, np.pi)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return Setting(scene, camera._replace(rotation=camera.rotation @ turn))


def _moving_camera(setting: Setting, rng: np.random.Generator) -> Setting:
    sway = _camera_motion(rng, setting.camera, lowest_px=3.0, panning=0.4)
    return setting._replace(scene=dataclasses.replace(setting.scene, sway=sway))


def _clutter(setting: Setting, rng: np.random.Generator) -> Setting:
    props = PropSettings(poles=int(rng.integers(3, 12)), balls=int(rng.integers(1, 4)),
                         held=bool(rng.random() < 0.5))
    return setting._replace(scene=dataclasses.replace(setting.scene, props=props))


def _small(setting: Setting, rng: np.random.Generator) -> Setting:
    return setting._replace(camera=_camera_on_robot(rng, tall_px=(50.0, 90.0)))


def _noisy(setting: Setting, rng: np.random.Generator) -> Setting:
    sensor = dataclasses.replace(setting.scene.sensor, shot_hz=float(rng.uniform(2.0, 5.0)),
                                 neighbor_us=0)
    return setting._replace(scene=dataclasses.replace(setting.scene, sensor=sensor))


def _nobody(setting: Setting, rng: np.random.Generator) -> Setting:
    setting = (_clutter, _noisy)[int(rng.integers(2))](setting, rng)
    scene = dataclasses.replace(
        setting.scene, props=dataclasses.replace(setting.scene.props, held=False),
        staging=dataclasses.replace(setting.scene.staging, present=False))
    return setting._replace(scene=scene)


ISOLATED = {'benchmark': lambda setting, rng: setting, 'any_heading': _any_heading,
            'moving_camera': _moving_camera, 'clutter': _clutter, 'small': _small,
            'noisy': _noisy, 'nobody': _nobody, 'floor': _any_heading}
"""Functions that convert a benchmark setting to another kind."""


def _robot(scene: SceneSettings, rng: np.random.Generator) -> Setting:
    """Return a scene as seen by a camera on a robot."""
    chance = rng.random(len(RobotShares._fields)) < np.array(ROBOT)
    drawn = dict(zip(RobotShares._fields, map(bool, chance)))
    camera = close_camera(rng, spread=np.pi) if drawn['close'] else _camera_on_robot(
        rng, tall_px=(50.0, 240.0), cut=drawn['cut'], tilted=drawn['tilted'])
    sway = SwaySettings()
    if drawn['moving']:
        sway = _camera_motion(rng, camera, lowest_px=1.0, panning=float(drawn['panning']))
    props = PropSettings(poles=int(rng.integers(1, 16)) if drawn['poles'] else 0,
                         balls=int(rng.integers(1, 4)) if drawn['balls'] else 0,
                         held=drawn['held'] and not drawn['nobody'])
    staging = dataclasses.replace(
        scene.staging, enter_s=0.0, leave_s=0.0, present=not drawn['nobody'],
        x_m=0.0, y_m=0.0, heading_deg=float(rng.uniform(-180.0, 180.0)))
    return Setting(dataclasses.replace(scene, sway=sway, props=props, staging=staging), camera)


def _camera_motion(rng: np.random.Generator, camera: Camera, *, lowest_px: float,
                   panning: float) -> SwaySettings:
    """Return the motion of a camera that is handheld or pans at a peak speed of 50 to 150 px/s.

    Args:
        rng: random generator.
        camera: the camera at its initial pose.
        lowest_px: minimum amplitude of a handheld camera [px]; the maximum is 5 px.
        panning: fraction of cameras that pan.
    """
    focal_px = camera.intrinsics[0, 0]
    if rng.random() < panning:
        period_s = rng.uniform(1.5, 4.0)
        amplitude_px = rng.uniform(50.0, 150.0) * period_s / (2.0 * np.pi)
        return SwaySettings(turn_deg=float(min(np.degrees(amplitude_px / focal_px), 12.0)),
                            shift_m=float(rng.uniform(0.0, 0.1)), period_s=float(period_s))
    amplitude_px = rng.uniform(lowest_px, 5.0)
    driving = rng.random() < 0.3
    return SwaySettings(turn_deg=float(np.degrees(amplitude_px / focal_px)),
                        shift_m=float(rng.uniform(0.05, 0.3) if driving else
                                      rng.uniform(0.0, 0.03)),
                        period_s=float(1.0 / np.exp(rng.uniform(np.log(0.4), np.log(2.0)))))


def _camera_on_robot(rng: np.random.Generator, *, tall_px: tuple[float, float], cut: bool = False,
                     tilted: bool = False) -> Camera:
    """Return a DAVIS346 0.2 to 3 m above the floor; the person's height in the image is random.

    Args:
        rng: random generator.
        tall_px: minimum and maximum height of a standing person in the image [px].
        cut: the person crosses an image border.
        tilted: roll the camera by up to 30 degrees instead of only slightly.
    """
    width, height = 346, 260
    size_px = np.exp(rng.uniform(*np.log(tall_px)))
    focal_px = float(np.clip(rng.uniform(230.0, 420.0), 0.0, 9.0 * size_px / STATURE_M))
    distance_m = STATURE_M * focal_px / size_px
    height_m = min(np.exp(rng.uniform(np.log(0.2), np.log(3.0))), MIDDLE[2] + 0.9 * distance_m)
    azimuth = rng.uniform(-np.pi, np.pi)
    across_m = np.sqrt(max(distance_m ** 2 - (height_m - MIDDLE[2]) ** 2, 0.25))
    center = np.array([across_m * np.cos(azimuth), across_m * np.sin(azimuth), height_m])
    free = np.array([0.5 * width - 0.25 * size_px, 0.5 * height - 0.5 * size_px])
    reach = 0.5 * np.array([width, height]) - 0.1 * size_px if cut else np.maximum(free, 0.0)
    offset_px = rng.uniform(-reach, reach)
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    target = MIDDLE + (offset_px[0] * right + offset_px[1] * np.array([0.0, 0.0, 1.0])) \
        * distance_m / focal_px
    roll = rng.uniform(-30.0, 30.0) if tilted else np.clip(rng.normal(0.0, 4.0), -12.0, 12.0)
    return look_at(center, target, focal_px=focal_px, width=width, height=height,
                   roll=np.radians(roll))
