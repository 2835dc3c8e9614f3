# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets: files that are little more than arrays, labels and motion.

An input is the bytes of a file, or arrays of other types, lengths, values or order than they
should have, which are then written by the library of the format.
"""

import io
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np

from fuzzing.campaign import Target, Wrong
from fuzzing.mutations import EXTREMES, mutated
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.recordings.hdf5 import LABEL_CENTER_PX, Hdf5Writer
from hybrid_pose_ros.recordings.labeled import load_labeled
from hybrid_pose_ros.simulation.body import joints_of
from hybrid_pose_ros.simulation.motion_capture import StagedMotion, load_capture
from hybrid_pose_ros.simulation.motions import GeneratedMotion

Arrays = dict[str, np.ndarray]
TYPES = ('u1', 'i2', 'u4', 'i8', 'u8', 'f2', 'f4', 'f8', '>f4', '>i8', '?', 'S4', 'c8')
NUMBERS = (np.nan, np.inf, -np.inf, 1e30, -1e30, 0.5, *map(float, EXTREMES))
LABELS = 5


def _mutate_arrays(rng: Random, arrays: Arrays) -> Arrays:
    name = rng.choice(sorted(arrays))
    with np.errstate(all='ignore'):
        changed = _mutations(rng, np.array(arrays[name]))
    if changed is None:
        return {other: array for other, array in arrays.items() if other != name}
    return arrays | {name: changed}


def _mutations(rng: Random, array: np.ndarray) -> np.ndarray | None:
    """Return an array of another type, length, content or order; None: it is left out."""
    match rng.randrange(6):
        case 0 if array.dtype.kind in 'iufb':
            return array.astype(rng.choice(TYPES))
        case 1 if array.ndim:
            return rng.choice((array[:-1], array[:0], array[..., :1],
                               np.concatenate([array, array])))
        case 2:
            return rng.choice((array[None], array.reshape(-1), array.swapaxes(0, -1)
                               if array.ndim else array))
        case 3 if array.ndim:
            return array[::-1]
        case 4:
            return None if not rng.randrange(4) else array
    if array.size and array.dtype.kind in 'iufb':
        array.reshape(-1)[rng.randrange(array.size)] = np.float64(rng.choice(NUMBERS)).astype(
            array.dtype)
    return array


def _mutate(rng: Random, value: Any, other: Any) -> Any:
    if isinstance(value, bytes):
        return mutated(rng, value, other if isinstance(other, bytes) else b'')
    for _ in range(rng.randrange(1, 3)):
        value = _mutate_arrays(rng, value) if value else value
    return value


def _labels(_: Random) -> list:
    values = {'t': np.arange(LABELS) * 1000 + 1000,
              'joints_px': np.tile(np.arange(13.0)[:, None], (LABELS, 1, 2)).astype('f4'),
              'joints_mm': np.ones((LABELS, 13, 3), 'f4'), 'visible': np.ones((LABELS, 13), bool),
              'occluded': np.zeros((LABELS, 13), bool)}
    with TemporaryDirectory() as folder:
        path = Path(folder, 'file.h5')
        with Hdf5Writer(path, width=346, height=260) as writer:
            writer.append(_events())
            writer.append_labels(**values)
        return [values, path.read_bytes()]


def _events() -> np.ndarray:
    return event_array(range(1000, 6000, 100), range(50), range(50), [1] * 50)


@contextmanager
def _open_labels(folder: Path):
    path = folder / 'file.h5'

    def read(value):
        if isinstance(value, bytes):
            path.write_bytes(value)
        else:
            with Hdf5Writer(path, width=346, height=260) as writer:
                writer.append(_events())
            with h5py.File(path, 'a') as file:
                for name, array in value.items():
                    file[f'labels/{name}'] = array
        recording = load_labeled(path)
        joints, visible, _ = recording.joints_at(np.array([1500, 2500]))
        if joints.shape != (2, 13, 2) or (np.diff(recording.label_us) <= 0).any():
            raise Wrong(f'labels {recording.label_us} of {joints.shape}')
        if isinstance(value, dict):
            _compare(recording, value)
        return len(recording.label_us), bool(visible.all())
    yield read


def _compare(recording, value: Arrays) -> None:
    """Raise Wrong unless what was read are the numbers in the file."""
    if recording.label_us.tolist() != value['t'].tolist():
        raise Wrong(f'times {recording.label_us} of {value["t"]}')
    expected = value['joints_px'].astype('f4') - LABEL_CENTER_PX
    finite = np.isfinite(expected).all(axis=-1)
    if not np.array_equal(recording.joints_px[finite], expected[finite]):
        raise Wrong(f'joints {recording.joints_px} of {value["joints_px"]}')


def _motions(_: Random) -> list:
    body = GeneratedMotion(0, ('box',)).sample(np.arange(0.0, 0.2, 1 / 120)).astype('f4')
    arrays = {'body': body, 'joints': joints_of(body).astype('f4'), 'fps': np.array(120.0)}
    return [arrays, _npz(arrays, np.savez), _npz(arrays, np.savez_compressed)]


def _npz(arrays: Arrays, save) -> bytes:
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


@contextmanager
def _open_motion(folder: Path):
    path = folder / 'file.npz'

    def read(value):
        path.write_bytes(value if isinstance(value, bytes) else _npz(value, np.savez))
        capture = load_capture(path)
        if isinstance(value, dict) and not np.array_equal(capture.points, value['body']):
            raise Wrong(f'{capture.points} of {value["body"]}')
        points = StagedMotion(capture, duration_s=0.1).sample(np.array([0.0, 0.05]))
        if points.shape != (2, 24, 3) or not np.isfinite(points).all():
            raise Wrong(f'points {points}')
        return len(capture.points)
    yield read


TARGETS = {'labels': Target(_labels, _mutate, _open_labels, (InputError,),
                            ('hybrid_pose_ros/recordings/',)),
           'motion': Target(_motions, _mutate, _open_motion, (InputError,),
                            ('hybrid_pose_ros/simulation/motion_capture',))}
