# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topic of gestures, published instead of the pose topics."""

from rclpy.node import Node
from std_msgs.msg import Header

from hybrid_pose_ros.msg import Gesture
from hybrid_pose_ros.nodes.qos import SKELETON_QOS, publisher
from hybrid_pose_ros.tasks.gesture import GESTURES
from hybrid_pose_ros.tracking.gesture_tracker import GestureReading


class GestureTopic:
    """Publishes each reading at once."""

    def __init__(self, node: Node, throttle_hz: float):
        self._node = node
        self._each = publisher(node, Gesture, '~/gesture', SKELETON_QOS)

    def set_throttle(self, throttle_hz: float) -> None:
        """Gestures are not throttled."""

    def close(self) -> None:
        """Destroy the publisher."""
        self._node.destroy_publisher(self._each)

    def message(self, reading: GestureReading, header: Header, width: int,
                height: int) -> Gesture:
        """Return a reading as a message; the caller adds timing and state age."""
        gesture = reading.gesture
        return Gesture(header=header, sensor_time_us=gesture.stamp_us, gesture=gesture.name,
                       confidence=gesture.confidence, names=list(GESTURES),
                       probabilities=gesture.probabilities)

    def publish(self, message: Gesture, now_ns: int) -> None:
        """Publish a reading."""
        self._each.publish(message)

    def flush(self, now_ns: int) -> None:
        """Do nothing: readings are not batched."""
