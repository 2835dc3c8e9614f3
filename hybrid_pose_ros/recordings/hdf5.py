# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of this package: events and labels in HDF5.

    events/{t, x, y, p}   int64 [us], uint16, uint16, uint8 (1 = ON), in decoding order
    ms_to_idx             index of the first event at or after millisecond `start_ms` + i
    labels/{t, joints_px (N, 13, 2), joints_mm (N, 13, 3), visible (N, 13)}, if present
    attributes            width, height, encoding; intrinsics (3, 3) [px], rotation (3, 3) world to
                          camera, translation (3,) [m], if the camera is known
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.codec import Decoded
from hybrid_pose_ros.events.event_array import EVENT_DTYPE, TRIGGER_DTYPE
from hybrid_pose_ros.events.evt3 import STEP_BACK
from hybrid_pose_ros.recordings.hdf5_file import check_length, check_whole, hdf5_file, numbers
from hybrid_pose_ros.recordings.recording import Recording, check_size
from hybrid_pose_ros.tasks.skeleton import JOINTS

KIND = 'recording of this package'
PIECE_EVENTS = 1 << 18
FIELDS = 't', 'x', 'y', 'p'
LABEL_TYPES = {'t': np.int64, 'joints_px': np.float32, 'joints_mm': np.float32, 'visible': bool}
LABEL_SHAPES = {'t': (), 'joints_px': (len(JOINTS), 2), 'joints_mm': (len(JOINTS), 3),
                'visible': (len(JOINTS),)}
"""Shapes of the datasets of one label."""

EARLIEST_US, LATEST_US = -(1 << 62), 1 << 62
"""Range of valid times; sums and differences of two such times fit in 64 bits."""

MOST_STEP_BACK_US = STEP_BACK
"""Sensors emit events a few microseconds out of order; EVT3 cannot express larger steps back."""

CHUNK_BYTES = 1 << 17

CAMERA_SHAPES = ((3, 3), (3, 3), (3,))

LABEL_CENTER_PX = 0.5
"""In label files, pixel i covers [i, i + 1); everywhere else in the package its center is at i."""


class CameraPose(NamedTuple):
    """Camera model: pixel = intrinsics @ (rotation @ world + translation), divided by depth."""

    intrinsics: np.ndarray  # (3, 3) [px]
    rotation: np.ndarray  # (3, 3), world to camera
    translation: np.ndarray  # (3,) [m]


class Labels(NamedTuple):
    """Joint positions at N stamps, J = 13 joints."""

    t: np.ndarray  # (N,) int64 [us], sensor time
    joints_px: np.ndarray  # (N, J, 2) float32, x and y in sensor pixels; NaN: unknown
    joints_mm: np.ndarray  # (N, J, 3) float32, world frame
    visible: np.ndarray  # (N, J) bool


class Hdf5Recording(Recording):
    """An HDF5 recording; `camera` and `labels()` are None if the file does not contain them."""

    def __init__(self, path: Path):
        """Validate the layout and read the attributes.

        Raises:
            RecordingError: part of the layout is missing or inconsistent.
        """
        self.path = path
        with hdf5_file(self.path, KIND) as file:
            missing = [name for name in [f'events/{field}' for field in FIELDS]
                       if name not in file]
            missing += [name for name in ('width', 'height') if name not in file.attrs]
            if missing:
                raise RecordingError(f'{path} is not a recording of this package: it lacks '
                                     f'{", ".join(missing)}')
            self.width, self.height = (int(_numbers(file.attrs.get_id(name), ()))
                                       for name in ('width', 'height'))
            self.encoding = _text(file, 'encoding') or 'hdf5'
            self.camera = None
            if all(name in file.attrs for name in CameraPose._fields):
                self.camera = CameraPose(*(_numbers(file.attrs.get_id(name), shape) for name, shape
                                           in zip(CameraPose._fields, CAMERA_SHAPES)))
            columns = [numbers(file['events'], field, 1) for field in FIELDS]
            check_size(path, self.width, self.height)
            if len({len(column) for column in columns}) > 1:
                raise RecordingError(f'{path}: events/t, x, y and p have different lengths')
            check_length(path, columns)

    def pieces(self) -> Iterator[Decoded]:
        """Yield pieces of PIECE_EVENTS events."""
        no_triggers = np.empty(0, TRIGGER_DTYPE)
        legal = {'t': (EARLIEST_US, LATEST_US), 'x': (0, self.width - 1),
                 'y': (0, self.height - 1), 'p': (0, 1)}
        latest_us = EARLIEST_US
        with hdf5_file(self.path, KIND) as file:
            group = file['events']
            for start in range(0, len(group['t']), PIECE_EVENTS):
                piece = slice(start, min(start + PIECE_EVENTS, len(group['t'])))
                events = np.empty(piece.stop - start, EVENT_DTYPE)
                for field in FIELDS:
                    values = group[field][piece]
                    check_whole(self.path, f'events/{field}', values, *legal[field], start=start)
                    events[field] = values
                latest_us = self._check_order(events['t'], latest_us, start)
                yield Decoded(events, no_triggers)

    def _check_order(self, times_us: np.ndarray, latest_us: int, start: int) -> int:
        """Return the latest time so far; raise RecordingError if events are out of order."""
        latest = np.maximum.accumulate(np.maximum(times_us, latest_us))
        wrong = np.flatnonzero(latest - times_us > MOST_STEP_BACK_US)
        if len(wrong):
            at = wrong[0]
            raise RecordingError(
                f'{self.path}: events/t[{start + at}] = {times_us[at]} us comes after '
                f'{latest[at]} us: expected events in order of time, up to '
                f'{MOST_STEP_BACK_US} us; sort them')
        return int(latest[-1])

    def labels(self) -> Labels | None:
        """Return the joint positions in order of time.

        Raises:
            RecordingError: labels have wrong shapes or values.
        """
        with hdf5_file(self.path, KIND) as file:
            if 'labels' not in file:
                return None
            return Labels(*(self._label(file['labels'], name) for name in Labels._fields))

    def occluded(self) -> np.ndarray | None:
        """Return which joints are self-occluded, (N, J) bool; None if not recorded.

        Raises:
            RecordingError: the shape or values are wrong.
        """
        with hdf5_file(self.path, KIND) as file:
            if 'labels/occluded' not in file:
                return None
            return self._label(file['labels'], 'occluded')

    def _label(self, group: h5py.Group, name: str) -> np.ndarray:
        """Return a dataset of the labels, converted to its type."""
        count = len(numbers(group, 't', 1))
        row = LABEL_SHAPES.get(name, LABEL_SHAPES['visible'])
        values = numbers(group, name, 1 + len(row))[:]
        if values.shape != (count, *row):
            raise RecordingError(f'{self.path}: labels/{name} has the shape {values.shape}, '
                                 f'expected {(count, *row)}: {count} labels of {len(JOINTS)} '
                                 'joints')
        if name == 't':
            check_whole(self.path, 'labels/t', values, EARLIEST_US, LATEST_US)
        kind = LABEL_TYPES.get(name, bool)
        if kind is bool:
            check_whole(self.path, f'labels/{name}', values.ravel(), 0, 1)
        return values.astype(kind)


