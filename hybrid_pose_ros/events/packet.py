# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A driver's event packet as plain values, independent of ROS messages, bags and the player."""

from typing import NamedTuple


class Packet(NamedTuple):
    """The fields of event_camera_msgs/msg/EventPacket, without ROS."""

    stamp_ns: int  # header stamp: host time at which the driver received the first bytes
    frame_id: str
    width: int  # sensor size [px]
    height: int
    seq: int  # packet counter of the driver, +1 for each packet
    time_base: int  # [ns], meaning depends on the encoding
    encoding: str  # one of `codecs.PACKET_ENCODINGS`
    payload: bytes | memoryview  # or another object with the buffer protocol
