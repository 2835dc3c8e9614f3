# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DHP19 in the HDF5 layout of the paper's code, two files per recording.

    S1_session1_mov1_events.h5        cam{0..3}_events/{t, x, y, p}: t [us] from 0, sorted; x from
                                      1 to 346, y from 1 to 260, p 1 = ON
                                      cam{0..3}_ms_to_idx: one index per millisecond
    S1_session1_mov1_events_label.h5  XYZ/3d_poses (N, 3, 13) [mm], NaN where Vicon lost a joint
                                      XYZ/timestamps (N,) [us]
"""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from hybrid_pose_ros.datasets.dataset_recording import DatasetRecording, partial_file
from hybrid_pose_ros.datasets.dhp19_calibration import PROJECTIONS
from hybrid_pose_ros.datasets.dhp19_labels import LABEL_US, channel_camera, channel_labels
from hybrid_pose_ros.datasets.event_tables import (
    check_labeled, check_times, read_event_tables, whole_numbers)
from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.recordings.hdf5_file import hdf5_file, tables
from hybrid_pose_ros.representation.geometry import DHP19_SENSOR
from hybrid_pose_ros.tasks.skeleton import JOINTS

EVENTS_KIND = 'DHP19 event file (HDF5)'
LABELS_KIND = 'DHP19 label file (HDF5)'
EVENTS_END, LABELS_END = '_events.h5', '_events_label.h5'


def read_channel(events_path: Path, labels_path: Path, channel: int) -> DatasetRecording:
    """Read one of the four channels of a recording, up to the earlier end of events and labels.

    Raises:
        RecordingError: a file is missing, damaged, or of another layout.
    """
    found = read_event_tables(
        events_path, EVENTS_KIND, group=f'cam{channel}_events', index=f'cam{channel}_ms_to_idx',
        first_pixel=1, size=DHP19_SENSOR)
    events = event_array(found.t, found.x - 1, found.y - 1, found.p)
    stamps_us, joints_mm = _read_poses(labels_path)
    end_us = min(1000 * found.milliseconds, int(stamps_us[-1]) + LABEL_US)
    labeled = stamps_us + LABEL_US <= end_us  # the recording covers all 10 ms of the label
    check_labeled(labels_path, 'XYZ/timestamps', labeled, end_us)
    name = events_path.name.removesuffix(EVENTS_END)
    return DatasetRecording(
        f'{name}_cam{channel}', *DHP19_SENSOR, events[events['t'] < end_us],
        channel_labels(joints_mm[labeled], stamps_us[labeled], channel), channel_camera(channel))


def write_recording(recordings: Sequence[DatasetRecording], channels: Sequence[int],
                    events_path: Path, labels_path: Path) -> None:
    """Write channels of one recording, uncropped, in the layout of the paper's code.

    Raises:
        RecordingError: a file cannot be written.
    """
    size_bytes = sum(recording.events.nbytes for recording in recordings)
    with partial_file(events_path, size_bytes) as partial, h5py.File(partial, 'w') as file:
        for channel, recording in zip(channels, recordings, strict=True):
            events, end_us = recording.events, int(recording.labels.t[-1]) + LABEL_US
            columns = {'t': events['t'], 'x': events['x'] + np.uint16(1),
                       'y': events['y'] + np.uint16(1), 'p': events['p']}
            for field, values in columns.items():
                file.create_dataset(f'cam{channel}_events/{field}', data=values, shuffle=True,
                                    compression='lzf' if len(values) else None)
            file[f'cam{channel}_ms_to_idx'] = np.searchsorted(events['t'],
                                                              np.arange(0, end_us, 1000))
    labels = recordings[0].labels
    with partial_file(labels_path) as partial, h5py.File(partial, 'w') as file:
        file['XYZ/3d_poses'] = labels.joints_mm.transpose(0, 2, 1).astype(np.float64)
        file['XYZ/timestamps'] = labels.t


def save_matrices(folder: Path) -> None:
    """Write the projection matrices for the paper's code, P1.npy to P4.npy.

    Raises:
        RecordingError: a file cannot be written.
    """
    for camera, matrix in PROJECTIONS.items():
        with partial_file(folder / f'P{camera}.npy') as partial, partial.open('wb') as file:
            np.save(file, np.array(matrix))


def _read_poses(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return times (N,) [us] and joints (N, 13, 3) [mm]."""
    names = {'XYZ/timestamps': 1, 'XYZ/3d_poses': 3}
    with hdf5_file(path, LABELS_KIND) as file:
        found = tables(file, names, path, LABELS_KIND)
        stamps_us = whole_numbers(path, 'XYZ/timestamps', found['XYZ/timestamps'])
        poses = found['XYZ/3d_poses'][()].astype(np.float64)
    if poses.shape != (len(stamps_us), 3, len(JOINTS)) or not len(poses):
        raise RecordingError(f'{path}: XYZ/3d_poses has the shape {poses.shape}, expected '
                             f'({len(stamps_us)}, 3, {len(JOINTS)}): a pose for each of '
                             'XYZ/timestamps')
    check_times(path, 'XYZ/timestamps', stamps_us)
    poses[~np.isfinite(poses)] = np.nan
    return stamps_us, poses.transpose(0, 2, 1)
