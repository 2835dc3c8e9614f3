# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Any recording by its path."""

from pathlib import Path

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.aedat4 import Aedat4
from hybrid_pose_ros.recordings.bag_messages import MCAP, REMEDIES, SQLITE, remedy
from hybrid_pose_ros.recordings.event_bag import EventBag
from hybrid_pose_ros.recordings.prophesee_raw import PropheseeRaw
from hybrid_pose_ros.recordings.recording import Recording

HDF5, AEDAT4, OLD_AEDAT, RAW = b'\x89HDF', b'#!AER-DAT4', b'#!AER-DAT', b'% '
"""First bytes of a file."""


def open_recording(path: str | Path, topic: str | None = None) -> Recording:
    """Open a bag (folder, .db3, .mcap), a Prophesee .raw, an AEDAT4 or one of our HDF5 files.

    Files are told by their first bytes, not by their names.

    Args:
        path: file or bag folder.
        topic: of the event packets, where a bag has several; number or name of the stream, where
            an AEDAT4 file does.

    Raises:
        RecordingError: there is no such file, it is empty, or of no format that is known.
    """
    path = Path(path)
    start = b'' if path.is_dir() else _start(path)
    if path.is_dir() or start.startswith((SQLITE, MCAP)):
        return EventBag(path, topic)
    if start.startswith(AEDAT4):
        return Aedat4(path, topic)
    if topic is not None:
        raise RecordingError(f'{path} has no topics, expected a bag or AEDAT4 for {topic}')
    if start.startswith(RAW):
        return PropheseeRaw(path)
    # HDF5's library is loaded only where it is needed.
    if start.startswith(HDF5):
        from hybrid_pose_ros.recordings.hdf5 import Hdf5Recording
        return Hdf5Recording(path)
    if start.startswith(OLD_AEDAT):
        version = start[9:12].decode('latin-1')
        raise RecordingError(f'{path} is AEDAT {version}, expected AEDAT4: files of DHP19 become '
                             'recordings by `hybrid-pose convert dhp19`; let v2e write AEDAT4')
    if start.startswith(tuple(REMEDIES)):
        raise RecordingError(f'{path} {remedy(start)}')
    raise RecordingError(f'{path} is of no known format: expected a bag (folder, .db3, .mcap), '
                         'Prophesee .raw, AEDAT4 or HDF5')


def _start(path: Path) -> bytes:
    try:
        with path.open('rb') as file:
            start = file.read(16)
    except FileNotFoundError as error:
        raise RecordingError(f'{path} does not exist') from error
    except OSError as error:
        raise RecordingError(f'{path} cannot be read: {error.strerror}') from error
    if not start:
        raise RecordingError(f'{path} is empty')
    return start
