# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The status that each node publishes on /diagnostics once per second."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from hybrid_pose_ros.nodes.clocks import steady_timer

PERIOD_S = 1.0


class Status(NamedTuple):
    """One report."""

    message: str
    values: Mapping[str, Any]
    warn: bool = False


class Diagnostics:
    """Publishes the results of `report` under the name of the node."""

    def __init__(self, node: Node, report: Callable[[], Status]):
        """Start the timer."""
        self._node = node
        self._report = report
        self.period_s = PERIOD_S  # time since the previous report
        self._last_s = time.monotonic()
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._timer = steady_timer(node, PERIOD_S, self.publish)

    def publish(self) -> None:
        """Publish immediately, for example when a node exits."""
        now_s = time.monotonic()
        self.period_s, self._last_s = max(1e-3, now_s - self._last_s), now_s
        status = self._report()
        name = self._node.get_fully_qualified_name().lstrip('/')
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.status.append(DiagnosticStatus(
            name=name, hardware_id='hybrid_pose_ros', message=status.message,
            level=DiagnosticStatus.WARN if status.warn else DiagnosticStatus.OK,
            values=[KeyValue(key=key, value=_text(value))
                    for key, value in status.values.items()]))
        self._publisher.publish(message)


def _text(value: Any) -> str:
    return f'{value:.4g}' if isinstance(value, float) else str(value)
