# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags as real recorders leave them, written byte by byte."""

import sqlite3
import struct

from mcap.writer import Writer

from hybrid_pose_ros.events.packet import Packet

EVENT_PACKET = 'event_camera_msgs/msg/EventPacket'
TOPIC = '/event_camera/events'


def a_packet(seq=0, payload=b'\x01\x80\x01\x60\x03\x00\x05\x20', **fields):
    """Return an EVT3 packet with one event: (4097 us, 5, 3, OFF)."""
    values = {'stamp_ns': 1_700_000_000_000_000_000 + seq * 4_000_000, 'frame_id': 'camera',
              'width': 640, 'height': 480, 'seq': seq, 'time_base': 0, 'encoding': 'evt3',
              'payload': payload}
    return Packet(**{**values, **fields})


def cdr_of(packet, order='<'):
    """Return the packet as ROS 2 serializes an EventPacket."""
    body = bytearray()

    def put(codes, align, *values):
        body.extend(bytes(-len(body) % align))
        body.extend(struct.pack(order + codes, *values))

    put('iI', 4, *divmod(packet.stamp_ns, 1_000_000_000))
    put(f'I{len(packet.frame_id) + 1}s', 4, len(packet.frame_id) + 1, packet.frame_id.encode())
    put('II', 4, packet.height, packet.width)
    put('QQ', 8, packet.seq, packet.time_base)
    put(f'I{len(packet.encoding) + 1}s', 4, len(packet.encoding) + 1, packet.encoding.encode())
    put('?', 1, False)
    put(f'I{len(packet.payload)}s', 4, len(packet.payload), bytes(packet.payload))
    return (b'\0\1\0\0' if order == '<' else b'\0\0\0\0') + bytes(body)


def write_mcap(path, messages, *, schema_encoding='ros2msg', finish=True, chunk_size=1 << 20,
               **options):
    """Write (topic, type, log time, bytes); without `finish` as a killed recorder leaves it."""
    with path.open('wb') as stream:
        writer = Writer(stream, chunk_size=chunk_size, **options)
        writer.start('ros2', 'test')
        channels = {}
        for topic, kind, stamp_ns, cdr in messages:
            if (topic, kind) not in channels:
                schema = writer.register_schema(kind, schema_encoding, b'not a definition')
                channels[topic, kind] = writer.register_channel(topic, 'cdr', schema)
            writer.add_message(channels[topic, kind], stamp_ns, cdr, stamp_ns)
        if finish:
            writer.finish()
    return path


def write_sqlite(path, messages):
    """Write (topic, type, log time, bytes) in the schema of before Iron."""
    database = sqlite3.connect(path)
    with database:
        database.execute('CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, '
                         'serialization_format TEXT, offered_qos_profiles TEXT)')
        database.execute('CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, '
                         'timestamp INTEGER, data BLOB)')
        topics = {}
        for topic, kind, stamp_ns, cdr in messages:
            if topic not in topics:
                topics[topic] = len(topics) + 1
                database.execute('INSERT INTO topics VALUES(?, ?, ?, ?, ?)',
                                 (topics[topic], topic, kind, 'cdr', ''))
            database.execute('INSERT INTO messages(topic_id, timestamp, data) VALUES(?, ?, ?)',
                             (topics[topic], stamp_ns, cdr))
    database.close()
    return path


def packet_messages(packets, topic=TOPIC, kind=EVENT_PACKET):
    """Return the messages that a recorder makes of packets."""
    return [(topic, kind, packet.stamp_ns, cdr_of(packet)) for packet in packets]
