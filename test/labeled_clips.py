# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small clip with labels: a cloud of events follows each of 13 joints that circle."""

import numpy as np

from hybrid_pose_ros.events.clock import EVT3_PERIOD_US
from hybrid_pose_ros.events.event_array import EVENT_DTYPE
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.recordings.hdf5 import Hdf5Writer
from hybrid_pose_ros.recordings.labeled import LabeledRecording

WIDTH, HEIGHT = 64, 48


def circling_clip(seed=0, duration_ms=600, events_ms=5):
    """Return a clip of a small sensor."""
    rng = np.random.default_rng(seed)
    label_us = np.arange(0, 1000 * duration_ms + 1, 1000)
    angle = 2e-6 * np.pi * label_us[:, None] + rng.uniform(0, 6, 13)
    middle = rng.uniform([16, 14], [48, 34], (13, 2))
    joints = middle + 8 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    events = np.zeros(duration_ms * events_ms, EVENT_DTYPE)
    events['t'] = np.sort(rng.integers(0, 1000 * duration_ms, len(events)))
    of = rng.integers(0, 13, len(events))
    places = joints[events['t'] // 1000, of] + rng.normal(0, 1, (len(events), 2))
    places = np.clip(np.rint(places), 0, [WIDTH - 1, HEIGHT - 1]).astype(np.uint16)
    events['x'], events['y'] = places.T
    events['p'] = rng.integers(0, 2, len(events))
    visible = np.ones(joints.shape[:2], bool)
    return LabeledRecording(f'circling{seed}', WIDTH, HEIGHT, events, label_us,
                            joints.astype(np.float32), visible, ~visible)


def write_clip(folder, clip):
    """Write a clip as a recording into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    with Hdf5Writer(folder / f'{clip.name}.h5', width=clip.width, height=clip.height) as writer:
        writer.append(clip.events)
        writer.append_labels(clip.label_us, clip.joints_px + 0.5,
                             np.zeros((*clip.visible.shape, 3)), clip.visible)


def write_long(path, duration_s):
    """Write joints that circle for a long time, as .raw: one turn of the clock, repeated."""
    turn = circling_clip(duration_ms=EVT3_PERIOD_US // 1000, events_ms=10)
    words = Evt3Encoder(WIDTH, HEIGHT).encode(turn.events)
    with path.open('wb') as file:
        file.write(f'% evt 3.0\n% geometry {WIDTH}x{HEIGHT}\n% end\n'.encode())
        for _ in range(1 + 1_000_000 * duration_s // EVT3_PERIOD_US):
            file.write(words)
    return path
