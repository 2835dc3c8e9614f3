# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Subscription to the event packets of a driver, shared by all nodes that use events."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from event_camera_msgs.msg import EventPacket
from rclpy.node import Node
from std_msgs.msg import Header

from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events.clock import SensorClock
from hybrid_pose_ros.events.codecs import compile_codecs, period_us
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.nodes.clocks import at_most_every, received_ns, steady_timer
from hybrid_pose_ros.nodes.messages import from_time, to_packet, to_time
from hybrid_pose_ros.nodes.qos import EVENTS_QOS, subscription
from hybrid_pose_ros.nodes.waiting import MOST, waiting
from hybrid_pose_ros.transport.dds_memory import other_users, why_silent

SLACK_NS = 10**9
"""Maximum time between the reception of a packet and its availability, on a busy host."""

TICK_S = 1.0

SILENCE_S, REMINDER_S = 5.0, 30.0
"""Silence is reported after SILENCE_S, and then every REMINDER_S."""


class EventBatch(NamedTuple):
    """The events of one packet, and the timing of their path to this node."""

    events: np.ndarray
    width: int
    height: int
    period_us: int  # period of the sensor clock; 0: it does not wrap
    lost_packets: int
    restarted: bool
    transport_ns: int  # from header stamp to middleware, host clock
    arrival_ns: int  # arrival in the middleware; steady clock, like the next two
    taken_ns: int  # time of taking it from the middleware
    decoded_ns: int


class EventInput:
    """Decodes the packets of `~/events` for a callback; counts and reports bad packets."""

    def __init__(self, node: Node, on_events: Callable[[EventBatch], None], *,
                 on_idle: Callable[[], bool] | None = None,
                 gathering_s: Callable[[], float] | None = None):
        """Subscribe; `on_events` is called for every valid packet.

        Args:
            node: node that subscribes.
            on_events: callback for the decoded events.
            on_idle: performs a small unit of background work; returns whether more remains.
            gathering_s: pause after a packet, for nodes that tolerate latency, since taking
                several packets together is cheaper than taking them one by one.
        """
        compile_codecs()  # compile now, so that the first packet is not delayed
        self._node = node
        self._on_events = on_events
        self._on_idle = on_idle
        self._gathering_s = gathering_s
        self._stream = PacketStream()
        self.clock = SensorClock()
        self.frame_id = ''
        self._known = False
        self._last_fault = ''
        self._bad_since = 0  # bad packets since the last valid one
        self._queue_depth = 0
        self._empty_ns = time.monotonic_ns()  # last time at which no packet was queued
        self._subscription = subscription(
            node, EventPacket, '~/events', self._on_packet, EVENTS_QOS)
        self._silent_s, self._report_s = 0.0, SILENCE_S  # time without packets; next report
        self._ticks = steady_timer(node, TICK_S, self._on_tick)

    def close(self) -> None:
        """Destroy the subscription."""
        self._node.destroy_subscription(self._subscription)
        self._node.destroy_timer(self._ticks)

    def counts(self) -> dict[str, Any]:
        """Return the totals of the stream, and the fault of the last bad packet."""
        return asdict(self._stream.counts) | {'last_bad_packet': self._last_fault}

    def queue_depth(self) -> int:
        """Return the maximum number of queued packets since the last call."""
        depth, self._queue_depth = self._queue_depth, 0
        return depth

    def header(self, sensor_us: int) -> Header:
        """Return a header with the camera's frame and the ROS time of `sensor_us`."""
        return Header(stamp=to_time(self.clock.to_ros_ns(sensor_us)), frame_id=self.frame_id)

    def _on_packet(self, message: EventPacket, info: dict) -> None:
        self._take(message, info)
        self._queue_depth = max(self._queue_depth, 1 + self._take_waiting())
        self.use_idle_time()
        if self._gathering_s is not None:
            time.sleep(self._gathering_s())

    def use_idle_time(self) -> None:
        """Run `on_idle` while it has work; take queued packets in between."""
        while self._on_idle is not None and self._on_idle():
            self._take_waiting()

    def _take_waiting(self) -> int:
        """Take at most MOST queued packets; return the number taken."""
        taken, asked_ns = 0, time.monotonic_ns()
        for more in waiting(self._subscription):
            self._take(*more)
            taken, asked_ns = taken + 1, time.monotonic_ns()
        if taken < MOST:
            self._empty_ns = asked_ns
        return taken

    def _take(self, message: EventPacket, info: dict) -> None:
        taken_ns, now_ns = time.monotonic_ns(), time.time_ns()
        arrival_ns = received_ns(info, now_ns, longest_ns=taken_ns - self._empty_ns + SLACK_NS)
        counts = self._stream.counts
        repeated = counts.duplicated + counts.out_of_order
        try:
            update = self._stream.update(to_packet(message))
        except PacketError as error:
            self._bad_since += 1
            self._last_fault = str(error)
            self._node.get_logger().warning(
                f'dropped a packet: {error} ({counts.bad_packets} so far)',
                **at_most_every(5.0))
            return
        missing = update.lost_packets - self._bad_since  # bad packets were already reported
        self._bad_since = 0
        if missing > 0:
            self._node.get_logger().warning(
                f'lost {missing} packets before packet {message.seq} ({counts.lost_packets} of '
                f'{counts.packets + counts.lost_packets} so far)', **at_most_every(5.0))
        if counts.duplicated + counts.out_of_order > repeated:
            self._node.get_logger().warning(
                f'dropped packet {message.seq}: duplicate or out of order '
                f'({repeated + 1} so far)', **at_most_every(5.0))
        if not self._known:
            self._known = True
            self._ticks.cancel()
            self._node.get_logger().info(
                f'events: {message.encoding} of {message.width}x{message.height} px, '
                f'frame {message.header.frame_id!r}')
        if update.restarted:
            self.clock.restart()
            self._node.get_logger().warning('the sensor\'s clock restarted: state reset')
        sent_ns = from_time(message.header.stamp)
        if len(update.events):
            self.frame_id = message.header.frame_id
            self.clock.update(sent_ns, int(update.events['t'][0]))
        self._on_events(EventBatch(
            update.events, message.width, message.height,
            period_us(message.encoding), update.lost_packets, update.restarted,
            arrival_ns - sent_ns, taken_ns - (now_ns - arrival_ns), taken_ns,
            time.monotonic_ns()))

    def _on_tick(self) -> None:
        """Accumulate the time during which this node could have received a packet but did not.

        A timer that was blocked, for example while another node of the process was constructed,
        fires only once.
        """
        self._take_waiting()  # packets may have arrived while the timer was blocked
        if self._known:
            return
        self._silent_s += TICK_S
        if self._silent_s >= self._report_s:
            self._report_s += REMINDER_S
            self._node.get_logger().warning(self._silence())

    def _silence(self) -> str:
        topic, uid = self._subscription.topic_name, os.getuid()
        domain = self._node.context.get_domain_id()
        reason = why_silent(self._node.count_publishers(topic), other_users(domain, uid), uid)
        return f'no event packet on {topic} for {self._silent_s:.0f} s: {reason}'
