# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of which parts are damaged or missing: the rest is read in order, they are reported."""

import sqlite3
import struct

import lz4.frame
import pytest
import zstandard
from bag_files import EVENT_PACKET, TOPIC, a_packet, packet_messages, write_mcap, write_sqlite
from mcap.writer import CompressionType

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.bag_messages import bag_messages, bag_topics
from hybrid_pose_ros.recordings.compression import unpacked
from hybrid_pose_ros.recordings.formats import open_recording

CHUNK_HEAD = 9  # opcode and length of a record


def read(path):
    """Return the numbers of the packets that can be read, and what is reported of the rest."""
    seqs = []
    try:
        for packet in open_recording(path).packets():
            seqs.append(packet.seq)
    except RecordingError as error:
        return seqs, str(error)
    return seqs, ''


def split_bag(folder, count=3):
    """Write a bag of `count` files with four packets each, and return the files."""
    return [write_mcap(folder / f'b_{index}.mcap', packet_messages(
        [a_packet(seq) for seq in range(4 * index, 4 * index + 4)])) for index in range(count)]


def metadata(folder, names, more=''):
    (folder / 'metadata.yaml').write_text(
        f'rosbag2_bagfile_information:\n  relative_file_paths: {list(names)}\n{more}')


@pytest.mark.parametrize('broken', [0, 1, 2])
@pytest.mark.parametrize('content, reason', [
    (b'', 'is empty'), (b'\x89MCAP0\r\n', 'is damaged or truncated at byte 8: its end is missing'),
    (b'nothing of the kind', 'is not a bag file'), (None, 'is missing, although metadata')])
