# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DHP19 in the HDF5 form that the paper's code reads: two files a recording.

    S1_session1_mov1_events.h5        cam{0..3}_events/{t, x, y, p}: t [us] from 0, sorted; x from
                                      1 to 346, y from 1 to 260, p 1 = ON
                                      cam{0..3}_ms_to_idx: an index a millisecond
    S1_session1_mov1_events_label.h5  XYZ/3d_poses (N, 3, 13) [mm], NaN where Vicon lost a joint
                                      XYZ/timestamps (N,) [us]
"""

from pathlib import Path

import h5py
import numpy as np

from hybrid_pose_ros.datasets.dataset_recording import DatasetRecording
from hybrid_pose_ros.datasets.dhp19_labels import LABEL_US, channel_camera, channel_labels
from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.pose.skeleton import JOINTS
from hybrid_pose_ros.recordings.hdf5_file import hdf5_file, tables
from hybrid_pose_ros.representation.geometry import DHP19_SENSOR

EVENTS_KIND = 'file of events in the HDF5 form of DHP19'
LABELS_KIND = 'file of labels in the HDF5 form of DHP19'
EVENTS_END, LABELS_END = '_events.h5', '_events_label.h5'


def read_channel(events_path: Path, labels_path: Path, channel: int) -> DatasetRecording:
    """Read one of the four channels of a recording, as far as it has events and labels.

    Raises:
        RecordingError: a file is not there, damaged, or of another layout.
    """
    events, events_ms = _read_events(events_path, channel)
    stamps_us, joints_mm = _read_poses(labels_path)
    end_us = min(1000 * events_ms, int(stamps_us[-1]) + LABEL_US)
    labeled = stamps_us < end_us
    name = events_path.name.removesuffix(EVENTS_END)
    return DatasetRecording(
        f'{name}_cam{channel}', *DHP19_SENSOR, events[events['t'] < end_us],
        channel_labels(joints_mm[labeled], stamps_us[labeled], channel), channel_camera(channel))


def _read_events(path: Path, channel: int) -> tuple[np.ndarray, int]:
    """Return the events, and for how many milliseconds there is an index."""
    group = f'cam{channel}_events'
    with hdf5_file(path, EVENTS_KIND) as file:
        found = tables(file, {f'{group}/{field}': 1 for field in 'txyp'}
                       | {f'cam{channel}_ms_to_idx': 1}, path, EVENTS_KIND)
        *columns, index = (whole_numbers(path, name, table) for name, table in found.items())
    if len({len(column) for column in columns}) > 1:
        raise RecordingError(f'{path}: {group}/t, x, y and p have different lengths')
    t, x, y, p = columns
    width, height = DHP19_SENSOR
    for name, values, low, high in (('x', x, 1, width), ('y', y, 1, height), ('p', p, 0, 1)):
        wrong = np.flatnonzero((values < low) | (values > high))
        if len(wrong):
            raise RecordingError(f'{path}: {group}/{name}[{wrong[0]}] is {values[wrong[0]]}, '
                                 f'expected {low} to {high}')
    check_times(path, f'{group}/t', t)
    if (np.diff(index, prepend=0) < 0).any() or (index > len(t)).any():
        raise RecordingError(f'{path}: cam{channel}_ms_to_idx is no index of {len(t)} events: '
                             'expected one that never decreases, from 0 to their number')
    return event_array(t, x - 1, y - 1, p), len(index)


def check_times(path: Path, name: str, stamps: np.ndarray) -> None:
    """Raise RecordingError unless times begin at 0 or later and never decrease."""
    wrong = np.flatnonzero(np.diff(stamps, prepend=0) < 0)
    if len(wrong):
        at = wrong[0]
        raise RecordingError(f'{path}: {name} must be sorted, from 0 on, but [{at}] = {stamps[at]}'
                             + (f' follows [{at - 1}] = {stamps[at - 1]}' if at else ''))


def whole_numbers(path: Path, name: str, table: h5py.Dataset) -> np.ndarray:
    """Return a dataset as int64; some writers store whole numbers as floats.

    Raises:
        RecordingError: one of them is not a whole number.
    """
    values = table[()]
    if values.dtype.kind == 'f':
        wrong = np.flatnonzero(~(np.abs(values) < 2**53) | (values != np.trunc(values)))
        if len(wrong):
            raise RecordingError(f'{path}: {name}[{wrong[0]}] is {values.flat[wrong[0]]}, '
                                 'expected a whole number')
    return values.astype(np.int64)


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
