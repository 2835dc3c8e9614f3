# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AEDAT4 files of inivation's DV software; frames, IMU and triggers in them are skipped.

The library trusts a file: it takes as much memory as the lengths in it say, and ends the process
where there is none, or where the list of streams is no UTF-8. So both are checked before it sees
them. On other damage it panics, which is an exception of its own kind, and prints to stderr.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aedat
import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.codecs import Decoded
from hybrid_pose_ros.events.event_array import EVENT_DTYPE, TRIGGER_DTYPE
from hybrid_pose_ros.recordings.recording import Recording, check_events, check_size

HEADER_AT = 14  # behind the magic: length of the header, header, packets


class Aedat4(Recording):
    """The events of a file that holds one stream of them."""

    encoding = 'aedat4'

    def __init__(self, path: Path):
        """Read the list of streams.

        Raises:
            RecordingError: no AEDAT4 file, or not exactly one stream of events.
        """
        self.path = path
        self._start, self._end = _span_of_packets(path)
        with self._library_errors('is no whole AEDAT4 file'):
            streams = [stream for stream in aedat.Decoder(path).id_to_stream().values()
                       if stream['type'] == 'events']
        if len(streams) != 1:
            raise RecordingError(f'{path} holds {len(streams)} event streams: expected one')
        self.width, self.height = streams[0]['width'], streams[0]['height']
        check_size(path, self.width, self.height)

    def pieces(self) -> Iterator[Decoded]:
        """Yield what each packet of the file holds."""
        with self._library_errors('is damaged or cut short'):
            packets = aedat.Decoder(self.path)
            for _, packet in zip(_whole_packets(self.path, self._start, self._end), packets):
                if 'events' in packet:
                    events = _events(packet['events'])
                    check_events(self.path, events, self.width, self.height)
                    yield Decoded(events, np.empty(0, TRIGGER_DTYPE))

    @contextmanager
    def _library_errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, OSError, LookupError, TypeError, ValueError) as error:
            if isinstance(error, RecordingError):
                raise
            raise RecordingError(f'{self.path} {what}: {error}') from error
        except BaseException as error:
            if type(error).__name__ != 'PanicException':  # which no module gives a name for
                raise
            raise RecordingError(f'{self.path} {what}: {error}') from error


def _span_of_packets(path: Path) -> tuple[int, int]:
    """Return where the first packet begins, and where the table behind the last one does."""
    size = path.stat().st_size
    with path.open('rb') as file:
        file.seek(HEADER_AT)
        header = file.read(4)
        start = HEADER_AT + 4 + int.from_bytes(header, 'little')
        if len(header) < 4 or start > size:
            raise RecordingError(f'{path} is no whole AEDAT4 file: its header ends at byte '
                                 f'{start}, the file at {size}')
        header = file.read(start - HEADER_AT - 4)
    try:  # a FlatBuffer: a table, and at a distance the list of its fields' places
        table, = struct.unpack_from('<I', header)
        distance, = struct.unpack_from('<i', header, table)
        list_bytes, _, _, end_at, text_at = struct.unpack_from('<5H', header, table - distance)
        end, = struct.unpack_from('<q', header, table + end_at)
        text, = struct.unpack_from('<I', header, table + text_at)
        text_bytes, = struct.unpack_from('<I', header, table + text_at + text)
        text += table + text_at + 4
        header[text:text + text_bytes].decode()
    except (struct.error, UnicodeDecodeError) as error:
        raise RecordingError(f'{path} is no whole AEDAT4 file: {error}') from error
    if list_bytes < 10 or not text_at or text + text_bytes > len(header):
        raise RecordingError(f'{path} is no whole AEDAT4 file: its header lists no streams')
    return start, end if end_at and end >= 0 else size


def _whole_packets(path: Path, start: int, end: int) -> Iterator[int]:
    """Yield the size of each packet, after a look whether it ends within the file."""
    size = path.stat().st_size
    with path.open('rb') as file:
        while start + 8 <= min(end, size):
            file.seek(start)
            _, length = struct.unpack('<iI', file.read(8))
            start += 8 + length
            if start > size:
                raise RecordingError(f'{path} is damaged or cut short: a packet ends at byte '
                                     f'{start}, the file at {size}')
            yield length


def _events(records: np.ndarray) -> np.ndarray:
    events = np.empty(len(records), EVENT_DTYPE)
    for field, name in (('t', 't'), ('x', 'x'), ('y', 'y'), ('p', 'on')):
        events[field] = records[name]
    return events
