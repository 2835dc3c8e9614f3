# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small AEDAT4 file, byte by byte: no library writes them."""

import struct

import lz4.frame
import zstandard

PACKERS = {'none': (0, bytes), 'lz4': (1, lz4.frame.compress), 'zstd': (3, zstandard.compress)}


def stream(number, kind='EVTS', name='', size='320x240'):
    """Return the XML of one stream."""
    width, height = size.split('x')
    place = f'/mainloop/Recorder/outInfo/{number}/'
    return (f'<node name="{number}" path="{place}">'
            f'<attr key="typeIdentifier" type="string">{kind}</attr>'
            + (f'<attr key="originalOutputName" type="string">{name}</attr>' if name else '')
            + f'<node name="info" path="{place}info/">'
            f'<attr key="sizeX" type="int">{width}</attr>'
            f'<attr key="sizeY" type="int">{height}</attr></node></node>')


def event_packet(start_us, pack=bytes, number=0):
    """Return a packet of five events."""
    events = b''.join(struct.pack('<qhh?3x', start_us + i, i, 2 * i, i % 2) for i in range(5))
    table = struct.pack('<I4s2xHHHiII', 16, b'EVTS', 6, 8, 4, 6, 4, 5) + events
    return packet(number, pack(struct.pack('<I', len(table)) + table))


def packet(number, body):
    """Return a packet of a stream."""
    return struct.pack('<ii', number, len(body)) + body


def aedat4(compression='none', streams=(stream(0),), packets=None):
    """Return a file of a 320x240 sensor: two packets of five events, from 1000 and 2000 us on.

    Args:
        compression: one of PACKERS.
        streams: XML of each.
        packets: others than those two.
    """
    level, pack = PACKERS[compression]
    text = ('<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">'
            f'{"".join(streams)}</node></dv>').encode()
    # FlatBuffers: place of the table, identifier, places of its fields; table. In the header:
    # compression, place of the file's own table (-1: none), list of streams.
    header = struct.pack('<I4s6xHHHHHiiIq', 24, b'IOHE', 10, 20, 4, 12, 8, 10, level, 12, -1)
    header += struct.pack('<I', len(text)) + text + b'\0'
    if packets is None:
        packets = [event_packet(start_us, pack) for start_us in (1000, 2000)]
    return (b'#!AER-DAT4.0\r\n' + struct.pack('<I', len(header)) + header + b''.join(packets))
