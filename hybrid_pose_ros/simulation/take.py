# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One person in front of several cameras, with one recording per camera."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

from hybrid_pose_ros.parallel import as_done
from hybrid_pose_ros.simulation.camera import CAMERAS
from hybrid_pose_ros.simulation.recording import WARM_UP_US, record
from hybrid_pose_ros.simulation.scene import SimulatedScene


def record_take(folder: Path, names: Sequence[str], *, seed: int, duration_s: float,
                executor: Executor | None = None) -> Iterator[dict]:
    """Write the recording of each camera of a rig to NAME.h5; yield its facts on completion.

    Args:
        folder: output folder; created.
        names: names of the cameras, such as dhp19_2.
        seed: random seed of the scene.
        duration_s: duration of each recording.
        executor: executor for the simulations; None: run them in this process.

    Raises:
        InputError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return as_done(partial(_record, folder, seed, round(duration_s * 1e6)), names, executor)


def _record(folder: Path, seed: int, duration_us: int, name: str) -> dict:
    view = name.replace('_', '-')
    scene = SimulatedScene(camera=CAMERAS[view], seed=seed, duration_us=duration_us + WARM_UP_US,
                           sensor=list(CAMERAS).index(view))
    return record(scene, folder / f'{name}.h5', seed=seed, motion='own')
