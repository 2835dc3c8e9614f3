# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exceptions for user errors, as opposed to bugs; commands and nodes print them in one line."""

import errno
import os

PACKAGES = {'cv2': 'opencv-python-headless', 'h5py': 'h5py', 'lz4': 'lz4',
            'matplotlib': 'matplotlib', 'mcap': 'mcap', 'numba': 'numba', 'numpy': 'numpy',
            'PIL': 'pillow', 'psutil': 'psutil', 'rich': 'rich', 'rosbags': 'rosbags',
            'safetensors': 'safetensors', 'torch': 'torch', 'yaml': 'pyyaml',
            'zstandard': 'zstandard'}
"""Names of the pip packages, by module."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers that indicate a full disk."""

MAKE_ROOM = 'make room and run the same command again'


class InputError(ValueError):
    """An input is invalid; the message states what was expected."""


class PacketError(InputError):
    """An event packet cannot be decoded; it is dropped and counted, and the stream continues."""


class RecordingError(InputError):
    """A recording file or bag cannot be read or written."""


class CheckpointError(InputError):
    """Weights do not match the preset that loads them."""


class TransportError(InputError):
    """State tensors in shared memory are unusable: removed, overwritten, foreign or forged."""


def explanation(error: BaseException) -> str | None:
    """Return a message that explains an error and its remedy; None for a bug."""
    text = None
    if isinstance(error, InputError):
        text = str(error)
    elif isinstance(error, ModuleNotFoundError):
        module = (error.name or '').partition('.')[0]
        if module in PACKAGES:
            text = (f'this needs the Python module {module}, which is not installed: '
                    f'pip install {PACKAGES[module]}')
    elif isinstance(error, MemoryError):
        text = f'there is not enough memory ({error or "of this process"}): process less at once'
    elif isinstance(error, OSError) and error.errno is not None:
        remedy = (MAKE_ROOM if error.errno in FULL else
                  'expected a file or folder that this user can read or write')
        text = f'{error.filename or "the system says"}: {os.strerror(error.errno)}: {remedy}'
    return text and ' '.join(text.split())
