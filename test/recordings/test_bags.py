# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import sqlite3
from contextlib import closing

import pytest
import zstandard
from bag_files import (
    EVENT_PACKET, TOPIC, a_packet, cdr_of, packet_messages, write_mcap, write_sqlite)
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.errors import PacketError, RecordingError
from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.recordings.bag_messages import bag_messages, bag_topics
from hybrid_pose_ros.recordings.event_packet_cdr import parse_event_packet
from hybrid_pose_ros.recordings.formats import open_recording

WRITERS = {'bag_0.mcap': write_mcap, 'bag_0.db3': write_sqlite}
NOISE = [('/rosout', 'rcl_interfaces/msg/Log', 5, b'\0\1\0\0'),
         ('/imu', 'sensor_msgs/msg/Imu', 6, b'\0\1\0\0')]
PACKETS = [a_packet(seq) for seq in range(5)]

uint64 = st.integers(0, 2**64 - 1)
packets = st.builds(
    Packet, stamp_ns=st.integers(0, 2**31 * 10**9 - 1), frame_id=st.text('abc_/0', max_size=9),
    width=st.integers(0, 2**32 - 1), height=st.integers(0, 2**32 - 1), seq=uint64,
    time_base=uint64, encoding=st.sampled_from(['evt3', 'libcaer_cmp', 'mono', '']),
    payload=st.binary(max_size=20))


@pytest.fixture(params=WRITERS)
def bag(request, tmp_path):
    """A folder with one file and no metadata, as a killed recorder leaves it."""
    WRITERS[request.param](tmp_path / request.param, NOISE + packet_messages(PACKETS))
    return tmp_path


def metadata(folder, text):
    (folder / 'metadata.yaml').write_text(f'rosbag2_bagfile_information:\n{text}')


@given(packets, st.sampled_from('<>'))
def test_a_serialized_packet_is_read_back(packet, order):
    parsed = parse_event_packet(cdr_of(packet, order))
    assert parsed._replace(payload=bytes(parsed.payload)) == packet


@given(packets, st.data())
def test_a_message_that_is_cut_short_is_a_packet_error(packet, data):
    cdr = cdr_of(packet)
    with pytest.raises(PacketError, match='is not an EventPacket'):
        parse_event_packet(cdr[:data.draw(st.integers(0, len(cdr) - 1))])


@given(st.binary(max_size=90))
def test_any_bytes_are_a_packet_or_a_packet_error(data):
    try:
        assert isinstance(parse_event_packet(data), Packet)
    except PacketError:
        pass


def test_a_bag_without_metadata_gives_its_packets(bag):
    recording = open_recording(bag)
    assert (recording.width, recording.height, recording.encoding) == (640, 480, 'evt3')
    assert recording.topic == TOPIC
    assert [packet.seq for packet in recording.packets()] == [0, 1, 2, 3, 4]
    assert recording.events().tolist() == [(4097, 5, 3, 0)] * 5


def test_a_single_file_is_a_bag_too(bag):
    file = next(bag.iterdir())
    renamed = file.rename(bag / 'recording')
    assert len(open_recording(renamed).events()) == 5


@pytest.mark.parametrize('version, storage', [(4, 'sqlite3'), (5, '""'), (9, 'mcap')])
def test_metadata_of_any_version_names_the_files(bag, version, storage):
    file = next(bag.iterdir())
    file.rename(bag / 'other')
    metadata(bag, f'  version: {version}\n  storage_identifier: {storage}\n'
                  '  relative_file_paths: [other]\n')
    assert len(open_recording(bag).events()) == 5


def test_split_files_are_read_in_the_order_of_their_numbers(tmp_path):
    for index in (10, 9, 0):
        write_mcap(tmp_path / f'bag_{index}.mcap', packet_messages([a_packet(index)]))
    assert [packet.seq for packet in open_recording(tmp_path).packets()] == [0, 9, 10]


