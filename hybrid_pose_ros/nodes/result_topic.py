# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topic of a task's results, published instead of the pose topics."""

from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header

from hybrid_pose_ros import msg
from hybrid_pose_ros.nodes.qos import SKELETON_QOS, publisher
from hybrid_pose_ros.tasks.table import TASKS
from hybrid_pose_ros.tracking.task_tracker import Reading


class ResultTopic:
    """Publishes each reading immediately, on a topic named after the task."""

    def __init__(self, node: Node, throttle_hz: float, *, task: str):
        self._node = node
        self._fields = TASKS[task].fields
        self._type = getattr(msg, TASKS[task].message)
        self._each = publisher(node, self._type, f'~/{task}', SKELETON_QOS)

    def set_throttle(self, throttle_hz: float) -> None:
        """Do nothing, since results are not throttled."""

    def close(self) -> None:
        """Destroy the publisher."""
        self._node.destroy_publisher(self._each)

    def message(self, reading: Reading, header: Header, width: int, height: int) -> Any:
        """Return a reading as a message; the caller adds timing and state age."""
        return self._type(header=header, sensor_time_us=reading.stamp_us,
                          **self._fields(reading.result))

    def publish(self, message: Any, now_ns: int) -> None:
        """Publish a reading."""
        self._each.publish(message)

    def flush(self, now_ns: int) -> None:
        """Do nothing, since readings are not batched."""
