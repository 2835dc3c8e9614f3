# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clocks and their uses. Only comparisons with header stamps need a clock that can be set.

    steady clock  timers, log throttles, and every duration within this process
    host clock    (`time.time_ns`) latencies since a header stamp
    ROS clock     stamps of messages that do not belong to an event
"""

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.timer import Timer

STEADY = Clock(clock_type=ClockType.STEADY_TIME)

LONGEST_WAIT_NS = 60 * 10**9
"""Maximum wait assumed for a message if the process does not know when its queue was empty."""


def steady_timer(node: Node, period_s: float, callback: Callable[[], None]) -> Timer:
    """Return a timer that is independent of host clock steps and of simulated time."""
    return node.create_timer(period_s, callback, clock=STEADY)


def set_period(timer: Timer, period_s: float) -> None:
    """Change the period of a timer, effective immediately."""
    timer.timer_period_ns = round(1e9 * period_s)
    timer.reset()


def at_most_every(period_s: float) -> dict[str, Any]:
    """Return the keyword arguments that throttle a log call to one message per period."""
    return {'throttle_duration_sec': period_s, 'throttle_time_source_type': STEADY}


def received_ns(info: Mapping[str, Any], now_ns: int, *,
                longest_ns: int = LONGEST_WAIT_NS) -> int:
    """Return the host time at which the middleware received a message.

    Implausible timestamps (0, the time of the original recording, or a time before the clock was
    set) are replaced by `now_ns`.

    Args:
        info: message info, as passed to callbacks by rclpy.
        now_ns: current time of the host clock.
        longest_ns: maximum time for which the message may have waited.
    """
    time_ns = info['received_timestamp']
    return time_ns if 0 <= now_ns - time_ns <= longest_ns else now_ns
