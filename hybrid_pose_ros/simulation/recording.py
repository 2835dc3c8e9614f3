# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Records a simulated scene: events and labels in HDF5, written atomically."""

import dataclasses
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import writing
from hybrid_pose_ros.recordings import hdf5 as recorded
from hybrid_pose_ros.recordings.hdf5 import Hdf5Writer, fixed_text
from hybrid_pose_ros.recordings.hdf5_file import check_space
from hybrid_pose_ros.recordings.labeled import LabeledRecording, labeled
from hybrid_pose_ros.simulation.scene import Labels, SimulatedScene, Slice

WARM_UP_US = 100_000
"""Unrecorded time at the start, during which the first image still affects the pixels."""


def record(scene: SimulatedScene, path: str | Path, *, seed: int, motion: str,
           progress: Callable[[int], None] = lambda end_us: None) -> dict:
    """Write a scene that has not started yet to a file; return facts about the recording.

    Time 0 of the recording is WARM_UP_US after the start of the scene. The file is renamed to
    `path` only when complete.

    Args:
        scene: a scene of finite duration.
        path: path of the HDF5 file.
        seed: random seed, stored with the settings.
        motion: name of the motion, also stored.
        progress: called with the simulated sensor time [us].

    Raises:
        InputError: the file cannot be written.
    """
    path = Path(path)
    partial = path.with_name(path.name + '.partial')
    began_s, events, labels = time.process_time(), 0, 0
    camera = scene.camera
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with Hdf5Writer(partial, width=camera.width, height=camera.height,
                            encoding='simulation', camera=camera, start_us=0) as writer:
                for piece in scene:
                    check_space(path)
                    written = _append(writer, piece)
                    events, labels = events + written[0], labels + written[1]
                    progress(piece.end_us)
            if not labels:
                raise InputError(f'the motion {motion} ends within the first {WARM_UP_US / 1e6} '
                                 's, which are not recorded')
            with h5py.File(partial, 'r+') as file:
                settings = json.dumps(dataclasses.asdict(scene.settings))
                file.attrs.update(motion=fixed_text(motion), seed=seed,
                                  settings=fixed_text(settings))
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    duration_s = (piece.end_us - WARM_UP_US) * 1e-6
    return {'output': str(path), 'motion': motion, 'seed': seed, 'width': camera.width,
            'height': camera.height, 'duration_s': duration_s, 'labels': labels, 'events': events,
            'events_per_s': events / duration_s,
            'core_s_per_s': (time.process_time() - began_s) / duration_s}


def rendered(scene: SimulatedScene, name: str) -> LabeledRecording:
    """Return in memory what `record` would write for a scene that has not started yet.

    Raises:
        InputError: the scene has fewer than two labels after the warm-up.
    """
    pieces = list(scene)
    events = np.concatenate([piece.events for piece in pieces])
    fields = Labels(*(np.concatenate([piece.labels[index] for piece in pieces])
                      for index in range(len(Labels._fields))))
    events = events[events['t'] >= WARM_UP_US]
    keep = fields.t >= WARM_UP_US
    events['t'] -= WARM_UP_US
    labels = recorded.Labels(fields.t[keep] - WARM_UP_US, fields.joints_px[keep],
                             fields.joints_mm[keep], fields.visible[keep])
    return labeled(name, scene.camera.width, scene.camera.height, events, labels,
                   occluded=fields.occluded[keep], source=name)


def _append(writer: Hdf5Writer, piece: Slice) -> tuple[int, int]:
    """Write the part after the warm-up; return the number of events and of labels."""
    events = piece.events[piece.events['t'] >= WARM_UP_US].copy()
    events['t'] -= WARM_UP_US
    writer.append(events)
    keep = piece.labels.t >= WARM_UP_US
    labels = Labels(*(field[keep] for field in piece.labels))
    more = {'occluded': labels.occluded}
    if piece.camera.rotation.ndim == 3:
        more |= {'rotation': piece.camera.rotation[keep],
                 'translation': piece.camera.translation[keep]}
    writer.append_labels(labels.t - WARM_UP_US, labels.joints_px, labels.joints_mm,
                         labels.visible, **more)
    return len(events), len(labels.t)
