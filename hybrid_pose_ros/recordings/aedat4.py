# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AEDAT4 files of iniVation's DV software; only packets of the selected event stream are decoded.

    file   = magic, length, header, packet, packet, ..., packet table
    packet = stream number, length, body, compressed; little endian except for the magic

Header and bodies are FlatBuffers: a table contains the offsets of its fields and is preceded by
the offset of its vtable. Frame, IMU, trigger and unknown streams are skipped, so damage in them
has no effect.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.codec import Decoded
from hybrid_pose_ros.events.event_array import EVENT_DTYPE, TRIGGER_DTYPE
from hybrid_pose_ros.recordings.compression import unpacked
from hybrid_pose_ros.recordings.faults import Faults
from hybrid_pose_ros.recordings.recording import Recording, check_events, check_size

HEADER_AT = 14  # after the magic
COMPRESSIONS = ('', 'lz4', 'lz4', 'zstd', 'zstd')  # 2 and 4: higher compression levels
RECORD = np.dtype({'names': ['t', 'x', 'y', 'on'], 'formats': ['<i8', '<i2', '<i2', '?'],
                   'offsets': [0, 8, 10, 12], 'itemsize': 16})
EVENTS = 'EVTS'
MOST_FIELDS = 3  # maximum number of table fields used


class Stream(NamedTuple):
    """One of the streams in the file header."""

    number: int
    type: str  # 'EVTS', 'FRME', ...
    name: str  # of the recorded output; '' if unknown
    width: int  # [px]; 0 if unknown
    height: int

    def __str__(self):
        return f'{self.number}' + (f' ({self.name})' if self.name else '')


class Header(NamedTuple):
    """Contents of the file header."""

    compression: str
    start: int  # of the first packet
    end: int  # of the last packet; -1 if the file was not closed
    streams: list[Stream]


class Aedat4(Recording):
    """The events of one stream of an AEDAT4 file."""

    encoding = 'aedat4'

    def __init__(self, path: Path, stream: str | None = None):
        """Read the list of streams.

        Args:
            path: path of the file.
            stream: number or name of the event stream, if the file has several.

        Raises:
            RecordingError: the file is not AEDAT4, has no such event stream, or has several
                matching ones.
        """
        self.path = path
        self._header = _header(path)
        self._stream = _chosen(path, self._header.streams, stream)
        self.width, self.height = self._stream.width, self._stream.height
        check_size(path, self.width, self.height)

    def pieces(self) -> Iterator[Decoded]:
        """Yield the events of each packet of the stream.

        Raises:
            RecordingError: packets are damaged or the file is truncated; raised after all readable
                packets.
        """
        faults = Faults()
        with faults.collected():
            for at, number, body in _packets(self.path, self._header):
                with faults.collected():
                    if number == self._stream.number:
                        yield Decoded(self._events(at, body), np.empty(0, TRIGGER_DTYPE))
                    elif all(stream.number != number for stream in self._header.streams):
                        raise RecordingError(f'{self.path} is damaged: the packet at byte {at} '
                                             f'is of stream {number}, which is not in the header')
        faults.raise_any()

    def _events(self, at: int, body: bytes) -> np.ndarray:
        try:
            records = _vector(unpacked(body, self._header.compression)[4:])
        except (struct.error, ValueError) as error:
            raise RecordingError(f'{self.path} is damaged: the packet at byte {at} contains no '
                                 f'valid events: {error}') from error
        events = np.empty(len(records), EVENT_DTYPE)
        for field, name in (('t', 't'), ('x', 'x'), ('y', 'y'), ('p', 'on')):
            events[field] = records[name]
        check_events(self.path, events, self.width, self.height)
        return events


