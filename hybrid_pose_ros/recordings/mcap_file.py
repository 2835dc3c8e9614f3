# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the messages of one MCAP file, even if it is damaged.

    file  = magic, record ..., chunk, chunk, ..., summary, magic     record = opcode, length, body
    chunk = record, record, ..., compressed, with a checksum

Chunks are located with the index in the summary. Without an index, as after a recorder was killed,
the file is read sequentially. Damaged chunks are skipped.
"""

import heapq
import os
import struct
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.reader import SeekingReader
from mcap.records import Channel, Chunk, ChunkIndex, Message, Schema
from mcap.summary import Summary

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.compression import unpacked
from hybrid_pose_ros.recordings.faults import Faults

MAGIC_BYTES = 8
HEAD = struct.Struct('<BQ')  # opcode, length
USED = (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE, Opcode.CHUNK)
LATEST_NS = (1 << 63) - 1


class McapMessage(NamedTuple):
    """One message, with the fields of `bag_messages.BagMessage`."""

    topic: str
    type: str
    log_time_ns: int
    cdr: bytes


class _Record(NamedTuple):
    at: int  # offset in the file or in its chunk
    opcode: int
    body: bytes  # of records in USED


def mcap_messages(file: Path, topics: Collection[str] | None, faults: Faults
                  ) -> Iterator[McapMessage]:
    """Yield the messages of some topics or all (None), in log order if there is an index.

    Damaged parts are added to `faults`.
    """
    with file.open('rb') as stream:
        reader = _Reader(file, stream, faults)
        for message in reader.messages(topics):
            topic, kind = reader.channels[message.channel_id]
            if message.log_time > LATEST_NS:
                faults.add(f'{file} is damaged: a message has the log time {message.log_time} ns')
            else:
                yield McapMessage(topic, kind, message.log_time, message.data)


def mcap_topics(file: Path) -> dict[str, str]:
    """Return the message type of each topic.

    Raises:
        RecordingError: the file is damaged before its first topic.
    """
    faults = Faults()
    with file.open('rb') as stream:
        reader = _Reader(file, stream, faults)
        if not reader.channels:
            for _ in reader.messages(()):
                pass
    if not reader.channels:
        faults.raise_any()
    return dict(reader.channels.values())


class _Reader:
    """The channels and messages of an open file."""

    def __init__(self, file: Path, stream: BinaryIO, faults: Faults):
        self.channels: dict[int, tuple[str, str]] = {}  # topic and type, by number
        self._types: dict[int, str] = {}  # of schemas, by number
        self._file, self._stream, self._faults = file, stream, faults
        self._size = os.fstat(stream.fileno()).st_size
        self._chunks: dict[int, ChunkIndex] = {}  # by offset in the file
        summary = _summary(stream, self._size)
        if summary is not None:
            self._chunks = {index.chunk_start_offset: index for index in summary.chunk_indexes}
            self._types = {schema.id: schema.name for schema in summary.schemas.values()}
            for channel in summary.channels.values():
                self._add(channel)

    def messages(self, topics: Collection[str] | None) -> Iterator[Message]:
        """Yield the messages of the topics; their channels are registered beforehand."""
        for message in self._indexed(topics) if self._chunks else self._in_file_order():
            if topics is None or self.channels[message.channel_id][0] in topics:
                yield message

    def _indexed(self, topics: Collection[str] | None) -> Iterator[Message]:
        heap: list[tuple] = [(index.message_start_time, at, -1, None)
                             for at, index in self._chunks.items() if self._holds(index, topics)]
        heapq.heapify(heap)
        while heap:
            _, at, _, message = heapq.heappop(heap)
            if message is not None:
                yield message
                continue
            with self._damage(at):
                self._stream.seek(at)
                record = next(_records(self._stream, self._size), None)
                if record is None or record.opcode != Opcode.CHUNK:
                    raise RecordingError('there is no chunk')
                for number, message in enumerate(self._messages_of(record)):
                    heapq.heappush(heap, (message.log_time, at, number, message))

    def _holds(self, index: ChunkIndex, topics: Collection[str] | None) -> bool:
        """Return whether a chunk may contain messages of the topics."""
        numbers = index.message_index_offsets
        return topics is None or not numbers or any(
            self.channels.get(number, ('',))[0] in topics for number in numbers)

    def _in_file_order(self) -> Iterator[Message]:
        self._stream.seek(MAGIC_BYTES)
        records = _records(self._stream, self._size)
        while True:
            at = self._stream.tell()
            record = None
            with self._damage(at):
                record = next(records, None)
                if record is None:
                    raise RecordingError('its end is missing')
            if record is None or record.opcode == Opcode.FOOTER:
                return
            with self._damage(at):
                yield from self._messages_of(record)

    def _messages_of(self, record: _Record) -> Iterator[Message]:
        """Yield the messages in a record; store channels and schemas."""
        stream = ReadDataStream(BytesIO(record.body))
        match record.opcode:
            case Opcode.CHUNK:
                data = _chunk_data(Chunk.read(stream))
                for inner in _records(BytesIO(data), len(data)):
                    yield from self._messages_of(inner)
            case Opcode.SCHEMA:
                schema = Schema.read(stream)
                self._types[schema.id] = schema.name
            case Opcode.CHANNEL:
                self._add(Channel.read(stream))
            case Opcode.MESSAGE:
                message = Message.read(stream, len(record.body))
                if message.channel_id not in self.channels:
                    raise RecordingError('a message refers to the unknown channel '
                                         f'{message.channel_id}')
                yield message

    def _add(self, channel: Channel) -> None:
        kind = self._types.get(channel.schema_id, '')
        if channel.message_encoding not in ('', 'cdr'):
            kind = f'{kind} serialized as {channel.message_encoding}'
        self.channels[channel.id] = channel.topic, kind

    @contextmanager
    def _damage(self, at: int) -> Iterator[None]:
        """Record any exception as a fault at an offset in the file."""
        try:
            yield
        except Exception as error:  # errors of struct and mcap have no common base class
            self._faults.add(f'{self._file} is damaged or truncated at byte {at}: '
                             f'{str(error) or type(error).__name__}')


def _records(stream: BinaryIO, end: int) -> Iterator[_Record]:
    """Yield the records from the stream's position to `end`."""
    while (at := stream.tell()) < end:
        head = stream.read(HEAD.size)
        opcode, length = HEAD.unpack(head) if len(head) == HEAD.size else (0, end)
        if length > end - at - HEAD.size:
            raise RecordingError('a record is incomplete')
        if opcode in USED:
            yield _Record(at, opcode, stream.read(length))
        else:
            stream.seek(length, os.SEEK_CUR)
            yield _Record(at, opcode, b'')


def _chunk_data(chunk: Chunk) -> bytes:
    """Return the uncompressed records of a chunk."""
    data = unpacked(chunk.data, chunk.compression)
    if chunk.uncompressed_crc and chunk.uncompressed_crc != zlib.crc32(data):
        raise RecordingError(f'a chunk of {len(data)} bytes has a wrong checksum')
    return data


def _summary(stream: BinaryIO, size: int) -> Summary | None:
    """Return the summary; None if it is missing or lacks the type of a channel."""
    try:
        summary = SeekingReader(stream, record_size_limit=size).get_summary()
    except Exception:  # a damaged end of file can cause any exception
        return None
    complete = summary is not None and summary.channels and all(
        channel.schema_id in (0, *summary.schemas) for channel in summary.channels.values())
    return summary if complete else None
