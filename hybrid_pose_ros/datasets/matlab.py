# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a structure of matrices from a MATLAB file of version 4 to 7, with scipy.

scipy's reader can crash on a damaged file, so it runs in a child process.
"""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from hybrid_pose_ros.errors import RecordingError

CHILD = Path(__file__).with_name('matlab_child.py')
PATIENCE_S = 300.0
"""Timeout after which the child is killed; reading a file takes less than a second."""


def read_structure(path: Path, name: str) -> dict[str, np.ndarray]:
    """Return the matrices of variable `name`, a structure with one element, as float64.

    Raises:
        RecordingError: the file cannot be read, is damaged, or has no such variable.
    """
    try:
        with path.open('rb'):
            pass
    except OSError as error:
        raise RecordingError(f'{path} cannot be read: {error.strerror}') from error
    command = [sys.executable, str(CHILD), str(path), name]
    try:
        child = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                               env=os.environ | {'OPENBLAS_NUM_THREADS': '1'},
                               timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise RecordingError(f'{path} is damaged: not read within {PATIENCE_S:g} s') from None
    if child.returncode < 0:
        raise RecordingError(f'{path} is damaged: the reader of MATLAB files ended with '
                             f'{signal.Signals(-child.returncode).name}')
    if child.returncode:
        *_, words = child.stderr.decode(errors='replace').strip().splitlines() or ['is damaged']
        raise RecordingError(f'{path} {words}')
    with np.load(io.BytesIO(child.stdout)) as arrays:
        names, *matrices = arrays.values()
    return dict(zip(names.tolist(), matrices))
