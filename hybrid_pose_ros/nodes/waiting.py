# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that wait behind the one that a callback has: each costs the executor 0.1 ms or more.

An executor looks at all that a node has before it takes one message. Under load, a callback that
takes along what waits is what lets a node of Python keep up with 1000 packets a second.
"""

from collections.abc import Iterator
from typing import Any

from rclpy.subscription import Subscription

MOST = 32
"""Taken along by one callback, or timers and other topics would have to wait too long."""


def waiting(subscription: Subscription) -> Iterator[tuple[Any, dict]]:
    """Yield the messages that a subscription has, and what is known of their way."""
    for _ in range(MOST):
        with subscription.handle:
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
        if taken is None:
            return
        yield taken
