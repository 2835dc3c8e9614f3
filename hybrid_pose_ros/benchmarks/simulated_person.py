# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated recording for benchmarks if no recording is given."""

import tempfile
from pathlib import Path

from hybrid_pose_ros.recordings.labeled import LabeledRecording, load_seen
from hybrid_pose_ros.simulation.camera import camera
from hybrid_pose_ros.simulation.motions import DEMO, GeneratedMotion
from hybrid_pose_ros.simulation.recording import WARM_UP_US, record
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.simulation.scene_settings import OFFICE

SEED = 20


def simulated_person(duration_s: float) -> LabeledRecording:
    """Return built-in motion in front of a DAVIS346 in a lit room; identical on every call."""
    scene = SimulatedScene(GeneratedMotion(SEED, DEMO), camera('davis346-front'), OFFICE,
                           seed=SEED, duration_us=round(duration_s * 1e6) + WARM_UP_US)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'simulated.h5')
        record(scene, path, seed=SEED, motion='demo')
        return load_seen(path)
