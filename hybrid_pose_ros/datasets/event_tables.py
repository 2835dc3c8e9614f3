# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events in the HDF5 files of the paper: columns, and an index a millisecond. Checked in full."""

from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.hdf5_file import check_whole, hdf5_file, tables


class EventTables(NamedTuple):
    """N events as a file counts them."""

    t: np.ndarray  # (N,) int64, from 0, never decreasing
    x: np.ndarray  # (N,) int64, from `first_pixel` on
    y: np.ndarray  # (N,) int64, likewise
    p: np.ndarray  # (N,) int64, 1 = ON
    milliseconds: int  # for which there is an index


def read_event_tables(path: Path, kind: str, *, group: str, index: str, first_pixel: int,
                      size: tuple[int, int]) -> EventTables:
    """Read the events of a group.

    Args:
        path: of the file.
        kind: what the file should be, for errors.
        group: of t, x, y and p.
        index: name of the number of the first event in each millisecond.
        first_pixel: what x and y count from.
        size: of the sensor, width and height [px].

    Raises:
        RecordingError: the file is not there, damaged, or of another layout.
    """
    with hdf5_file(path, kind) as file:
        found = tables(file, {f'{group}/{field}': 1 for field in 'txyp'} | {index: 1}, path, kind)
        *columns, first = (whole_numbers(path, name, table) for name, table in found.items())
    if len({len(column) for column in columns}) > 1:
        raise RecordingError(f'{path}: {group}/t, x, y and p have different lengths')
    t, *others = columns
    last_x, last_y = (side - 1 + first_pixel for side in size)
    for name, values, low, high in zip('xyp', others, (first_pixel, first_pixel, 0),
                                       (last_x, last_y, 1)):
        wrong = np.flatnonzero((values < low) | (values > high))
        if len(wrong):
            raise RecordingError(f'{path}: {group}/{name}[{wrong[0]}] is {values[wrong[0]]}, '
                                 f'expected {low} to {high}')
    check_times(path, f'{group}/t', t)
    if (np.diff(first, prepend=0) < 0).any() or (first > len(t)).any():
        raise RecordingError(f'{path}: {index} is no index of {len(t)} events: expected one that '
                             'never decreases, from 0 to their number')
    return EventTables(t, *others, len(first))


def check_times(path: Path, name: str, stamps: np.ndarray) -> None:
    """Raise RecordingError unless times begin at 0 or later and never decrease."""
    wrong = np.flatnonzero(np.diff(stamps, prepend=0) < 0)
    if len(wrong):
        at = wrong[0]
        raise RecordingError(f'{path}: {name} must be sorted, from 0 on, but [{at}] = {stamps[at]}'
                             + (f' follows [{at - 1}] = {stamps[at - 1]}' if at else ''))


def check_labeled(path: Path, name: str, labeled: np.ndarray, end_us: int) -> None:
    """Raise RecordingError unless there is a label while there are events, which end at end_us."""
    if not labeled.any():
        raise RecordingError(f'{path}: {name} has no label of the recording, whose events end at '
                             f'{end_us} us')


def whole_numbers(path: Path, name: str, table: h5py.Dataset) -> np.ndarray:
    """Return a dataset as int64; some writers store whole numbers as floats.

    Raises:
        RecordingError: one of them is not a whole number of 64 bits.
    """
    values = table[()]
    check_whole(path, name, values, -2**63, 2**63 - 1)
    return values.astype(np.int64)
