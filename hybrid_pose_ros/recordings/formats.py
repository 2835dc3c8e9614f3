# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Any recording by its path."""

from pathlib import Path

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.recording import Recording

SQLITE, MCAP, HDF5 = b'SQLite format 3\0', b'\x89MCAP', b'\x89HDF\r\n\x1a\n'
AEDAT4, RAW = b'#!AER-DAT4', b'% '


def open_recording(path: str | Path, topic: str | None = None) -> Recording:
    """Open a bag (folder, .db3, .mcap), a Prophesee .raw, an AEDAT4 or one of our HDF5 files.

    Files are told by their first bytes, not by their names.

    Args:
        path: file or bag folder.
        topic: of the event packets, where a bag has several.

    Raises:
        RecordingError: there is no such file, it is empty, or of no format that is known.
    """
    path = Path(path)
    if not path.exists():
        raise RecordingError(f'{path} does not exist')
    if path.is_dir():
        magic = SQLITE
    else:
        with path.open('rb') as file:
            magic = file.read(16)
    if not magic:
        raise RecordingError(f'{path} is empty')
    if magic.startswith((SQLITE, MCAP)):
        from hybrid_pose_ros.recordings.event_bag import EventBag
        return EventBag(path, topic)
    if topic is not None:
        raise RecordingError(f'{path} is no bag: it has no topic {topic}')
    if magic.startswith(HDF5):
        from hybrid_pose_ros.recordings.hdf5 import Hdf5Recording
        return Hdf5Recording(path)
    if magic.startswith(AEDAT4):
        from hybrid_pose_ros.recordings.aedat4 import Aedat4
        return Aedat4(path)
    if magic.startswith(RAW):
        from hybrid_pose_ros.recordings.prophesee_raw import PropheseeRaw
        return PropheseeRaw(path)
    raise RecordingError(f'{path} is of no known format: expected a bag (folder, .db3, .mcap), '
                         'Prophesee .raw, AEDAT4 or HDF5')
