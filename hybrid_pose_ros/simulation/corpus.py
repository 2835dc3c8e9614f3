# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many recordings, each of another motion, camera, person, room and sensor, made in parallel.

A corpus can be stopped and taken up again: a clip that is complete is not made again, and the same
seed makes the same clip, whatever was made before and on how many processes.
"""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.simulation.camera import CAMERAS, Camera, close_camera, random_camera
from hybrid_pose_ros.simulation.motion_capture import Capture, StagedMotion, load_capture
from hybrid_pose_ros.simulation.motions import ACTIVITIES, GeneratedMotion
from hybrid_pose_ros.simulation.recording import WARM_UP_US, record
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.simulation.scene_settings import OFFICE, SceneSettings, random_scene

KINDS = ('any', 'front', 'close', 'benchmark')
"""What a corpus shows. any: cameras all round, sensors of all kinds. front: cameras within 60
degrees of the person's front, sensors with little noise. close: upper bodies close up. benchmark: as
DHP19, its two front cameras and a person between them who moves in place, seen by one sensor."""
QUIET_SHOT_HZ = 1.0
"""Most shot noise of a pixel in a corpus of kind front."""


class Clip(NamedTuple):
    """One recording that is to be made."""

    number: int
    path: Path
    motion_file: Path | None  # None: our own motions
    seed: int  # of the corpus
    duration_s: float
    kind: str = 'any'  # one of KINDS


def motion_files(folder: str | Path) -> list[Path]:
    """Return the motion files in a folder.

    Raises:
        InputError: there are none.
    """
    files = sorted(Path(folder).glob('*.npz'))
    if not files:
        raise InputError(f'{folder} holds no motion files (*.npz)')
    return files


def plan(files: list[Path], output_dir: str | Path, *, clips: int, seed: int, duration_s: float,
         own_share: float = 0.0, kind: str = 'any') -> list[Clip]:
    """Return the clips of a corpus; each file comes once before one comes again.

    Args:
        files: motion files.
        output_dir: folder for the clips.
        clips: how many.
        seed: of everything that is drawn.
        duration_s: of each clip.
        own_share: share of the clips that show our own motions.
        kind: one of KINDS.
    """
    rng = np.random.default_rng([seed, 0])
    rounds = -(-clips // len(files))
    order = np.concatenate([rng.permutation(len(files)) for _ in range(rounds)])[:clips]
    own = rng.random(clips) < own_share
    folder = Path(output_dir).resolve()  # the process that makes a clip may be elsewhere
    return [Clip(number, folder / f'clip_{number:05d}.h5',
                 None if own[number] else files[order[number]].resolve(), seed, duration_s, kind)
            for number in range(clips)]


def make_clip(clip: Clip) -> dict:
    """Make one recording; return the facts of `record`."""
    rng = np.random.default_rng([clip.seed, 1, clip.number])
    settings, camera = random_setting(clip.kind, rng)
    seed, scene_s = int(rng.integers(1 << 31)), clip.duration_s + WARM_UP_US * 1e-6
    if clip.motion_file is None:
        motion, name = GeneratedMotion(seed, tuple(ACTIVITIES)), 'own'
    else:
        capture = _part(load_capture(clip.motion_file), scene_s * settings.staging.speed, rng)
        motion = StagedMotion(capture, settings.staging, seed=seed, duration_s=scene_s)
        name = clip.motion_file.stem
    scene = SimulatedScene(motion, camera, settings, seed=seed,
                           duration_us=round(scene_s * 1e6))
    return record(scene, clip.path, seed=seed, motion=name)


def random_setting(kind: str, rng: np.random.Generator) -> tuple[SceneSettings, Camera]:
    """Return the scene and the camera of a clip of a corpus of one of KINDS."""
    scene = random_scene(rng)
    if kind == 'any':
        return scene, random_camera(rng)
    in_place = dataclasses.replace(scene.staging, travel=0.0, enter_s=0.0, leave_s=0.0)
    if kind == 'benchmark':
        camera = CAMERAS[f'dhp19-{rng.integers(2, 4)}']
        facing = dataclasses.replace(in_place, heading_deg=0.0, stops_hz=0.0)
        return dataclasses.replace(scene, sensor=OFFICE.sensor, staging=facing), camera
    sensor = dataclasses.replace(scene.sensor, shot_hz=min(scene.sensor.shot_hz, QUIET_SHOT_HZ))
    if kind == 'close':
        return dataclasses.replace(scene, sensor=sensor, staging=in_place), close_camera(rng)
    return dataclasses.replace(scene, sensor=sensor), random_camera(rng, front=True)


def _part(capture: Capture, duration_s: float, rng: np.random.Generator) -> Capture:
    """Return a random part of a capture, all of it where it is shorter."""
    spare = len(capture.points) - int(duration_s * capture.rate_hz) - 2
    start = int(rng.integers(max(spare, 1)))
    return capture._replace(points=capture.points[start:])


def make(clips: list[Clip], executor: Executor) -> Iterator[dict]:
    """Make the clips that are not there yet; yield the facts of each as it is done.

    Raises:
        InputError: a motion file cannot be used or a clip cannot be written.
    """
    clips[0].path.parent.mkdir(parents=True, exist_ok=True)
    futures = [executor.submit(make_clip, clip) for clip in clips if not clip.path.exists()]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()