def _header(path: Path) -> Header:
    with path.open('rb') as file:
        file.seek(HEADER_AT)
        length = file.read(4)
        start = HEADER_AT + 4 + int.from_bytes(length, 'little')
        if len(length) < 4 or start > path.stat().st_size:
            raise RecordingError(f'{path} is not a complete AEDAT4 file: its header ends at byte '
                                 f'{start}, the file at {path.stat().st_size}')
        buffer = file.read(start - HEADER_AT - 4)
    try:
        fields = _fields(buffer)
        compression, = struct.unpack_from('<i', buffer, fields[0]) if fields[0] else (0,)
        end, = struct.unpack_from('<q', buffer, fields[1]) if fields[1] else (-1,)
        text, = struct.unpack_from('<I', buffer, fields[2])
        size, = struct.unpack_from('<I', buffer, fields[2] + text)
        text += fields[2] + 4
        if not fields[2] or text + size > len(buffer):
            raise ValueError('it lists no streams')
        return Header(COMPRESSIONS[compression], start, end,
                      _streams(buffer[text:text + size].decode()))
    except (struct.error, ValueError, LookupError, ElementTree.ParseError) as error:
        raise RecordingError(f'{path} is not a complete AEDAT4 file: its header cannot be read: '
                             f'{error}') from error


def _streams(text: str) -> list[Stream]:
    """Return the streams listed in the header's XML."""
    if '<!' in text:  # nested entities can expand to gigabytes
        raise ValueError('its list of streams has XML declarations')
    streams = []
    for node in ElementTree.fromstring(text).findall('./node[@name="outInfo"]/node'):
        values, info = ({one.get('key'): one.text or '' for one in node.findall(place)}
                        for place in ('attr', './node[@name="info"]/attr'))
        size = [int(info.get(name, '0')) for name in ('sizeX', 'sizeY')]
        streams.append(Stream(int(node.get('name', '')), values.get('typeIdentifier', ''),
                              values.get('originalOutputName', ''), *size))
    return streams


def _chosen(path: Path, streams: list[Stream], wanted: str | None) -> Stream:
    found = [stream for stream in streams if stream.type == EVENTS]
    if not found:
        others = ', '.join(f'{stream} of type {stream.type}' for stream in streams)
        raise RecordingError(f'{path} has no event stream, only {others or "no stream at all"}')
    meant = [stream for stream in found if wanted in (None, str(stream.number), stream.name)]
    if len(meant) == 1:
        return meant[0]
    names = ', '.join(map(str, found))
    if wanted is None:
        raise RecordingError(f'{path} has several event streams, choose one by its number or '
                             f'name as the topic: {names}')
    raise RecordingError(f'{path} has {len(meant)} event streams {wanted}: it has {names}')


def _packets(path: Path, header: Header) -> Iterator[tuple[int, int, bytes]]:
    """Yield offset, stream and body of each complete packet."""
    size = path.stat().st_size
    last = size if header.end < 0 else min(header.end, size)
    at = header.start
    with path.open('rb') as file:
        while at + 8 <= last:
            file.seek(at)
            number, length = struct.unpack('<iI', file.read(8))
            if at + 8 + length > size:
                raise RecordingError(f'{path} is damaged or truncated: a packet ends at byte '
                                     f'{at + 8 + length}, the file at {size}')
            yield at, number, file.read(length)
            at += 8 + length


def _fields(buffer: bytes) -> list[int]:
    """Return the offsets of the first fields of a FlatBuffers table; 0 for absent fields."""
    table, = struct.unpack_from('<I', buffer)
    distance, = struct.unpack_from('<i', buffer, table)
    places = table - distance
    if places < 0:
        raise ValueError('its vtable is outside of the buffer')
    size, = struct.unpack_from('<H', buffer, places)
    fields = [struct.unpack_from('<H', buffer, places + 4 + 2 * index)[0]
              if size >= 6 + 2 * index else 0 for index in range(MOST_FIELDS)]
    return [field and table + field for field in fields]


def _vector(buffer: bytes) -> np.ndarray:
    """Return the events of a FlatBuffer whose first field is a vector of events."""
    if buffer[4:8] != EVENTS.encode():
        raise ValueError(f'its type is {buffer[4:8]!r}')
    place = _fields(buffer)[0]
    if not place:
        return np.empty(0, RECORD)
    place += struct.unpack_from('<I', buffer, place)[0]
    count, = struct.unpack_from('<I', buffer, place)
    if place + 4 + count * RECORD.itemsize > len(buffer):
        raise ValueError(f'{count} events do not fit in {len(buffer)} bytes')
    return np.frombuffer(buffer, RECORD, count, place + 4)
