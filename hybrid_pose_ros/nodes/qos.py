# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How reliably each topic travels, and how many messages wait, with the reason."""

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
"""As the drivers offer it: a reliable subscriber would never get a packet of theirs. Deep, since
packets come in bursts and a lost one also damages the decoder's state."""

SKELETON_QOS = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
"""Deep enough for a second of poses: a recorder must not lose one."""

THROTTLE_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
"""For those that look now and then."""

STATE_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
"""Only the newest state is of use."""

REQUEST_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
"""Requests are few, and asked again where no answer comes."""

STATUS_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
"""One a second."""

READY_QOS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE,
                       durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Said once: who comes later hears it, too."""

MARKERS_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
"""What RViz asks for by default; it shows nothing of a best-effort publisher."""

CAMERA_INFO_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Matches every publisher: reliable as drivers are, best effort as image pipelines are, volatile
or transient local. Cameras repeat it, so a lost one does not matter."""

RECORDED_QOS = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
"""For the recorder of slow topics: some bursts."""


def publisher(node: Node, kind: type, name: str, qos: QoSProfile) -> Publisher:
    """Return a publisher whose profile users may set by parameters.

    They are `qos_overrides.TOPIC.publisher.depth` (history, reliability), TOPIC being its whole
    name, as with nodes in C++.

    Raises:
        InputError: such a parameter is not legal.
    """
    with _mistakes_told(name):
        return node.create_publisher(kind, name, **_overridable(qos))


def subscription(node: Node, kind: type, name: str, callback: Callable,
                 qos: QoSProfile) -> Subscription:
    """Return a subscription whose profile users may set: `qos_overrides.TOPIC.subscription.depth`.

    Raises:
        InputError: such a parameter is not legal.
    """
    with _mistakes_told(name):
        return node.create_subscription(kind, name, callback, **_overridable(qos))


def _overridable(qos: QoSProfile) -> dict[str, Any]:
    return {'qos_profile': copy(qos),  # rclpy writes into it
            'qos_overriding_options': QoSOverridingOptions.with_default_policies()}


@contextmanager
def _mistakes_told(name: str) -> Iterator[None]:
    try:
        yield
    except (ParameterException, RuntimeError) as error:
        raise InputError(f'topic {name}: {error}') from error
