# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Generates many recordings in parallel, each with its own motion, camera, person and sensor.

Generation can be interrupted and resumed: complete clips are not generated again, and a clip
depends only on the seed, not on earlier clips or the number of processes.
"""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.parallel import as_done
from hybrid_pose_ros.simulation.camera import CAMERAS, Camera, SwaySettings
from hybrid_pose_ros.simulation.kinds import FLOOR_TAKES, KINDS, ONE_CAMERA, random_setting
from hybrid_pose_ros.simulation.motion_capture import Capture, StagedMotion, load_capture
from hybrid_pose_ros.simulation.motions import ACTIVITIES, GeneratedMotion, Motion
from hybrid_pose_ros.simulation.recording import WARM_UP_US, record
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.simulation.scene_settings import SceneSettings

RIG_FILE = 'rig.yaml'
"""File with the camera poses, in the folder of a corpus with several cameras."""


class Clip(NamedTuple):
    """One recording to generate."""

    number: int
    path: Path
    motion_file: Path | None  # None: generated motion
    seed: int  # of the corpus
    duration_s: float
    kind: str = 'any'  # one of KINDS
    view: str = ''  # one of CAMERAS if several see the same person; '': random


def motion_files(folder: str | Path, kind: str = 'any') -> list[Path]:
    """Return the motion files in a folder that are used for scenes of a kind.

    Raises:
        InputError: there are no such motion files.
    """
    files = sorted(Path(folder).glob('*.npz'))
    if not files:
        raise InputError(f'no motion files (*.npz) in {folder}')
    files = [file for file in files if (file.stem in FLOOR_TAKES) == (kind == 'floor')]
    if not files:
        raise InputError(f'no motion files for kind {kind} in {folder}: kind floor, and no other '
                         f'kind, uses {", ".join(f"{name}.npz" for name in FLOOR_TAKES)}')
    return files


def plan(files: list[Path], output_dir: str | Path, *, clips: int, seed: int, duration_s: float,
         own_share: float = 0.0, kind: str = 'any', cameras: int = 1) -> list[Clip]:
    """Plan the clips of a corpus; each motion file is used once before any is repeated.

    With several cameras each clip is a take: a folder with one recording per camera.

    Args:
        files: motion files.
        output_dir: folder for the clips.
        clips: number of clips, or of takes.
        seed: random seed.
        duration_s: duration of each clip.
        own_share: fraction of the clips that show generated motion; ignored for kind `floor`.
        kind: one of KINDS.
        cameras: number of cameras that see the same person: 1, or the size of a DHP19 rig.

    Raises:
        InputError: there is no rig of this size, or the kind supports only a single camera.
    """
    if cameras > 1 and kind in ONE_CAMERA:
        raise InputError(f'kind {kind} is for a single camera: choose from '
                         f'{", ".join(kind for kind in KINDS if kind not in ONE_CAMERA)}')
    names = () if cameras == 1 else dhp19_rig(cameras).names
    rng = np.random.default_rng([seed, 0])
    rounds = -(-clips // len(files))
    order = np.concatenate([rng.permutation(len(files)) for _ in range(rounds)])[:clips]
    own = rng.random(clips) < (own_share if kind != 'floor' else 0.0)  # generated people stand
    folder = Path(output_dir).resolve()  # the worker may have another working directory
    clip_of = [Clip(number, folder / f'clip_{number:05d}.h5',
                    None if own[number] else files[order[number]].resolve(), seed, duration_s,
                    kind) for number in range(clips)]
    if cameras == 1:
        return clip_of
    return [clip._replace(path=folder / f'take_{clip.number:05d}' / f'{name}.h5',
                          view=name.replace('_', '-')) for clip in clip_of for name in names]


def make_clip(clip: Clip) -> dict:
    """Generate one recording; return the facts from `record`."""
    rng = np.random.default_rng([clip.seed, 1, clip.number])
    settings, camera = random_setting(clip.kind, rng)
    if clip.view:
        settings, camera = _in_rig(settings, clip.view), CAMERAS[clip.view]
    scene, seed, name = staged_scene(
        rng, settings, camera, clip.motion_file, clip.duration_s, cut=clip.kind == 'robot',
        sensor=list(CAMERAS).index(clip.view) if clip.view else 0)
    return record(scene, clip.path, seed=seed, motion=name)


def staged_scene(rng: np.random.Generator, settings: SceneSettings, camera: Camera,
                 motion_file: Path | None, duration_s: float, *, cut: bool = True,
                 sensor: int = 0) -> tuple[SimulatedScene, int, str]:
    """Return a scene that starts with a warm-up, its seed and the name of its motion.

    Args:
        rng: random generator for the seed and the part of the capture.
        settings: scene settings.
        camera: the camera at its initial pose.
        motion_file: the capture; None: generated motion.
        duration_s: duration after the warm-up.
        cut: cut the capture to the duration before placing it, so that the person stays near the
            origin.
        sensor: index of the sensor if several observe the scene.
    """
    seed, scene_s = int(rng.integers(1 << 31)), duration_s + WARM_UP_US * 1e-6
    if motion_file is None:
        motion: Motion = GeneratedMotion(seed, tuple(ACTIVITIES))
        name = 'own'
    else:
        capture = _part(load_capture(motion_file), scene_s * settings.staging.speed, rng, cut=cut)
        motion = StagedMotion(capture, settings.staging, seed=seed, duration_s=scene_s)
        name = motion_file.stem
    return SimulatedScene(motion, camera, settings, seed=seed,
                          duration_us=round(scene_s * 1e6), sensor=sensor), seed, name


def _in_rig(scene: SceneSettings, view: str) -> SceneSettings:
    """Return the scene for one camera of a rig: stationary, with the same light for all cameras.

    The azimuth of the light is given relative to a camera in front of the person.
    """
    forward = CAMERAS[view].rotation[2]
    azimuth = scene.light.azimuth_deg + np.degrees(np.arctan2(forward[0], forward[1]))
    light = dataclasses.replace(scene.light, azimuth_deg=float((azimuth + 180.0) % 360.0 - 180.0))
    return dataclasses.replace(scene, light=light, sway=SwaySettings())


def _part(capture: Capture, duration_s: float, rng: np.random.Generator, *,
          cut: bool) -> Capture:
    """Return a part of a capture from a random sample on, or all of it if it is too short."""
    wanted = int(duration_s * capture.rate_hz) + 2
    start = int(rng.integers(max(len(capture.points) - wanted, 1)))
    end = start + max(wanted, 4) if cut else None
    return capture._replace(points=capture.points[start:end])


def make(clips: list[Clip], executor: Executor) -> Iterator[dict]:
    """Generate the missing clips; yield the facts of each clip on completion.

    Raises:
        InputError: a motion file is not usable or a clip cannot be written.
    """
    for folder in {clip.path.parent for clip in clips}:
        folder.mkdir(parents=True, exist_ok=True)
    yield from as_done(make_clip, [clip for clip in clips if not clip.path.exists()], executor)
