# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of DHP19 as the dataset and the paper's code lay them out, small, written here."""

import struct
import zlib

import h5py
import numpy as np

from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.tasks.skeleton import JOINTS

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


def address(x, y, p, channel):
    """Return the words for events at a sensor's own addresses."""
    return (np.asarray(y, np.int64) << 22 | np.asarray(x, np.int64) << 12
            | np.asarray(p, np.int64) << 11 | channel)


SPECIAL = 1 << 10
HEADER = (b'#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n'
          b'# created Thu Jul 05 14:47:00 CEST 2018\r\n# \t<map MAP_XML_VERSION="1.0"/>\r\n')


def write_aedat2(path, words, stamps_us, header=HEADER) -> None:
    """Write words and times [us], (N,) each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pairs = np.stack([words, stamps_us], axis=1).astype('>u4')
    path.write_bytes(header + pairs.tobytes())


MAT_TEXT = b'MATLAB 5.0 MAT-file'.ljust(124)
MAT_HEADER = MAT_TEXT + b'\x00\x01IM'
BIG_MAT_HEADER = MAT_TEXT + b'\x01\x00MI'


def mat_element(kind: int, content: bytes, order: str = '<') -> bytes:
    """Return an element with its padding."""
    if len(content) <= 4 and kind != 14:
        return struct.pack(f'{order}I', len(content) << 16 | kind) + content.ljust(4, b'\0')
    return struct.pack(f'{order}II', kind, len(content)) + content + bytes(-len(content) % 8)


def mat_array(kind: int, shape, name: bytes, *parts: bytes, order: str = '<') -> bytes:
    """Return a matrix, structure or the like with what follows its name."""
    return mat_element(14, b''.join((
        mat_element(6, struct.pack(f'{order}II', kind, 0), order),
        mat_element(5, struct.pack(f'{order}{len(shape)}i', *shape), order),
        mat_element(1, name, order), *parts)), order)


def mat_structure(name: bytes, fields: dict[str, np.ndarray], order: str = '<') -> bytes:
    """Return a variable, a structure of matrices of doubles."""
    names = b''.join(field.encode().ljust(32, b'\0') for field in fields)
    matrices = [mat_array(6, values.shape, b'', mat_element(
        9, values.astype(f'{order}f8').tobytes('F'), order), order=order)
        for values in fields.values()]
    return mat_array(2, (1, 1), name, mat_element(5, struct.pack(f'{order}i', 32), order),
                     mat_element(1, names, order), *matrices, order=order)


def vicon_fields(poses: np.ndarray) -> dict[str, np.ndarray]:
    """Return the matrices of a file of joint positions for poses (N, 13, 3) [mm]."""
    return {joint: poses[:, index] for index, joint in enumerate(JOINTS)}


def write_vicon(path, poses: np.ndarray, *, compressed: bool = True) -> None:
    """Write a MATLAB file of version 5."""
    path.parent.mkdir(parents=True, exist_ok=True)
    variable = mat_structure(b'XYZPOS', vicon_fields(poses))
    if compressed:
        packed = zlib.compress(variable)
        variable = struct.pack('<II', 15, len(packed)) + packed
    path.write_bytes(MAT_HEADER + variable)


def write_raw_form(folder, name: tuple[int, int, int], words, stamps_us, poses) -> None:
    """Write both files of a recording of (subject, session, movement)."""
    subject, session, movement = name
    write_aedat2(folder / 'DVS_movies' / f'S{subject}' / f'session{session}'
                 / f'mov{movement}.aedat', words, stamps_us)
    write_vicon(folder / 'Vicon_data' / f'S{subject}_{session}_{movement}.mat', poses)
