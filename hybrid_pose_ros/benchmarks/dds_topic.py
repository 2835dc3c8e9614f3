# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A topic of raw bytes between two processes, for measuring the cost of DDS.

Apart from nodes/, this is the only module that imports rclpy. It does so only when a topic is
created, so that the benchmark can print a remedy if ROS is not installed.
"""

import array
import os
import time
from typing import Any

from hybrid_pose_ros.errors import InputError

DISCOVERY_S = 30.0


class DdsTopic:
    """std_msgs/UInt8MultiArray between one publisher and one subscription; reliable, depth 1."""

    def __init__(self, name: str, *, domain_id: int, publishes: bool):
        """Join the domain, restricted to this host.

        Raises:
            InputError: ROS 2 is not available.
        """
        try:
            import rclpy
            from rclpy.executors import SingleThreadedExecutor
            from std_msgs.msg import UInt8MultiArray
        except ImportError as error:
            raise InputError(f'the comparison with DDS needs ROS 2: source its setup.bash, or '
                             f'install requirements-ros.txt ({error})') from error
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node(f'{name}_{"out" if publishes else "in"}',
                                       context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._message_type = UInt8MultiArray
        self._received: list[array.array] = []
        if publishes:
            self._publisher = self._node.create_publisher(UInt8MultiArray, name, 1)
            self._peers = self._publisher.get_subscription_count
        else:
            self._peers = self._node.create_subscription(
                UInt8MultiArray, name, self._take, 1).get_publisher_count

    def _take(self, message: Any) -> None:
        self._received.append(message.data)

    def wait_for_peer(self) -> None:
        """Wait until this end has discovered the other; earlier messages may be lost.

        Raises:
            InputError: the other end was not discovered.
        """
        deadline_s = time.monotonic() + DISCOVERY_S
        while not self._peers():
            if time.monotonic() > deadline_s:
                raise InputError('DDS did not find the other process on this host')
            time.sleep(0.01)

    def publish(self, payload: array.array) -> None:
        """Publish an array.array of type code B, the only type that rclpy does not loop over."""
        self._publisher.publish(self._message_type(data=payload))

    def receive(self, timeout_s: float) -> array.array:
        """Return the bytes of the next message.

        Raises:
            TimeoutError: no message arrived.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self._received:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f'no message arrived within {timeout_s} s')
            self._executor.spin_once(timeout_sec=1.0)
        return self._received.pop()

    def close(self) -> None:
        """Destroy the node and leave the domain."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()
