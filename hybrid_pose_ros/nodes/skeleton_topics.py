# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pose topics: each pose immediately, the poses of a packet together, and a throttled stream.

Receiving a message takes 0.1 ms or more in rclpy, whatever its size, and a packet yields 4 to 12
poses. Subscribers that can wait for the end of a packet should therefore use `~/skeletons`.
"""

from rclpy.node import Node
from std_msgs.msg import Header

from hybrid_pose_ros.msg import Skeleton2D, Skeleton2DArray
from hybrid_pose_ros.nodes.messages import to_skeleton_message
from hybrid_pose_ros.nodes.qos import SKELETON_QOS, THROTTLE_QOS, publisher
from hybrid_pose_ros.nodes.throttle import Throttle
from hybrid_pose_ros.tracking.pose_tracker import Pose


class SkeletonTopics:
    """Publishes every pose immediately, the poses of a packet together, and a throttled stream.

    Times are steady clock times; the throttle follows sensor time.
    """

    def __init__(self, node: Node, throttle_hz: float):
        self._node = node
        self._each, self._together, self._throttled = (
            publisher(node, kind, name, qos) for kind, name, qos in (
                (Skeleton2D, '~/skeleton', SKELETON_QOS),
                (Skeleton2DArray, '~/skeletons', SKELETON_QOS),
                (Skeleton2D, '~/skeleton_throttle', THROTTLE_QOS)))
        self.set_throttle(throttle_hz)
        self._poses: list[Skeleton2D] = []
        self._since_ns: list[int] = []

    def set_throttle(self, throttle_hz: float) -> None:
        """Set the rate of `~/skeleton_throttle` in poses per second of sensor time."""
        self._throttle = Throttle(throttle_hz)

    def close(self) -> None:
        """Destroy the publishers."""
        for topic in (self._each, self._together, self._throttled):
            self._node.destroy_publisher(topic)

    def message(self, pose: Pose, header: Header, width: int, height: int) -> Skeleton2D:
        """Return a pose as a message; the caller adds timing and state age.

        Args:
            pose: pose from the tracker.
            header: header stamped with the time of the pose.
            width: width of the sensor [px].
            height: height of the sensor [px].
        """
        message = to_skeleton_message(pose.skeleton, header)
        message.width, message.height = width, height
        message.held = pose.held.tolist()
        return message

    def publish(self, pose: Skeleton2D, now_ns: int) -> None:
        """Publish a pose, which contains its latencies, and keep it for the other topics."""
        if self._each.get_subscription_count():
            self._each.publish(pose)
        self._poses.append(pose)
        self._since_ns.append(now_ns)

    def flush(self, now_ns: int) -> None:
        """Publish the poses since the last call in one message."""
        if not self._poses:
            return
        for pose, since_ns in zip(self._poses, self._since_ns):
            waited_ms = (now_ns - since_ns) * 1e-6
            pose.event_latency_ms += waited_ms
            pose.packet_latency_ms += waited_ms
        newest = self._poses[-1]
        if self._together.get_subscription_count():
            self._together.publish(Skeleton2DArray(header=newest.header, skeletons=self._poses))
        if self._throttle.passes(newest.sensor_time_us):
            self._throttled.publish(newest)
        self._poses, self._since_ns = [], []
