# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of gestures: one motion of ours each, the rest at random, as in a corpus."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from hybrid_pose_ros.gesture.classes import GESTURES
from hybrid_pose_ros.simulation.kinds import random_setting
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.simulation.recording import WARM_UP_US, record
from hybrid_pose_ros.simulation.scene import SimulatedScene

KIND = 'front'
STATURE_M = 1.55, 1.95


def make_gestures(folder: Path, *, clips: int, duration_s: float, seed: int,
                  tell: Callable[[str], None] = lambda line: None) -> Path:
    """Fill a folder with recordings `<gesture>_<number>.h5` that are not there yet; return it.

    Args:
        folder: is made.
        clips: of each gesture.
        duration_s: of each.
        seed: of everything that is drawn; another one gives other people, rooms and cameras.
        tell: is told each that is begun.
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
