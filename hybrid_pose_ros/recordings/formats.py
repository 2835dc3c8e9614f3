# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Opens a recording of any supported format."""

from pathlib import Path

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.aedat4 import Aedat4
from hybrid_pose_ros.recordings.bag_messages import MCAP, REMEDIES, SQLITE, remedy
from hybrid_pose_ros.recordings.event_bag import EventBag
from hybrid_pose_ros.recordings.prophesee_raw import PropheseeRaw
from hybrid_pose_ros.recordings.recording import Recording

HDF5, AEDAT4, OLD_AEDAT, RAW = b'\x89HDF', b'#!AER-DAT4', b'#!AER-DAT', b'% '
"""First bytes of files of each format."""


def open_recording(path: str | Path, topic: str | None = None) -> Recording:
    """Open a bag (folder, .db3, .mcap), a Prophesee .raw, an AEDAT4 or an HDF5 recording.

    The format is detected from the first bytes, not from the file name.

    Args:
        path: file or bag folder.
        topic: topic of the event packets, if a bag has several; number or name of the event
            stream, if an AEDAT4 file has several.

    Raises:
        RecordingError: the file is missing or empty, or its format is unknown.
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
    # Load the HDF5 library only if needed.
    if start.startswith(HDF5):
        from hybrid_pose_ros.recordings.hdf5 import Hdf5Recording
        return Hdf5Recording(path)
    if start.startswith(OLD_AEDAT):
        version = start[9:12].decode('latin-1')
        raise RecordingError(f'{path} is AEDAT {version}, expected AEDAT4: convert files of DHP19 '
                             'with `hybrid-pose convert dhp19`; let v2e write AEDAT4')
    if start.startswith(tuple(REMEDIES)):
        raise RecordingError(f'{path} {remedy(start)}')
    raise RecordingError(f'{path} has an unknown format: expected a bag (folder, .db3, .mcap), '
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