def _numbers(attribute: h5py.h5a.AttrID, shape: tuple[int, ...]) -> np.ndarray:
    if attribute.shape != shape or attribute.dtype.kind not in 'iuf':
        raise ValueError(f'an attribute is {attribute.dtype} {attribute.shape}, expected numbers '
                         f'of shape {shape}')
    values = np.empty(shape, attribute.dtype)
    attribute.read(values)
    return values


def _text(file: h5py.File, name: str) -> str:
    """Return a text attribute; '' if it is missing or of variable length.

    HDF5 2.0 hangs on variable-length text with a damaged address.
    """
    if name not in file.attrs or file.attrs.get_id(name).dtype.kind != 'S':
        return ''
    return bytes(file.attrs[name]).decode()


def fixed_text(text: str) -> np.bytes_:
    """Return text as a fixed-length attribute; HDF5 has no attributes of length 0.

    HDF5 2.0 hangs on variable-length text in a damaged file.
    """
    return np.bytes_(text.encode() or b' ')


class Hdf5Writer:
    """Writes a recording piece by piece; a context manager. The file is complete after closing."""

    def __init__(self, path: str | Path, *, width: int, height: int, encoding: str = 'hdf5',
                 camera=None, start_us: int | None = None):
        """Create the file in an existing folder; an existing file is overwritten.

        Args:
            path: path of the file.
            width: sensor width [px].
            height: sensor height [px].
            encoding: source of the events.
            camera: any object with the fields of CameraPose, or None.
            start_us: first time of `ms_to_idx`; None: time of the first event.
        """
        check_size(Path(path), width, height)
        try:
            self._file = h5py.File(path, 'w')
        except OSError as error:
            raise RecordingError(f'{path} cannot be written: {error}') from error
        self._file.attrs.update(width=width, height=height, encoding=fixed_text(encoding))
        if camera is not None:
            self._file.attrs.update({name: np.asarray(getattr(camera, name), np.float64)
                                     for name in CameraPose._fields})
        for field in FIELDS:
            self._extend(f'events/{field}', np.empty(0, EVENT_DTYPE[field]))
        self._start_ms = None if start_us is None else start_us // 1000
        self._count = 0
        self._milliseconds = 0
        self._extend('ms_to_idx', np.empty(0, np.int64))

    def append(self, events: np.ndarray) -> None:
        """Append events, (N,) of EVENT_DTYPE, in decoding order."""
        if not len(events):
            return
        for field in FIELDS:
            self._extend(f'events/{field}', events[field])
        latest = np.maximum.accumulate(events['t'])
        if self._start_ms is None:
            self._start_ms = int(events['t'][0]) // 1000
        end_ms = int(latest[-1]) // 1000 + 1
        stamps = (self._start_ms + np.arange(self._milliseconds, end_ms - self._start_ms)) * 1000
        self._extend('ms_to_idx', self._count + np.searchsorted(latest, stamps))
        self._milliseconds = max(self._milliseconds, end_ms - self._start_ms)
        self._count += len(events)

    def append_labels(self, t, joints_px, joints_mm, visible, **more) -> None:
        """Append labels as in `Labels`; `more` are additional arrays of N rows."""
        for name, values in {'t': t, 'joints_px': joints_px, 'joints_mm': joints_mm,
                             'visible': visible, **more}.items():
            self._extend(f'labels/{name}', np.asarray(values, LABEL_TYPES.get(name)))

    def close(self) -> None:
        """Complete the file."""
        if self._file:
            self._file['ms_to_idx'].attrs['start_ms'] = self._start_ms or 0
            self._file.close()

    def __enter__(self) -> 'Hdf5Writer':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _extend(self, name: str, values: np.ndarray) -> None:
        if name not in self._file:
            row = values.shape[1:]
            rows = max(1, CHUNK_BYTES // (math.prod(row) * values.itemsize))
            self._file.create_dataset(name, (0, *row), values.dtype, maxshape=(None, *row),
                                      chunks=(rows, *row), compression='lzf', shuffle=True)
        dataset = self._file[name]
        start = len(dataset)
        dataset.resize(start + len(values), axis=0)
        dataset[start:] = values
