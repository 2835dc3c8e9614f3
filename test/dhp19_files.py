# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of DHP19 as the dataset and the paper's code lay them out, small, written here."""

import h5py
import numpy as np

from hybrid_pose_ros.events.event_array import event_array

POINT_MM = np.array([0.0, 0.0, 1000.0])
"""Camera 2 sees it at (159.145, 125.014)."""


def poses_mm(number: int) -> np.ndarray:
    """Return (N, 13, 3): the point above, each joint 10 mm further to +x, each pose 20 mm up."""
    poses = np.tile(POINT_MM, (number, 13, 1))
    poses[..., 0] += 10.0 * np.arange(13)
    poses[..., 2] += 20.0 * np.arange(number)[:, None]
    return poses


def steady_events(number: int, period_us: int = 500, seed: int = 0) -> np.ndarray:
    """Return one event every `period_us` from time 0 on, anywhere on the sensor."""
    rng = np.random.default_rng(seed)
    return event_array(period_us * np.arange(number), rng.integers(0, 346, number),
                       rng.integers(0, 260, number), rng.integers(0, 2, number))


def write_hdf5_form(folder, name: str, channels: dict[int, np.ndarray], poses: np.ndarray, *,
                    milliseconds: int, kind=np.int64) -> None:
    """Write both files of a recording.

    Args:
        folder: for them.
        name: as in S1_session1_mov1.
        channels: events of each, counted from 0 as ours are.
        poses: (N, 13, 3) [mm], one every 10 ms.
        milliseconds: length of the index.
        kind: of number for t, x, y and p.
    """
    with h5py.File(folder / f'{name}_events.h5', 'w') as file:
        for channel, events in channels.items():
            for field, first in (('t', 0), ('x', 1), ('y', 1), ('p', 0)):
                file[f'cam{channel}_events/{field}'] = events[field].astype(kind) + kind(first)
            file[f'cam{channel}_ms_to_idx'] = np.searchsorted(events['t'],
                                                              1000 * np.arange(milliseconds))
    with h5py.File(folder / f'{name}_events_label.h5', 'w') as file:
        file['XYZ/3d_poses'] = poses.transpose(0, 2, 1)
        file['XYZ/timestamps'] = 10_000 * np.arange(len(poses))