@pytest.mark.parametrize('schema_encoding', ['ros2idl', ''])
def test_the_schema_of_an_mcap_channel_is_not_looked_at(tmp_path, schema_encoding):
    file = write_mcap(tmp_path / 'a.mcap', packet_messages(PACKETS),
                      schema_encoding=schema_encoding)
    assert len(open_recording(file).events()) == 5


def test_the_old_name_of_the_type_is_known(tmp_path):
    write_sqlite(tmp_path / 'a.db3', packet_messages(PACKETS,
                                                     kind='event_array_msgs/msg/EventArray'))
    assert len(open_recording(tmp_path).events()) == 5


def test_messages_come_by_log_time(bag, tmp_path):
    stamps = [message.log_time_ns for message in bag_messages(bag)]
    assert stamps == sorted(stamps) and len(stamps) == 7
    assert {message.topic for message in bag_messages(bag, ['/imu', TOPIC])} == {'/imu', TOPIC}


def test_topics_have_types(bag):
    assert bag_topics(bag) == {'/rosout': 'rcl_interfaces/msg/Log', '/imu': 'sensor_msgs/msg/Imu',
                               TOPIC: EVENT_PACKET}


def test_compressed_messages_are_unpacked(tmp_path):
    messages = [(topic, kind, stamp, zstandard.compress(cdr))
                for topic, kind, stamp, cdr in packet_messages(PACKETS)]
    write_sqlite(tmp_path / 'a.db3', messages)
    metadata(tmp_path, '  compression_mode: MESSAGE\n  relative_file_paths: [a.db3]\n')
    assert len(open_recording(tmp_path).events()) == 5


def test_a_bad_packet_in_a_bag_is_dropped_and_counted(tmp_path):
    write_mcap(tmp_path / 'a.mcap', packet_messages([*PACKETS, a_packet(5, payload=b'\1')]))
    stream = PacketStream()
    assert sum(len(events) for events, _ in open_recording(tmp_path).pieces(stream)) == 5
    assert stream.counts.bad_packets == 1


def test_several_event_topics_are_named_and_one_can_be_chosen(tmp_path):
    write_mcap(tmp_path / 'a.mcap', packet_messages(PACKETS, '/cam_1/events')
               + packet_messages(PACKETS[:2], '/cam_0/events'))
    with pytest.raises(RecordingError, match='choose one: /cam_0/events, /cam_1/events'):
        open_recording(tmp_path)
    assert len(open_recording(tmp_path, '/cam_0/events').events()) == 2
    with pytest.raises(RecordingError, match='no event topic /cam_2/events, only /cam_0'):
        open_recording(tmp_path, '/cam_2/events')


def test_a_bag_without_event_packets_says_what_it_holds(tmp_path):
    write_sqlite(tmp_path / 'a.db3', NOISE)
    with pytest.raises(RecordingError, match=r'no event packets .*, only /imu \(sensor_msgs/msg/'):
        open_recording(tmp_path)


@pytest.mark.parametrize('kept', [0.3, 0.7, 0.99])
def test_a_bag_that_is_cut_short_gives_what_is_whole_and_then_says_so(tmp_path, kept):
    packets = [a_packet(seq, payload=bytes(range(256)) * 8) for seq in range(100)]
    file = write_mcap(tmp_path / 'a.mcap', packet_messages(packets), chunk_size=4096)
    file.write_bytes(file.read_bytes()[:int(file.stat().st_size * kept)])
    seqs = []
    with pytest.raises(RecordingError, match='a.mcap is damaged or truncated'):
        for packet in open_recording(tmp_path).packets():
            seqs.append(packet.seq)
    assert seqs == list(range(len(seqs))) and len(seqs) > 20


def test_a_sqlite_bag_that_is_cut_short_says_so(tmp_path):
    packets = [a_packet(seq, payload=bytes(4000)) for seq in range(100)]
    file = write_sqlite(tmp_path / 'a.db3', packet_messages(packets))
    file.write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(RecordingError, match='a.db3 is damaged or not a bag'):
        list(open_recording(tmp_path).packets())


