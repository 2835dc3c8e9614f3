# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads joint positions from DHP19's MATLAB files: structure XYZPOS, (N, 3) [mm] per joint."""

from pathlib import Path

import numpy as np

from hybrid_pose_ros.datasets.matlab import read_structure
from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.hdf5_file import hdf5_file, is_hdf5, tables
from hybrid_pose_ros.tasks.skeleton import JOINTS

VARIABLE = 'XYZPOS'
KIND = 'MATLAB file of joint positions'


def read_vicon(path: Path) -> np.ndarray:
    """Return joints (N, 13, 3) [mm] at 100 Hz; NaN where Vicon lost a joint.

    MATLAB versions 4 to 7 and version 7.3 (HDF5) are supported.

    Raises:
        RecordingError: the file cannot be read, is damaged, or lacks a joint.
    """
    matrices = _version_7(path) if is_hdf5(path) else read_structure(path, VARIABLE)
    missing = [joint for joint in JOINTS if joint not in matrices]
    if missing:
        raise RecordingError(f'{path}: {VARIABLE} lacks {", ".join(missing)}: expected a matrix '
                             '(N, 3) for each of the 13 joints')
    number = len(matrices[JOINTS[0]])
    for joint in JOINTS:
        if matrices[joint].shape != (number, 3) or not number:
            raise RecordingError(f'{path}: {VARIABLE}.{joint} has the shape '
                                 f'{matrices[joint].shape}, expected ({number or "N"}, 3)')
    joints = np.stack([matrices[joint] for joint in JOINTS], axis=1)
    joints[~np.isfinite(joints)] = np.nan
    return joints


def _version_7(path: Path) -> dict[str, np.ndarray]:
    """Return the matrices; HDF5 stores their axes in reverse order."""
    with hdf5_file(path, KIND) as file:
        names = {f'{VARIABLE}/{joint}': 2 for joint in JOINTS}
        return {name.rpartition('/')[2]: table[()].astype(np.float64).T
                for name, table in tables(file, names, path, KIND).items()}
