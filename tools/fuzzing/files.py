# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets: every kind of recording, and what lies around the files of a bag."""

import sqlite3
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import zstandard
from aedat4_files import aedat4
from bag_files import EVENT_PACKET, TOPIC, a_packet, packet_messages, write_mcap, write_sqlite
from mcap.writer import CompressionType

from fuzzing.campaign import Target, Wrong, place_of
from fuzzing.mutations import EXTREMES, mutated
from fuzzing.packets import payload
from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.codecs import compile_codecs
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.recordings.bag_messages import bag_messages, bag_topics
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.hdf5 import CameraPose, Hdf5Recording, Hdf5Writer

NOISE = [('/imu', 'sensor_msgs/msg/Imu', 6, b'\0\1\0\0')]
PACKETS = [a_packet(seq) for seq in range(3)] + [a_packet(3, payload=b'\x01\x80\x01')]
COMPRESSED = 'rosbag2_bagfile_information: {compression_mode: MESSAGE}\n'
METADATA = (
    'rosbag2_bagfile_information:\n  version: 9\n  storage_identifier: mcap\n'
    '  duration: {nanoseconds: 3}\n  relative_file_paths:\n    - bag_0.mcap\n    - bag_0.db3\n'
    '  topics_with_message_count:\n    - topic_metadata: {name: /a, type: std_msgs/msg/String}\n'
    '      message_count: 1\n  compression_format: ""\n  compression_mode: ""\n',
    'rosbag2_bagfile_information: {relative_file_paths: [bag_0.db3], compression_mode: MESSAGE}\n',
    'rosbag2_bagfile_information: {relative_file_paths: &a [bag_0.db3], compression_mode: *a}\n')
YAML_WORDS = (b'!!int ', b'!!float ', b'!!timestamp ', b'!!binary ', b'!!set ', b'!!omap ', b'&a ',
              b'*a', b'[[[[', b'{{{{', b'? ', b'- ', b': ', b'<<: ', b'\0', b'"\\x00"', b'~',
              b'..', b'/', b'1e999', b'0x', b'2001-99-99', b'bag_0.db3', b'[bag_0.mcap]', b'\xff',
              b'7', b'|\n', b'%YAML 9.9\n---\n', b'MESSAGE', b'\'\'', b'x' * 300)
RAW_HEADERS = (
    b'% evt 3.0\n% geometry 640x480\n', b'% format EVT3;height=48;width=64\n% end\n',
    b'% date 2024-01-01\n% evt 2.0\n% system_ID 49\n% end\n',
    b'% evt 3.0\n% sensor_generation 3.1\n', b'% format EVT2;width=64;height=48\n% end\n',
    b'% evt 3.0\n% plugin_name hal_plugin_gen41\n')
RAW_WORDS = (b'\xb2', b'9' * 5000, b'0', b'% end\n', b'% ', b'x', b';', b'\n', b'width=',
             b'% geometry 99x99\n', b'4294967296', b'65536', b'% system_ID ')


def _files(write: Callable[[Path], None]) -> bytes:
    with TemporaryDirectory() as folder:
        write(Path(folder, 'file'))
        return Path(folder, 'file').read_bytes()


def _mcaps(_: Random) -> list[tuple[bool, bytes]]:
    messages, packed = _messages()
    plain = {'compression': CompressionType.NONE}
    ways = [plain, {'use_chunking': False}, {'compression': CompressionType.LZ4}, {},
            {'finish': False, 'use_chunking': False}, {'chunk_size': 200, **plain},
            {'use_statistics': False, 'repeat_schemas': False, **plain}]
    seeds = [(False, _files(lambda path, way=way: write_mcap(path, messages, **way)))
             for way in ways]
    return [*seeds, (True, _files(lambda path: write_mcap(path, packed, **plain)))]


def _sqlites(_: Random) -> list[tuple[bool, bytes]]:
    messages, packed = _messages()
    odd = [(TOPIC, EVENT_PACKET, value, cdr) for value, cdr in
           ((None, messages[1][3]), ('now', messages[1][3]), (1.5, b''), (7, None), (8, 'text'),
            (9, 10), (10, 1.5))]
    odd_topics = [(None, EVENT_PACKET, 1, b''), (b'/a', b'type', 2, b''), (5, 6.5, 3, b'')]
    kinds = [(False, messages), (True, packed), (True, odd),
             *((False, messages + [one]) for one in odd + odd_topics)]
    return [(compressed, _files(lambda path, some=some: _write_small_sqlite(path, some)))
            for compressed, some in kinds]


def _write_small_sqlite(path: Path, messages) -> None:
    database = sqlite3.connect(path)
    database.execute('PRAGMA page_size = 512')  # more of the file is said, less is padding
    database.execute('VACUUM')
    database.close()
    write_sqlite(path, messages)


def _messages() -> tuple[list, list]:
    messages = NOISE + packet_messages(PACKETS)
    return messages, [(topic, kind, stamp, zstandard.compress(cdr))
                      for topic, kind, stamp, cdr in messages]


