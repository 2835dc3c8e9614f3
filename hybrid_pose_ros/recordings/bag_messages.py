# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of a rosbag2 bag as bytes: sqlite3 and MCAP, metadata of any version or none.

Messages are not deserialized: neither type definitions nor schemas are looked at, so bags of other
readers' despair (`ros2idl` schemas, no definitions, no storage id) are read like any other.
"""

import re
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import yaml
import zstandard
from mcap.reader import NonSeekingReader, make_reader
from mcap.records import Channel, Schema
from mcap.stream_reader import StreamReader

from hybrid_pose_ros.errors import RecordingError

SUFFIXES = ('.db3', '.mcap')
SQLITE, MCAP = b'SQLite format 3\0', b'\x89MCAP'
"""First bytes of a file of a bag."""

MAX_MESSAGE_BYTES = 1 << 30
"""What a compressed message may unpack to; rosbag2 knows no limit, but a few bytes can ask for
all the memory there is."""


class BagMessage(NamedTuple):
    """One recorded message."""

    topic: str
    type: str  # as in 'std_msgs/msg/String'
    log_time_ns: int  # when the recorder got it
    cdr: bytes  # the serialized message, encapsulation header included


def bag_messages(path: str | Path, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
    """Yield the messages of a bag folder, a .db3 or an .mcap file, by log time in each file.

    Args:
        path: folder or file.
        topics: only those; None for all.

    Raises:
        RecordingError: no bag, or one that is cut short; what is whole is yielded before.
    """
    files, message_compression = _bag(Path(path))
    for file, kind in files:
        for message in (_mcap_messages if kind == MCAP else _sqlite_messages)(file, topics):
            if message_compression:
                message = message._replace(cdr=_unpacked(file, message.cdr))
            yield message


def bag_topics(path: str | Path) -> dict[str, str]:
    """Return the type of each topic of a bag, by the topic's name.

    Raises:
        RecordingError: no bag.
    """
    topics = {}
    for file, kind in _bag(Path(path))[0]:
        topics.update((_mcap_topics if kind == MCAP else _sqlite_topics)(file))
    return topics


def _bag(path: Path) -> tuple[list[tuple[Path, bytes]], bool]:
    """Return the files of a bag in order, SQLITE or MCAP, and whether messages are compressed."""
    if not path.exists():
        raise RecordingError(f'{path} does not exist')
    if not path.is_dir():
        return [(path, _kind(path))], False
    metadata = path / 'metadata.yaml'
    names, compression = [], ''
    if metadata.exists():
        names, compression = _information(metadata)
    files = [path / name for name in names] or sorted(
        (file for file in path.iterdir() if file.suffix in SUFFIXES), key=_split_order)
    if not files:
        raise RecordingError(f'{path} is no bag: it holds neither .mcap nor .db3 files')
    return [(file, _kind(file)) for file in files], compression == 'message'


def _information(metadata: Path) -> tuple[list[str], str]:
    """Return the names of the files, none if there are none, and what is compressed."""
    try:
        information = yaml.safe_load(metadata.read_bytes())['rosbag2_bagfile_information']
        names = information.get('relative_file_paths') or []
        compression = information.get('compression_mode') or ''
        # Neither is made text of: a few lines of aliases can stand for gigabytes.
        if type(names) is not list or {type(text) for text in (*names, compression)} != {str}:
            raise TypeError('names of files and of the compression must be text')
        return [Path(name).name for name in names], compression.lower()
    except (yaml.YAMLError, OSError, LookupError, TypeError, ValueError, AttributeError,
            ArithmeticError, RecursionError) as error:  # the loader's own, for some texts
        raise RecordingError(f'{metadata} is no metadata of a bag: remove it to read the files '
                             'without it') from error


def _split_order(file: Path) -> tuple:
    """Order name_2 before name_10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r'(\d+)', file.name)]


def _kind(file: Path) -> bytes:
    """Return SQLITE or MCAP, by the first bytes of a file of a bag."""
    try:
        if not file.exists():
            raise RecordingError(f'{file} is missing, although metadata.yaml names it')
        with file.open('rb') as stream:
            start = stream.read(len(SQLITE))
    except OSError as error:
        raise RecordingError(f'{file} cannot be read: {error.strerror}') from error
    if file.suffix == '.zstd':
        raise RecordingError(f'{file} is compressed as a whole: unpack it with `zstd -d` and '
                             'correct its name in metadata.yaml')
    if not start:
        raise RecordingError(f'{file} is empty')
    for kind in (SQLITE, MCAP):
        if start.startswith(kind):
            return kind
    raise RecordingError(f'{file} is no file of a bag: expected sqlite3 or MCAP')


