# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A driver of another user, run by root: `other_user.py UID` publishes packets until SIGTERM.

What a ROS node loads is loaded by root, since Python itself may be out of the other user's reach.
"""

import contextvars  # noqa: F401  (NumPy's, loaded with the first message)
import os
import signal
import sys
import time

from event_camera_msgs.msg import EventPacket
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy


def publish(topic: str, packets: int | None) -> None:
    """Publish packets with a node of its own; None: without end."""
    context = Context()
    context.init(args=['--ros-args', '--disable-external-lib-logs'])  # root's folder of logs
    node = Node('driver', context=context)
    try:
        publisher = node.create_publisher(
            EventPacket, topic, QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT))
        packet = EventPacket(encoding='evt3', width=64, height=48, events=[0] * 200)
        while packets is None or packet.seq < packets:
            publisher.publish(packet)
            packet.seq += 1
            time.sleep(0.02)
    finally:
        node.destroy_node()
        context.shutdown()


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    publish('/warm_up', packets=1)
    uid = int(sys.argv[1])
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    publish('/event_camera/events', packets=None)