def test_a_broken_file_of_a_split_bag_does_not_hide_the_others(tmp_path, broken, content, reason):
    """All of the bag was refused."""
    files = split_bag(tmp_path)
    metadata(tmp_path, [file.name for file in files])
    if content is None:
        files[broken].unlink()
    else:
        files[broken].write_bytes(content)
    seqs, fault = read(tmp_path)
    assert seqs == [seq for seq in range(12) if seq // 4 != broken]
    assert fault.startswith(f'{files[broken]} {reason}')
    assert bag_topics(tmp_path) == {TOPIC: EVENT_PACKET}


def test_of_a_first_file_that_is_cut_short_the_rest_of_the_bag_is_read(tmp_path):
    files = [write_mcap(tmp_path / f'b_{index}.mcap', packet_messages(
        [a_packet(seq) for seq in range(40 * index, 40 * index + 40)]), chunk_size=400)
        for index in range(2)]
    files[0].write_bytes(files[0].read_bytes()[:files[0].stat().st_size // 3])
    seqs, fault = read(tmp_path)
    first = [seq for seq in seqs if seq < 40]
    assert 5 < len(first) < 40 and seqs == [*range(len(first)), *range(40, 80)]
    assert fault.startswith(f'{files[0]} is damaged or truncated at byte')


def test_several_broken_files_are_one_line(tmp_path):
    files = split_bag(tmp_path, 7)
    for file in files[1:6]:
        file.write_bytes(b'')
    seqs, fault = read(tmp_path)
    assert seqs == [0, 1, 2, 3, 24, 25, 26, 27]
    assert fault == '; '.join([*(f'{file} is empty' for file in files[1:4]), 'and 2 more'])


def test_a_bag_whose_files_are_all_broken_is_refused(tmp_path):
    for file in split_bag(tmp_path, 2):
        file.write_bytes(b'')
    with pytest.raises(RecordingError, match='b_0.mcap is empty; .*b_1.mcap is empty'):
        open_recording(tmp_path)


def chunked(path, **options):
    """Write 40 packets; return the file's bytes, and where chunks begin and end."""
    packets = [a_packet(seq, payload=bytes([1, 128, 1, 96, 3, 0, 5, 32]) * 40)
               for seq in range(40)]
    content = write_mcap(path, packet_messages(packets), chunk_size=2000, **options).read_bytes()
    places, at = [], 8
    while at + CHUNK_HEAD < len(content) - 8:
        opcode, length = struct.unpack_from('<BQ', content, at)
        if opcode == 6:
            places.append((at, at + CHUNK_HEAD + length))
        at += CHUNK_HEAD + length
        if opcode == 2:
            break
    return bytearray(content), places


@pytest.mark.parametrize('finish', [True, False])
@pytest.mark.parametrize('compression', [CompressionType.NONE, CompressionType.LZ4,
                                         CompressionType.ZSTD])
def test_a_damaged_chunk_in_the_middle_does_not_hide_what_follows(tmp_path, finish, compression):
    """All behind it was lost, with and without an index."""
    path = tmp_path / 'a.mcap'
    content, chunks = chunked(path, compression=compression, finish=finish)
    assert len(chunks) > 3
    start, end = chunks[1]
    content[end - 64:end] = bytes(range(64))
    path.write_bytes(content)
    seqs, fault = read(path)
    lost = [seq for seq in range(40) if seq not in seqs]
    assert seqs == sorted(seqs) and seqs[0] == 0 and lost == list(range(lost[0], lost[-1] + 1))
    assert 0 < len(lost) < 15
    assert f'{path} is damaged or truncated at byte {start}: ' in fault


def test_a_chunk_with_a_wrong_checksum_is_skipped_and_reported(tmp_path):
    """A flipped bit of a payload gave other events, in silence."""
    path = tmp_path / 'a.mcap'
    content, chunks = chunked(path, compression=CompressionType.NONE)
    content[chunks[1][1] - 4] ^= 1
    path.write_bytes(content)
    seqs, fault = read(path)
    assert 20 < len(seqs) < 40 and seqs[0] == 0 and seqs[-1] == 39
    assert fault.endswith('bytes has a wrong checksum') and str(chunks[1][0]) in fault


def test_an_index_that_names_a_chunk_twice_gives_its_messages_once(tmp_path):
    path = tmp_path / 'a.mcap'
    content, chunks = chunked(path)
    first, second = (struct.pack('<Q', start) for start, _ in chunks[:2])
    at = content.rindex(second)  # in the index at the end
    content[at:at + 8] = first
    path.write_bytes(content)
    seqs, _ = read(path)
    assert len(seqs) == len(set(seqs)) > 20


def test_a_log_time_beyond_64_bits_is_damage(tmp_path):
    """NumPy's times have a sign: an OverflowError."""
    messages = packet_messages([a_packet(0), a_packet(1)])
    path = write_mcap(tmp_path / 'a.mcap', [messages[0], (*messages[1][:2], 2**63, b'')])
    seqs, fault = read(path)
    assert seqs == [0] and 'has the log time 9223372036854775808 ns' in fault


@pytest.mark.parametrize('write', [write_mcap, write_sqlite])
def test_compressed_messages_without_metadata_are_recognized(tmp_path, write):
    """They were taken for damaged CDR: "'utf-8' codec can't decode byte 0xf1"."""
    messages = packet_messages([a_packet(seq) for seq in range(3)])
    path = write(tmp_path / 'a', [(topic, kind, stamp_ns, zstandard.compress(cdr))
                                  for topic, kind, stamp_ns, cdr in messages])
    assert read(path) == ([0, 1, 2], '')


def test_messages_of_another_compression_are_refused_with_its_name(tmp_path):
    write_sqlite(tmp_path / 'a.db3', [(TOPIC, EVENT_PACKET, 1, lz4.frame.compress(b'a'))])
    metadata(tmp_path, ['a.db3'], '  compression_mode: MESSAGE\n  compression_format: lz4\n')
    with pytest.raises(RecordingError, match='compressed with lz4, expected zstd or none'):
        open_recording(tmp_path)


@pytest.mark.parametrize('named', [True, False])
def test_a_file_that_is_compressed_as_a_whole_is_refused_with_the_remedy(tmp_path, named):
    """Without metadata the folder was no bag at all, and the file of no known format."""
    file = tmp_path / 'b_0.mcap.zstd'
    file.write_bytes(zstandard.compress(b'bag'))
    if named:
        metadata(tmp_path, [file.name])
    for path in (tmp_path, file):
        with pytest.raises(RecordingError, match='compressed as a file: unpack it with `zstd'):
            open_recording(path)


def test_a_file_that_was_unpacked_is_read_under_its_new_name(tmp_path):
    file, = split_bag(tmp_path, 1)
    metadata(tmp_path, [f'{file.name}.zstd'], '  compression_mode: FILE\n')
    assert read(tmp_path) == ([0, 1, 2, 3], '')


@pytest.mark.parametrize('kind, end', [
    ('dvs_msgs/msg/EventArray', r'\); legacy_to_bag of the ROS package event_camera_tools, .*'),
    ('prophesee_event_msgs/msg/EventArray', r'\); legacy_to_bag of the ROS package .*'),
    ('sensor_msgs/msg/Image', r'\)')])
def test_without_event_packets_the_types_that_were_found_are_named(tmp_path, kind, end):
    path = write_mcap(tmp_path / 'a.mcap', [('/events', kind, 1, b'\0\1\0\0')])
    with pytest.raises(RecordingError, match=rf'only /events \({kind}{end}$'):
        open_recording(path)


def test_a_ros_1_bag_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / 'a.bag'
    path.write_bytes(b'#ROSBAG V2.0\n')
    for read_it in (open_recording, lambda path: list(bag_messages(path))):
        with pytest.raises(RecordingError, match='is a ROS 1 bag: convert it with `rosbags-conv'):
            read_it(path)


def test_a_transaction_that_was_not_finished_is_named_with_the_remedy(tmp_path):
    """A recorder that is killed leaves a hot journal: "attempt to write a readonly database"."""
    path = write_sqlite(tmp_path / 'a.db3', packet_messages([a_packet(0)]))
    writer = sqlite3.connect(path, isolation_level=None)
    writer.executescript('PRAGMA cache_size = 1; PRAGMA cache_spill = ON; BEGIN')
    for number in range(2000):  # more than the cache holds: pages are written, and the journal
        writer.execute('INSERT INTO messages(topic_id, timestamp, data) VALUES(1, ?, ?)',
                       (number, bytes(1000)))
    killed = tmp_path / 'killed'
    killed.mkdir()
    for file in (path, tmp_path / 'a.db3-journal'):
        (killed / file.name).write_bytes(file.read_bytes())
    writer.close()
    with pytest.raises(RecordingError, match=r'unfinished transaction .*`sqlite3 a.db3 .tables'):
        open_recording(killed)
    with sqlite3.connect(killed / 'a.db3') as database:  # the remedy
        database.execute('SELECT name FROM sqlite_master').fetchall()
    database.close()
    assert read(killed) == ([0], '')


def test_a_damaged_row_does_not_hide_the_next(tmp_path):
    messages = packet_messages([a_packet(seq) for seq in range(3)])
    messages.insert(1, (TOPIC, EVENT_PACKET, messages[0][2] + 1, 'text'))
    seqs, fault = read(write_sqlite(tmp_path / 'a.db3', messages))
    assert seqs == [0, 1, 2] and 'a.db3 is damaged: a row is' in fault


def test_a_message_that_is_not_a_packet_does_not_hide_the_next(tmp_path):
    messages = packet_messages([a_packet(seq) for seq in range(3)])
    messages.insert(1, (TOPIC, EVENT_PACKET, messages[0][2] + 1, b'\0\1\0\0'))
    seqs, fault = read(write_mcap(tmp_path / 'a.mcap', messages))
    assert seqs == [0, 1, 2] and f'message 1 of {TOPIC}: message of 4 bytes' in fault


@pytest.mark.parametrize('compression, pack', [('zstd', zstandard.compress),
                                               ('lz4', lz4.frame.compress), ('', bytes)])
def test_what_is_packed_is_unpacked(compression, pack):
    content = bytes(range(256)) * 300
    assert unpacked(pack(content), compression) == content


@pytest.mark.parametrize('compression, pack', [('zstd', zstandard.compress),
                                               ('lz4', lz4.frame.compress)])
def test_a_frame_that_is_cut_short_or_too_large_is_refused(monkeypatch, compression, pack):
    packed = pack(bytes(100_000))
    with pytest.raises(RecordingError, match='truncated'):
        unpacked(packed[:-1], compression)
    monkeypatch.setattr('hybrid_pose_ros.recordings.compression.MOST_BYTES', 99_999)
    with pytest.raises(RecordingError, match='unpacks to more than 99999 bytes'):
        unpacked(packed, compression)