def _sqlite_messages(file: Path, topics: Collection[str] | None) -> Iterator[BagMessage]:
    query = ('SELECT topics.name, topics.type, messages.timestamp, messages.data '
             'FROM messages JOIN topics ON messages.topic_id = topics.id ')
    names = [] if topics is None else list(topics)
    if topics is not None:
        query += f'WHERE topics.name IN ({", ".join("?" * len(names))}) '
    for row in _rows(file, query + 'ORDER BY messages.timestamp, messages.id', names):
        yield BagMessage(*_typed(file, row, (str, str, int, bytes)))


def _sqlite_topics(file: Path) -> dict[str, str]:
    return dict(_typed(file, row, (str, str))
                for row in _rows(file, 'SELECT name, type FROM topics ORDER BY id'))


def _typed(file: Path, row: tuple, types: tuple[type, ...]) -> tuple:
    """Return a row whose values are of these types; sqlite3 stores any in any column."""
    if tuple(map(type, row)) != types:
        raise RecordingError(f'{file} is damaged: a row is {row!r:.200}')
    return row


def _rows(file: Path, query: str, values: Collection = ()) -> Iterator[tuple]:
    try:
        database = sqlite3.connect(f'{file.resolve().as_uri()}?mode=ro', uri=True)
        try:
            database.execute('PRAGMA trusted_schema = OFF')
            database.execute('PRAGMA cell_size_check = ON')
            yield from database.execute(query, values)
        finally:
            database.close()
    except (sqlite3.Error, UnicodeDecodeError, MemoryError) as error:
        raise RecordingError(f'{file} is damaged or no bag: {_reason(error)}') from error


def _mcap_messages(file: Path, topics: Collection[str] | None) -> Iterator[BagMessage]:
    with file.open('rb') as stream:
        try:
            reader = make_reader(stream)
            indexed = _has_summary(reader)
            if not indexed:  # the recorder was killed: read what is whole, in the file's order
                stream.seek(0)
                reader = NonSeekingReader(stream)
            for schema, channel, message in reader.iter_messages(topics, log_time_order=indexed):
                yield BagMessage(channel.topic, schema.name if schema else '', message.log_time,
                                 message.data)
        except Exception as error:  # of struct, zstandard, lz4 and mcap's own, with no common base
            raise _damaged(file, error) from error


def _mcap_topics(file: Path) -> dict[str, str]:
    with file.open('rb') as stream:
        try:
            reader = make_reader(stream)
            if _has_summary(reader):
                summary = reader.get_summary()
                return _types(summary.channels.values(), summary.schemas)
        except Exception as error:
            raise _damaged(file, error) from error
        stream.seek(0)
        channels, schemas = [], {}
        try:
            for record in StreamReader(stream).records:
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    channels.append(record)
        except Exception as error:
            if not channels:
                raise _damaged(file, error) from error
        return _types(channels, schemas)


def _types(channels, schemas: dict) -> dict[str, str]:
    return {channel.topic: schemas[channel.schema_id].name if channel.schema_id in schemas else ''
            for channel in channels}


def _has_summary(reader) -> bool:
    """Return whether a file can be read by its summary; writers need not repeat schemas there."""
    try:
        summary = reader.get_summary()
    except Exception:  # whatever the bytes at the end of a cut file look like
        return False
    return summary is not None and bool(summary.channels) and all(
        channel.schema_id in (0, *summary.schemas) for channel in summary.channels.values())


def _unpacked(file: Path, cdr: bytes) -> bytes:
    try:
        size = zstandard.frame_content_size(cdr)
        if size > MAX_MESSAGE_BYTES:
            raise RecordingError(f'{file} is damaged: a message of {size} bytes, expected at most '
                                 f'{MAX_MESSAGE_BYTES}')
        return zstandard.decompress(cdr)
    except (zstandard.ZstdError, MemoryError) as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> RecordingError:
    return RecordingError(f'{file} is damaged or cut short: {_reason(error)}')


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
