# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A topic of bytes between two processes, for measuring what DDS costs.

With nodes/ the only module that imports rclpy, and only once a topic is made: the benchmark must
be able to say what to do where ROS is not at hand.
"""

import array
import os
import time
from typing import Any

from hybrid_pose_ros.errors import InputError

DISCOVERY_S = 30.0


class DdsTopic:
    """std_msgs/UInt8MultiArray from one publisher to one subscription, reliable, queue of one."""

    def __init__(self, name: str, *, domain_id: int, publishes: bool):
        """Join the domain, on this host only.

        Raises:
            InputError: ROS 2 is not at hand.
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
        """Return once this end knows the other; a message sent before both do may be lost.

        Raises:
            InputError: there is no other end.
        """
        deadline_s = time.monotonic() + DISCOVERY_S
        while not self._peers():
            if time.monotonic() > deadline_s:
                raise InputError('DDS did not find the other process on this host')
            time.sleep(0.01)

    def publish(self, payload: array.array) -> None:
        """Publish bytes as array.array of type code B, the one form rclpy does not loop over."""
        self._publisher.publish(self._message_type(data=payload))

    def receive(self, timeout_s: float) -> array.array:
        """Return the bytes of the next message.

        Raises:
            TimeoutError: none came.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self._received:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f'no message came in {timeout_s} s')
            self._executor.spin_once(timeout_sec=1.0)
        return self._received.pop()

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()
