# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which clock serves what: only a comparison with header stamps needs one that can be set.

    steady clock  timers, log throttles, and every duration within this process
    host clock    (`time.time_ns`) latencies since a header stamp
    ROS clock     stamps of messages that belong to no event
"""

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.timer import Timer

STEADY = Clock(clock_type=ClockType.STEADY_TIME)

LONGEST_WAIT_NS = 60 * 10**9
"""No message waits longer in a process that does not know when its queue was empty."""


def steady_timer(node: Node, period_s: float, callback: Callable[[], None]) -> Timer:
    """Return a timer that a step of the host clock, or a simulated clock, does not stop."""
    return node.create_timer(period_s, callback, clock=STEADY)


def set_period(timer: Timer, period_s: float) -> None:
    """Let a timer fire after this period from now, and every such period after that."""
    timer.timer_period_ns = round(1e9 * period_s)
    timer.reset()


def at_most_every(period_s: float) -> dict[str, Any]:
    """Return arguments of a log call that repeat its message at most once per period."""
    return {'throttle_duration_sec': period_s, 'throttle_time_source_type': STEADY}


def received_ns(info: Mapping[str, Any], now_ns: int, *,
                longest_ns: int = LONGEST_WAIT_NS) -> int:
    """Return when the middleware received a message, by the host clock.

    A time that this process cannot have measured is replaced by the present: 0, that of the
    original recording, or one from before the clock was set.

    Args:
        info: of the message, as rclpy passes it to callbacks.
        now_ns: the present, by the host clock.
        longest_ns: how long the message may have waited.
    """
    time_ns = info['received_timestamp']
    return time_ns if 0 <= now_ns - time_ns <= longest_ns else now_ns