def _mutated_bag(rng: Random, bag: tuple, other: tuple) -> tuple[bool, bytes]:
    compressed = bag[0] if rng.randrange(20) else not bag[0]
    if rng.randrange(2):
        return compressed, mutated(rng, bag[1], other[1])
    changed = bytearray(bag[1])  # nothing moves: what is behind is still found
    for _ in range(rng.randrange(1, 4)):
        at, size = rng.randrange(len(changed) + 1), rng.choice((1, 1, 1, 2, 4, 8))
        value = rng.choice((rng.getrandbits(8 * size), rng.choice(EXTREMES) % (1 << 8 * size)))
        changed[at:at + size] = value.to_bytes(size, 'little')
    return compressed, bytes(changed)


@contextmanager
def _open_bag(folder: Path):
    compile_codecs()
    (folder / 'metadata.yaml').write_text(COMPRESSED)
    file = folder / 'bag_0.mcap'  # the first bytes say what it is

    def read(bag):
        compressed, content = bag
        file.write_bytes(content)
        return _read_bag(folder if compressed else file, len(content) % 2)
    yield read


def _read_bag(path: Path, way: int) -> tuple:
    topics = bag_topics(path)
    if not all(type(text) is str for text in (*topics, *topics.values())):
        raise Wrong(f'topics are {topics}')
    return len(topics), _read_recording(path) if way else _read_messages(path)


def _read_messages(path: Path) -> tuple:
    count = 0
    try:
        for message in bag_messages(path):
            count += 1
            if tuple(map(type, message)) != (str, str, int, bytes):
                raise Wrong(f'message is {message}')
    except RecordingError as error:
        return min(count, 8), place_of(error)
    return (min(count, 8),)


def _read_recording(path: Path) -> tuple:
    recording = open_recording(path)
    events = triggers = 0
    for piece in recording.pieces():
        events += len(piece.events)
        triggers += len(piece.triggers)
        if len(piece.events) and recording.encoding in ('evt2', 'evt3') and (
                piece.events['x'].max() >= recording.width
                or piece.events['y'].max() >= recording.height):
            raise Wrong(f'events {piece.events} outside {recording.width}x{recording.height}')
    labels = isinstance(recording, Hdf5Recording) and recording.labels() is not None
    return recording.encoding, labels, events.bit_length(), triggers.bit_length()


@contextmanager
def _open_metadata(folder: Path):
    compile_codecs()
    messages, packed = _messages()
    write_mcap(folder / 'bag_0.mcap', messages)
    write_sqlite(folder / 'bag_0.db3', packed)

    def read(text):
        (folder / 'metadata.yaml').write_bytes(text)
        return _read_bag(folder, len(text) % 2)
    yield read


def mutated_text(words: tuple[bytes, ...]) -> Callable[[Random, bytes, bytes], bytes]:
    def mutate(rng, text, other):
        if rng.randrange(2):
            return mutated(rng, text, other, most_bytes=1 << 12)
        at = rng.randrange(len(text) + 1)
        return text[:at] + rng.choice(words) + text[at + rng.choice((0, 0, rng.randrange(9))):]
    return mutate


@contextmanager
def _open_file(folder: Path):
    compile_codecs()
    path = folder / 'file'

    def read(content):
        path.write_bytes(content)
        return _read_recording(path)
    yield read


def _raws(rng: Random) -> list[bytes]:
    return [header + payload(rng, 'evt2' if b'evt 2' in header or b'EVT2' in header else
                             'evt3', 20) for header in RAW_HEADERS]


def _mutated_raw(rng: Random, content: bytes, other: bytes) -> bytes:
    changed = mutated_text(RAW_WORDS)(rng, content, other)
    return changed if rng.randrange(4) else b'% ' + changed


def _hdf5s(_: Random) -> list[bytes]:
    camera = CameraPose(np.eye(3), np.eye(3), np.zeros(3))

    def write(path, count, rows):
        with Hdf5Writer(path, width=346, height=260, camera=camera if rows else None) as writer:
            writer.append(event_array(range(1000, 1000 + count), range(count), range(count),
                                      [1] * count))
            if rows:
                writer.append_labels(range(rows), np.zeros((rows, 13, 2)), np.zeros((rows, 13, 3)),
                                     np.ones((rows, 13)))
    return [_files(lambda path, some=some: write(path, *some))
            for some in ((0, 0), (5, 0), (5, 2))]


def _aedat4s(_: Random) -> list[bytes]:
    return [aedat4(compression) for compression in ('none', 'lz4', 'zstd')]


def _target(seeds, mutate, opened, traced) -> Target:
    return Target(seeds, mutate, opened, (RecordingError,), traced)


READERS = ('hybrid_pose_ros/recordings/',)
TARGETS = {
    'mcap': _target(_mcaps, _mutated_bag, _open_bag, (*READERS, '/mcap/')),
    'sqlite': _target(_sqlites, _mutated_bag, _open_bag, READERS),
    'metadata': _target(lambda _: [text.encode() for text in METADATA], mutated_text(YAML_WORDS),
                        _open_metadata, (*READERS, '/yaml/')),
    'raw': _target(_raws, _mutated_raw, _open_file, READERS),
    'hdf5': _target(_hdf5s, mutated, _open_file, READERS),
    'aedat4': _target(_aedat4s, mutated, _open_file, READERS)}
