# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AEDAT4 files of inivation's DV software; only packets of the chosen event stream are decoded.

    file   = magic, length, header, packet, packet, ..., table of packets
    packet = number of its stream, length, body, compressed; all but the magic little endian

Header and bodies are FlatBuffers: a table holds the distances to its fields, in front of it is the
distance to the list of their places. Streams of frames, IMU and triggers, of types that are not
known here, and what is damaged in them have no effect.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.codecs import Decoded
from hybrid_pose_ros.events.event_array import EVENT_DTYPE, TRIGGER_DTYPE
from hybrid_pose_ros.recordings.compression import unpacked
from hybrid_pose_ros.recordings.faults import Faults
from hybrid_pose_ros.recordings.recording import Recording, check_events, check_size

HEADER_AT = 14  # behind the magic
COMPRESSIONS = ('', 'lz4', 'lz4', 'zstd', 'zstd')  # 2 and 4: with more effort
RECORD = np.dtype({'names': ['t', 'x', 'y', 'on'], 'formats': ['<i8', '<i2', '<i2', '?'],
                   'offsets': [0, 8, 10, 12], 'itemsize': 16})
EVENTS = 'EVTS'
MOST_FIELDS = 3  # of a table that are used


class Stream(NamedTuple):
    """One of the file's streams, as its header describes it."""

    number: int
    type: str  # 'EVTS', 'FRME', ...
    name: str  # of the output that was recorded; '' if it is not known
    width: int  # [px]; 0 if it is not known
    height: int

    def __str__(self):
        return f'{self.number}' + (f' ({self.name})' if self.name else '')


class Header(NamedTuple):
    """What the file says about itself."""

    compression: str
    start: int  # of the first packet
    end: int  # of the last one; -1 where the file was not closed
    streams: list[Stream]


class Aedat4(Recording):
    """The events of one stream of a file."""

    encoding = 'aedat4'

    def __init__(self, path: Path, stream: str | None = None):
        """Read the list of streams.

        Args:
            path: of the file.
            stream: number or name of the event stream, where the file has several.

        Raises:
            RecordingError: not an AEDAT4 file, or not exactly one of its event streams is meant.
        """
        self.path = path
        self._header = _header(path)
        self._stream = _chosen(path, self._header.streams, stream)
        self.width, self.height = self._stream.width, self._stream.height
        check_size(path, self.width, self.height)

    def pieces(self) -> Iterator[Decoded]:
        """Yield what each packet of the stream holds.

        Raises:
            RecordingError: packets are damaged or the file is cut short; the others are yielded
                before.
        """
        faults = Faults()
        with faults.collected():
            for at, number, body in _packets(self.path, self._header):
                with faults.collected():
                    if number == self._stream.number:
                        yield Decoded(self._events(at, body), np.empty(0, TRIGGER_DTYPE))
                    elif all(stream.number != number for stream in self._header.streams):
                        raise RecordingError(f'{self.path} is damaged: the packet at byte {at} is '
                                             f'of stream {number}, which its header lacks')
        faults.raise_any()

    def _events(self, at: int, body: bytes) -> np.ndarray:
        try:
            records = _vector(unpacked(body, self._header.compression)[4:])
        except (struct.error, ValueError) as error:
            raise RecordingError(f'{self.path} is damaged: the packet at byte {at} does not hold '
                                 f'events: {error}') from error
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
            raise RecordingError(f'{path} is not a whole AEDAT4 file: its header ends at byte '
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
        raise RecordingError(f'{path} is not a whole AEDAT4 file: its header cannot be read: '
                             f'{error}') from error


def _streams(text: str) -> list[Stream]:
    """Return the streams that the header's XML lists."""
    if '<!' in text:  # entities of entities can stand for gigabytes
        raise ValueError('a list of streams with declarations')
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
        raise RecordingError(f'{path} holds no event stream, but {others or "no stream at all"}')
    meant = [stream for stream in found if wanted in (None, str(stream.number), stream.name)]
    if len(meant) == 1:
        return meant[0]
    names = ', '.join(map(str, found))
    if wanted is None:
        raise RecordingError(f'{path} holds several event streams, choose one by its number or '
                             f'name as the topic: {names}')
    raise RecordingError(f'{path} has {len(meant)} event streams {wanted}: it has {names}')


def _packets(path: Path, header: Header) -> Iterator[tuple[int, int, bytes]]:
    """Yield the place in the file, the stream and the body of each packet that ends in it."""
    size = path.stat().st_size
    last = size if header.end < 0 else min(header.end, size)
    at = header.start
    with path.open('rb') as file:
        while at + 8 <= last:
            file.seek(at)
            number, length = struct.unpack('<iI', file.read(8))
            if at + 8 + length > size:
                raise RecordingError(f'{path} is damaged or cut short: a packet ends at byte '
                                     f'{at + 8 + length}, the file at {size}')
            yield at, number, file.read(length)
            at += 8 + length


def _fields(buffer: bytes) -> list[int]:
    """Return the places of the first fields of a FlatBuffer's table, 0 for none."""
    table, = struct.unpack_from('<I', buffer)
    distance, = struct.unpack_from('<i', buffer, table)
    places = table - distance
    if places < 0:
        raise ValueError('its list of fields is not in it')
    size, = struct.unpack_from('<H', buffer, places)
    fields = [struct.unpack_from('<H', buffer, places + 4 + 2 * index)[0]
              if size >= 6 + 2 * index else 0 for index in range(MOST_FIELDS)]
    return [field and table + field for field in fields]


def _vector(buffer: bytes) -> np.ndarray:
    """Return the events of a FlatBuffer whose first field is a list of them."""
    if buffer[4:8] != EVENTS.encode():
        raise ValueError(f'its type is {buffer[4:8]!r}')
    place = _fields(buffer)[0]
    if not place:
        return np.empty(0, RECORD)
    place += struct.unpack_from('<I', buffer, place)[0]
    count, = struct.unpack_from('<I', buffer, place)
    if place + 4 + count * RECORD.itemsize > len(buffer):
        raise ValueError(f'{count} events do not fit into {len(buffer)} bytes')
    return np.frombuffer(buffer, RECORD, count, place + 4)
