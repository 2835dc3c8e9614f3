# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads event tables in the paper's HDF5 files: validated columns and an index per millisecond."""

from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.hdf5_file import check_whole, hdf5_file, tables


class EventTables(NamedTuple):
    """The N events of a file."""

    t: np.ndarray  # (N,) int64, >= 0, non-decreasing
    x: np.ndarray  # (N,) int64, >= `first_pixel`
    y: np.ndarray  # (N,) int64, >= `first_pixel`
    p: np.ndarray  # (N,) int64, 1 = ON
    milliseconds: int  # length of the index


def read_event_tables(path: Path, kind: str, *, group: str, index: str, first_pixel: int,
                      size: tuple[int, int]) -> EventTables:
    """Read the events of a group.

    Args:
        path: path of the file.
        kind: description of the file for error messages.
        group: group of t, x, y and p.
        index: name of the dataset with the index of the first event in each millisecond.
        first_pixel: smallest x and y.
        size: width and height of the sensor [px].

    Raises:
        RecordingError: the file is missing, damaged, or of another layout.
    """
    with hdf5_file(path, kind) as file:
        found = tables(file, {f'{group}/{field}': 1 for field in 'txyp'} | {index: 1}, path, kind)
        t, x, y, p, first = (whole_numbers(path, name, table) for name, table in found.items())
    if len({len(column) for column in (t, x, y, p)}) > 1:
        raise RecordingError(f'{path}: {group}/t, x, y and p have different lengths')
    last_x, last_y = (side - 1 + first_pixel for side in size)
    for name, values, low, high in (('x', x, first_pixel, last_x), ('y', y, first_pixel, last_y),
                                    ('p', p, 0, 1)):
        wrong = np.flatnonzero((values < low) | (values > high))
        if len(wrong):
            raise RecordingError(f'{path}: {group}/{name}[{wrong[0]}] is {values[wrong[0]]}, '
                                 f'expected {low} to {high}')
    check_times(path, f'{group}/t', t)
    if (np.diff(first, prepend=0) < 0).any() or (first > len(t)).any():
        raise RecordingError(f'{path}: {index} is not a valid index of {len(t)} events: expected '
                             'non-decreasing numbers, from 0 to the number of events')
    return EventTables(t, x, y, p, len(first))


def check_times(path: Path, name: str, stamps: np.ndarray) -> None:
    """Raise RecordingError unless all times are non-negative and non-decreasing."""
    wrong = np.flatnonzero(np.diff(stamps, prepend=0) < 0)
    if len(wrong):
        at = wrong[0]
        raise RecordingError(f'{path}: {name} must be sorted and >= 0, but [{at}] = {stamps[at]}'
                             + (f' follows [{at - 1}] = {stamps[at - 1]}' if at else ''))


def check_labeled(path: Path, name: str, labeled: np.ndarray, end_us: int) -> None:
    """Raise RecordingError unless some label is before end_us, the end of the events."""
    if not labeled.any():
        raise RecordingError(f'{path}: {name} has no labels within the recording, which ends at '
                             f'{end_us} us')


def whole_numbers(path: Path, name: str, table: h5py.Dataset) -> np.ndarray:
    """Return a dataset as int64; some writers store whole numbers as floats.

    Raises:
        RecordingError: a value is not a whole number of at most 64 bits.
    """
    values = table[()]
    check_whole(path, name, values, -2**63, 2**63 - 1)
    return values.astype(np.int64)
