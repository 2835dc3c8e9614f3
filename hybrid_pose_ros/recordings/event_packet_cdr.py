# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parses event_camera_msgs/msg/EventPacket from the CDR bytes in bags, without ROS."""

import struct

from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events.packet import Packet

EVENT_PACKET = 'event_camera_msgs/msg/EventPacket'
EVENT_TYPES = (EVENT_PACKET, 'event_array_msgs/msg/EventArray',
               'event_camera_msgs/EventPacket', 'event_array_msgs/EventArray')
"""The type and its name until mid-2023 (same layout); some writers omit the `msg` component."""

_ENCAPSULATION_BYTES = 4  # the second byte gives the byte order; alignment is relative to the end


class _Cursor:
    def __init__(self, cdr: bytes):
        self._data = memoryview(cdr).toreadonly()[_ENCAPSULATION_BYTES:]
        self._order = '<' if cdr[1] & 1 else '>'
        self._at = 0

    def take(self, codes: str, align: int) -> tuple:
        self._at += -self._at % align
        values = struct.unpack_from(self._order + codes, self._data, self._at)
        self._at += struct.calcsize(self._order + codes)
        return values

    def sequence(self) -> memoryview:
        length, = self.take('I', 4)
        if length > len(self._data) - self._at:
            raise struct.error(f'{length} bytes expected')
        self._at += length
        return self._data[self._at - length:self._at]

    def string(self) -> str:
        return bytes(self.sequence()).rstrip(b'\0').decode()


def parse_event_packet(cdr: bytes) -> Packet:
    """Return the packet of a serialized message; its payload is a view of `cdr`.

    Raises:
        PacketError: the message is truncated or of another type.
    """
    if len(cdr) < _ENCAPSULATION_BYTES:
        raise PacketError(f'message of {len(cdr)} bytes is not an EventPacket: it is truncated')
    cursor = _Cursor(cdr)
    try:
        sec, nanosec = cursor.take('iI', 4)
        frame_id = cursor.string()
        height, width = cursor.take('II', 4)
        seq, time_base = cursor.take('QQ', 8)
        encoding = cursor.string()
        cursor.take('?', 1)  # is_bigendian, not set by drivers
        payload = cursor.sequence()
    except (struct.error, UnicodeDecodeError) as error:
        raise PacketError(f'message of {len(cdr)} bytes is not an EventPacket: {error}') from error
    return Packet(sec * 1_000_000_000 + nanosec, frame_id, width, height, seq, time_base, encoding,
                  payload)
