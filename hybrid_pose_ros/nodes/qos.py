# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""QoS profiles of the topics, with the reasons for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

from hybrid_pose_ros.errors import InputError

EVENTS_QOS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1000,
                        reliability=ReliabilityPolicy.BEST_EFFORT)
"""Drivers publish best-effort, which a reliable subscription does not match. The queue is deep
because packets arrive in bursts, and a lost packet also corrupts the decoder state."""

SKELETON_QOS = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
"""Deep enough for one second of poses, so that recorders lose none."""

THROTTLE_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
"""For displays and other low-rate subscribers."""

STATE_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
"""Only the newest state is useful."""

REQUEST_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
"""Requests are rare and repeated until they are answered."""

STATUS_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
"""Published once per second."""

READY_QOS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE,
                       durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Latched (transient local), for late joiners."""

MARKERS_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
"""The default of RViz, whose subscriptions do not match best-effort publishers."""

CAMERA_INFO_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Matches every publisher: reliable (drivers) or best-effort (image pipelines), volatile or
transient local. Cameras publish camera_info repeatedly, so a lost message does not matter."""

RECORDED_QOS = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
"""For recording low-rate topics; deep enough for bursts."""


def publisher(node: Node, kind: type, name: str, qos: QoSProfile) -> Publisher:
    """Return a publisher whose QoS can be overridden by parameters, as in C++ nodes.

    The parameters are `qos_overrides.TOPIC.publisher.depth` (`history`, `reliability`), where
    TOPIC is the full name of the topic.

    Raises:
        InputError: a QoS parameter is invalid.
    """
    with _mistakes_told(name):
        return node.create_publisher(kind, name, **_overridable(qos))


def subscription(node: Node, kind: type, name: str, callback: Callable,
                 qos: QoSProfile) -> Subscription:
    """Return a subscription with QoS overrides: `qos_overrides.TOPIC.subscription.depth`.

    Raises:
        InputError: a QoS parameter is invalid.
    """
    with _mistakes_told(name):
        return node.create_subscription(kind, name, callback, **_overridable(qos))


def _overridable(qos: QoSProfile) -> dict[str, Any]:
    return {'qos_profile': copy(qos),  # rclpy modifies it
            'qos_overriding_options': QoSOverridingOptions.with_default_policies()}


@contextmanager
def _mistakes_told(name: str) -> Iterator[None]:
    try:
        yield
    except (ParameterException, RuntimeError) as error:
        raise InputError(f'topic {name}: {error}') from error
