# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of gestures: one generated motion per clip, all else random as in a corpus."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from hybrid_pose_ros.simulation.kinds import random_setting
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.simulation.recording import WARM_UP_US, record
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.tasks.gesture import GESTURES

KIND = 'front'
STATURE_M = 1.55, 1.95


def make_gestures(folder: Path, *, clips: int, duration_s: float, seed: int,
                  tell: Callable[[str], None] = lambda line: None) -> Path:
    """Write missing recordings `<gesture>_<number>.h5` to a folder; return the folder.

    Args:
        folder: output folder; created.
        clips: number of clips of each gesture.
        duration_s: duration of each clip.
        seed: random seed, which determines people, rooms and cameras.
        tell: called before each recording.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index, gesture in enumerate(GESTURES):
        for number in range(clips):
            path = folder / f'{gesture}_{number:04d}.h5'
            if path.exists():
                continue
            tell(path.stem)
            rng = np.random.default_rng([seed, 14, index, number])
            settings, camera = random_setting(KIND, rng)
            clip_seed = int(rng.integers(1 << 31))
            motion = GeneratedMotion(clip_seed, (gesture,), stature_m=rng.uniform(*STATURE_M))
            scene = SimulatedScene(motion, camera, settings, seed=clip_seed,
                                   duration_us=round(duration_s * 1e6) + WARM_UP_US)
            record(scene, path, seed=clip_seed, motion=gesture)
    return folder
