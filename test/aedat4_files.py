# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small AEDAT4 file, byte by byte: no library writes them."""

import struct

import lz4.frame
import zstandard

PACKERS = {'none': (0, bytes), 'lz4': (1, lz4.frame.compress), 'zstd': (3, zstandard.compress)}
STREAMS = (
    '<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">'
    '<node name="0" path="/mainloop/Recorder/outInfo/0/">'
    '<attr key="typeIdentifier" type="string">EVTS</attr>'
    '<node name="info" path="/mainloop/Recorder/outInfo/0/info/">'
    '<attr key="sizeX" type="int">320</attr><attr key="sizeY" type="int">240</attr>'
    '</node></node></node></dv>').encode()


def aedat4(compression='none'):
    """Return a file of a 320x240 sensor: two packets of five events, from 1000 and 2000 us on."""
    level, pack = PACKERS[compression]
    # FlatBuffers: place of the table, identifier, places of its fields; table. In the header:
    # compression, place of the file's own table (-1: none), list of streams.
    header = struct.pack('<I4s6xHHHHHiiIq', 24, b'IOHE', 10, 20, 4, 12, 8, 10, level, 12, -1)
    header += struct.pack('<I', len(STREAMS)) + STREAMS + b'\0'
    packets = b''
    for start_us in (1000, 2000):
        events = b''.join(struct.pack('<qhh?3x', start_us + i, i, 2 * i, i % 2) for i in range(5))
        table = struct.pack('<I4s2xHHHiII', 16, b'EVTS', 6, 8, 4, 6, 4, 5) + events
        body = pack(struct.pack('<I', len(table)) + table)
        packets += struct.pack('<ii', 0, len(body)) + body
    return b'#!AER-DAT4.0\r\n' + struct.pack('<I', len(header)) + header + packets
