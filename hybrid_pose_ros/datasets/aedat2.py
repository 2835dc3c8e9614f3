# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AEDAT 2.0 files of several DAVIS cameras on one clock, as recorded by jAER for DHP19.

Header lines, which start with #, are followed by pairs of big-endian words: address and time [us].

    address  31 frame or IMU   30-22 y   21-12 x   11 ON   10 special event   3-0 channel

Frames and IMU samples are skipped. The 32-bit clock, which wraps every 71.6 minutes, is unwrapped
by assigning each word the time closest to that of the previous word.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import RecordingError

MAGIC = b'#!AER-DAT2'
FRAME_OR_IMU, SPECIAL, ON, CHANNEL = 1 << 31, 1 << 10, 1 << 11, 0xF
Y_SHIFT, Y_MASK = 22, 0x1FF
X_SHIFT, X_MASK = 12, 0x3FF
LONGEST_LINE = 1 << 16


class AddressEvents(NamedTuple):
    """The N events and M special events of a file."""

    t: np.ndarray  # (N,) int64 [us], unwrapped clock of the file
    x: np.ndarray  # (N,) int64, sensor address
    y: np.ndarray  # (N,) int64, sensor address
    p: np.ndarray  # (N,) int64, 1 = ON
    channel: np.ndarray  # (N,) int64
    specials_us: np.ndarray  # (M,) int64, times of external signals

    def chosen(self, which: slice | np.ndarray) -> 'AddressEvents':
        """Return a selection of the events (slice, indices or mask) and all special events."""
        return self._replace(t=self.t[which], x=self.x[which], y=self.y[which], p=self.p[which],
                             channel=self.channel[which])


def read_aedat2(path: Path) -> AddressEvents:
    """Read a file.

    Raises:
        RecordingError: the file cannot be read, is not AEDAT 2.0, or ends within an event.
    """
    try:
        with path.open('rb') as file:
            start = _header_bytes(path, file)
        size = path.stat().st_size
    except OSError as error:
        raise RecordingError(f'{path} cannot be read: {error.strerror}') from error
    if (size - start) % 8:
        raise RecordingError(f'{path} ends within an event, {(size - start) % 8} bytes after '
                             f'event {(size - start) // 8}: the file is truncated; copy it again')
    words = np.fromfile(path, '>u4', (size - start) // 4, offset=start).reshape(-1, 2)
    address = words[:, 0].astype(np.int64)
    stamps_us = _unwrapped(words[:, 1])
    camera = address & FRAME_OR_IMU == 0
    special = address & SPECIAL != 0
    events = camera & ~special
    address = address[events]
    return AddressEvents(
        stamps_us[events], address >> X_SHIFT & X_MASK, address >> Y_SHIFT & Y_MASK,
        (address & ON != 0).astype(np.int64), address & CHANNEL, stamps_us[camera & special])


def _unwrapped(stamps_us: np.ndarray) -> np.ndarray:
    """Unwrap the times of words (N,) uint32 to int64; any number of wraps is supported."""
    if not len(stamps_us):
        return np.empty(0, np.int64)
    steps_us = np.diff(stamps_us.astype(np.uint32)).view(np.int32)
    return np.cumsum(np.concatenate([stamps_us[:1], steps_us]), dtype=np.int64)


def _header_bytes(path: Path, file) -> int:
    """Return the offset of the events.

    The first byte of an event may also be #, but the time that follows is not text.
    """
    if not file.readline(LONGEST_LINE).startswith(MAGIC):
        raise RecordingError(f'{path} is not an AEDAT 2.0 file: expected it to start with '
                             f'{MAGIC.decode()}')
    start = file.tell()
    while (line := file.readline(LONGEST_LINE)).startswith(b'#') and line.endswith(b'\n'):
        if min(line.rstrip(b'\r\n').replace(b'\t', b' ')) < ord(' '):
            break
        start = file.tell()
    return start
