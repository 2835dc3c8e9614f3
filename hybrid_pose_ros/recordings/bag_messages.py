# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads serialized messages of a rosbag2 bag, sqlite3 or MCAP, with any metadata or none.

Messages are not deserialized, and no type definitions or schemas are needed. Bags of any origin
are therefore readable, including those with `ros2idl` schemas, without definitions or without a
storage id.

A damaged, empty or missing file does not affect the others: all readable messages are yielded in
order, then one RecordingError reports the unreadable parts.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.compression import ZSTD, unpacked
from hybrid_pose_ros.recordings.faults import Faults
from hybrid_pose_ros.recordings.mcap_file import mcap_messages, mcap_topics
from hybrid_pose_ros.recordings.sqlite_file import sqlite_messages, sqlite_topics

SUFFIXES = ('.db3', '.mcap', '.db3.zstd', '.mcap.zstd')
SQLITE, MCAP = b'SQLite format 3\0', b'\x89MCAP'
"""First bytes of the files of a bag."""

READERS = {SQLITE: (sqlite_messages, sqlite_topics), MCAP: (mcap_messages, mcap_topics)}

REMEDIES = {ZSTD: 'is compressed as a file: unpack it with `zstd -d`',
            b'#ROSBAG': 'is a ROS 1 bag: convert it with `rosbags-convert --src BAG --dst FOLDER`'}
"""Remedies for files of other formats, keyed by their first bytes."""


class BagMessage(NamedTuple):
    """One recorded message."""

    topic: str
    type: str  # such as 'std_msgs/msg/String'; '' if the bag has no type
    log_time_ns: int  # when the recorder received it
    cdr: bytes  # the serialized message, encapsulation header included


def bag_messages(path: str | Path, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
    """Yield the messages of a bag folder, a .db3 or an .mcap file, by log time in each file.

    Args:
        path: folder or file.
        topics: topics to read; None for all.

    Raises:
        RecordingError: the path is not a bag, or parts of the bag are damaged or missing; raised
            after all readable messages.
    """
    files, compressed = _bag(Path(path))
    faults = Faults()
    for file in files:
        with faults.collected():
            for message in READERS[_kind(file)][0](file, topics, faults):
                yield from _unpacked(file, BagMessage(*message), compressed, faults)
    faults.raise_any()


def bag_topics(path: str | Path) -> dict[str, str]:
    """Return the message type of each topic in a bag.

    Raises:
        RecordingError: the path is not a bag, or no topics were found and some files cannot be
            read.
    """
    topics: dict[str, str] = {}
    faults = Faults()
    for file in _bag(Path(path))[0]:
        with faults.collected():
            topics.update(READERS[_kind(file)][1](file))
    if not topics:
        faults.raise_any()
    return topics


def _bag(path: Path) -> tuple[list[Path], bool]:
    """Return the files of a bag in order, and whether messages are compressed individually."""
    if not path.exists():
        raise RecordingError(f'{path} does not exist')
    if not path.is_dir():
        return [path], False
    metadata = path / 'metadata.yaml'
    names, compressed = _information(metadata) if metadata.exists() else ([], False)
    files = [_unpacked_file(path / name) for name in names] or sorted(
        (file for file in path.iterdir() if file.name.endswith(SUFFIXES)), key=_split_order)
    if not files:
        raise RecordingError(f'{path} is not a bag: it contains neither .mcap nor .db3 files')
    return files, compressed


def _unpacked_file(file: Path) -> Path:
    """Return the path of a file named in the metadata, or of its uncompressed copy."""
    plain = file.with_suffix('')
    return plain if file.suffix == '.zstd' and not file.exists() and plain.exists() else file


def _information(metadata: Path) -> tuple[list[str], bool]:
    """Return the names of the files, if listed, and whether messages are compressed."""
    try:
        information = yaml.safe_load(metadata.read_bytes())['rosbag2_bagfile_information']
        names = information.get('relative_file_paths') or []
        mode, kind = (information.get(f'compression_{name}') or '' for name in ('mode', 'format'))
        # Do not convert values to text: a few lines of aliases can expand to gigabytes.
        if type(names) is not list or {type(text) for text in (*names, mode, kind)} != {str}:
            raise TypeError('file names and the compression must be text')
        compressed = mode.lower() == 'message'
    except (yaml.YAMLError, OSError, LookupError, TypeError, ValueError, AttributeError,
            ArithmeticError, RecursionError) as error:  # raised by the loader for some texts
        raise RecordingError(f'{metadata} is not valid bag metadata: remove it to read the '
                             'files without it') from error
    if compressed and kind not in ('', 'zstd'):
        raise RecordingError(f'{metadata}: messages are compressed with {kind:.40}, expected zstd '
                             'or none: convert the bag with `ros2 bag convert`')
    return [Path(name).name for name in names], compressed


def _split_order(file: Path) -> list[int | str]:
    """Return a sort key that orders name_2 before name_10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r'(\d+)', file.name)]


def _kind(file: Path) -> bytes:
    """Return SQLITE or MCAP from the first bytes of a bag file."""
    try:
        with file.open('rb') as stream:
            start = stream.read(len(SQLITE))
    except FileNotFoundError as error:
        raise RecordingError(f'{file} is missing, although metadata.yaml lists it') from error
    except OSError as error:
        raise RecordingError(f'{file} cannot be read: {error.strerror}') from error
    if not start:
        raise RecordingError(f'{file} is empty')
    for kind in READERS:
        if start.startswith(kind):
            return kind
    raise RecordingError(f'{file} {remedy(start)}')


def remedy(start: bytes) -> str:
    """Describe a file that is not part of a bag, given its first bytes, with the remedy."""
    return next((text for magic, text in REMEDIES.items() if start.startswith(magic)),
                'is not a bag file: expected sqlite3 or MCAP')


def _unpacked(file: Path, message: BagMessage, compressed: bool, faults: Faults
              ) -> Iterator[BagMessage]:
    """Yield the message with uncompressed bytes; yield nothing if it is damaged.

    Without metadata, compressed messages are detected by their first byte: CDR starts with zero.
    """
    if not compressed and not message.cdr.startswith(ZSTD):
        yield message
        return
    try:
        cdr = unpacked(message.cdr, 'zstd')
    except RecordingError as error:
        faults.add(f'{file} is damaged: a message of {message.topic}: {error}')
        return
    yield message._replace(cdr=cdr)