def test_a_message_that_is_no_packet_says_which(tmp_path):
    write_sqlite(tmp_path / 'a.db3', [*packet_messages(PACKETS), (TOPIC, EVENT_PACKET, 2**62,
                                                                  b'\0\1\0\0')])
    with pytest.raises(RecordingError, match=f'message 5 of {TOPIC}: message of 4 bytes'):
        open_recording(tmp_path).events()


def test_what_is_no_bag_is_refused(tmp_path):
    with pytest.raises(RecordingError, match='contains neither .mcap nor .db3'):
        open_recording(tmp_path)
    metadata(tmp_path, '  relative_file_paths: [gone.db3]\n')
    with pytest.raises(RecordingError, match='gone.db3 is missing, although metadata.yaml'):
        open_recording(tmp_path)
    (tmp_path / 'gone.db3').touch()
    with pytest.raises(RecordingError, match='gone.db3 is empty'):
        open_recording(tmp_path)
    (tmp_path / 'gone.db3').write_bytes(b'nothing of the kind')
    with pytest.raises(RecordingError, match='gone.db3 is not a bag file'):
        open_recording(tmp_path)
    (tmp_path / 'metadata.yaml').write_text('{')
    with pytest.raises(RecordingError, match='metadata.yaml is not valid bag metadata'):
        open_recording(tmp_path)


def test_a_bag_that_is_compressed_as_a_whole_says_how_to_unpack_it(tmp_path):
    (tmp_path / 'a.db3.zstd').write_bytes(zstandard.compress(b'bag'))
    metadata(tmp_path, '  compression_mode: FILE\n  relative_file_paths: [a.db3.zstd]\n')
    with pytest.raises(RecordingError, match='unpack it with `zstd -d`'):
        open_recording(tmp_path)


def damaged(bag, text):
    with pytest.raises(RecordingError, match=text):
        open_recording(bag).events()


@pytest.mark.parametrize('cdr', [b'', b'\x28\xb5\x2f\xfd', cdr_of(a_packet(0)),
                                 zstandard.compress(bytes(500))[:-3]])
def test_a_message_that_does_not_unpack_is_a_damaged_bag(tmp_path, cdr):
    """It was a ZstdError, which no caller expects."""
    write_mcap(tmp_path / 'a.mcap', [(TOPIC, EVENT_PACKET, 1, cdr)])
    metadata(tmp_path, '  compression_mode: MESSAGE\n')
    damaged(tmp_path, 'a.mcap is damaged')


def test_a_message_cannot_ask_for_all_the_memory(tmp_path):
    """A frame of 13 bytes announced 2^40 more, which were asked for before one was read."""
    frame = b'\x28\xb5\x2f\xfd\xe0' + (1 << 40).to_bytes(8, 'little')
    write_sqlite(tmp_path / 'a.db3', [(TOPIC, EVENT_PACKET, 1, frame)])
    metadata(tmp_path, '  compression_mode: MESSAGE\n')
    damaged(tmp_path, 'a message of /event_camera/events: it cannot be unpacked')


@pytest.mark.parametrize('stamp, cdr', [(None, b''), ('now', b''), (1.5, b''), (1, None),
                                        (1, 'text'), (1, 7)])
def test_a_row_of_other_types_is_a_damaged_bag(tmp_path, stamp, cdr):
    """sqlite3 keeps a NULL or a text in any column; the CDR parser got them: a TypeError."""
    write_sqlite(tmp_path / 'a.db3', [(TOPIC, EVENT_PACKET, stamp, cdr)])
    damaged(tmp_path, 'a.db3 is damaged: a row is')


@pytest.mark.parametrize('name', [None, b'/events'])
def test_a_topic_without_a_name_is_a_damaged_bag(tmp_path, name):
    """The names of topics could not be sorted for the message that tells them: a TypeError."""
    write_sqlite(tmp_path / 'a.db3', [(name, 'std_msgs/msg/String', 1, b''), *NOISE])
    damaged(tmp_path, 'a.db3 is damaged: a row is')


def test_a_schema_that_is_no_text_is_a_damaged_bag(tmp_path):
    """What sqlite3 said of it was not UTF-8 either: a UnicodeDecodeError."""
    file = write_sqlite(tmp_path / 'a.db3', packet_messages(PACKETS))
    file.write_bytes(file.read_bytes().replace(b'CREATE TABLE', b'CREATE \xfe\xfe\xfe\xfe\xfe'))
    damaged(file, 'a.db3 is damaged or not a bag')


def test_a_row_that_is_longer_than_any_memory_is_a_damaged_bag(tmp_path):
    """sqlite3 has no exception of its own for it: a MemoryError."""
    with closing(sqlite3.connect(tmp_path / 'a.db3')) as database:
        database.executescript('PRAGMA page_size = 512; VACUUM')
    file = write_sqlite(tmp_path / 'a.db3', packet_messages(PACKETS))
    content = bytearray(file.read_bytes())
    row = int.from_bytes(content[108:110], 'big')  # first one of the schema
    content[row:row + 20] = b'\xff' * 7 + b'T\0G' + bytes(10)
    file.write_bytes(content)
    damaged(file, 'a.db3 is damaged or not a bag: MemoryError')


@pytest.mark.parametrize('text', [
    '  relative_file_paths: 7\n', '  relative_file_paths: [7]\n',
    '  relative_file_paths: {a: b}\n', '  relative_file_paths: [{a: b}]\n',
    '  compression_mode: [a]\n', '  7\n', '  !!timestamp a\n',
    '  a: !!int ""\n', '  a: !!timestamp b\n', '[' * 5000])
def test_metadata_of_another_form_is_refused(bag, text):
    """They were TypeError, AttributeError, IndexError or RecursionError, some of the loader's."""
    metadata(bag, text)
    damaged(bag, 'metadata.yaml is not valid bag metadata')


def test_metadata_cannot_grow(bag):
    """Twenty lines of aliases stand for 10^19 words, and a text was made of them all."""
    lines = ''.join(f'  a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 10)}]\n' for i in range(1, 20))
    metadata(bag, f'  a0: &a0 [word]\n{lines}  compression_mode: *a19\n')
    damaged(bag, 'metadata.yaml is not valid bag metadata')


@pytest.mark.parametrize('name', ['.', 'x' * 300])
def test_a_file_name_that_cannot_be_opened_is_told(bag, name):
    """A folder or an impossible name was an OSError."""
    metadata(bag, f'  relative_file_paths: [{name}]\n')
    damaged(bag, 'cannot be read')


def test_an_odd_digit_in_a_file_name_is_part_of_it(bag):
    """Superscripts count as digits for str.isdigit, but not for int: a ValueError."""
    file = next(bag.iterdir())
    file.rename(bag / f'²1{file.suffix}')
    assert len(open_recording(bag).events()) == 5


def test_an_mcap_file_need_not_repeat_its_schemas(tmp_path):
    """Types were looked for in the summary only: such a bag held no event packets."""
    file = write_mcap(tmp_path / 'a.mcap', NOISE + packet_messages(PACKETS), repeat_schemas=False)
    assert len(open_recording(file).events()) == 5


def test_the_first_good_packet_says_how_large_the_sensor_is(tmp_path):
    """A bad first one gave a recording of 640x0 px, with events."""
    write_mcap(tmp_path / 'a.mcap', packet_messages([a_packet(0, height=0), *PACKETS[1:]]))
    recording = open_recording(tmp_path)
    assert (recording.width, recording.height) == (640, 480)
    assert len(recording.events()) == 4


def test_a_bag_without_a_good_packet_is_refused_with_the_reason(tmp_path):
    write_mcap(tmp_path / 'a.mcap', packet_messages([a_packet(0, encoding='evt4')]))
    damaged(tmp_path, "no packet of /event_camera/events that can be decoded: "
            "unknown encoding 'evt4'")
