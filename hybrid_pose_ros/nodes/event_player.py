# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes a recording, or a live simulation of a person, as an event camera driver would."""

import queue
import sys
import threading
import time
from collections.abc import Iterator

from event_camera_msgs.msg import EventPacket
from std_msgs.msg import Header, Int64

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.msg import Skeleton2D
from hybrid_pose_ros.nodes.diagnostics import Diagnostics, Status
from hybrid_pose_ros.nodes.messages import to_event_packet, to_skeleton_message, to_time
from hybrid_pose_ros.nodes.parameters import SettingsNode, declare
from hybrid_pose_ros.nodes.qos import EVENTS_QOS, READY_QOS, SKELETON_QOS, publisher
from hybrid_pose_ros.nodes.run import run, shut_down
from hybrid_pose_ros.nodes.scheduling import stand_back
from hybrid_pose_ros.nodes.worker import Worker
from hybrid_pose_ros.playback.due_packets import DuePacket, GroundTruth, due_packets
from hybrid_pose_ros.playback.player_params import PlayerParams
from hybrid_pose_ros.recordings.gaps import gap_line
from hybrid_pose_ros.tasks.skeleton import Skeleton

READ_AHEAD = 64
"""Number of packets prepared ahead of time."""

MATCHED_S = 1.0
"""Pause after discovery: a subscriber is discovered slightly before it receives messages."""

MATCHED_NS = round(1e9 * MATCHED_S)

READ_S = 0.3
"""Pause before shutdown, so that slow subscribers can read the last messages."""

READY = '/event_players/ready'
"""Topic on which each of several players announces the time at which it was ready [ns]."""

SLIP_NS = 10_000_000
"""If playback is delayed by more than this, it continues from now instead of catching up in a
burst."""


class EventPlayerNode(SettingsNode):
    """Publish packets when they are due, from a separate thread; end with the recording."""

    def __init__(self, **kwargs):
        super().__init__('event_player', **kwargs)
        self._params = declare(self, PlayerParams)
        self._packets = due_packets(self._params)  # raises if the recording cannot be played
        self._events = publisher(self, EventPacket, '~/events', EVENTS_QOS)
        self._truth = self.create_publisher(Skeleton2D, '~/ground_truth', SKELETON_QOS)
        self._others_ready_ns: list[int] = []  # one entry per player, including this one
        if self._params.players > 1:
            self._ready_at = self.create_publisher(Int64, READY, READY_QOS)
            self.create_subscription(Int64, READY, self._on_ready, READY_QOS)
        self._sent = self._sent_bytes = 0
        self._played_us = 0
        self._slipped_ns = 0
        self._failure = ''
        self._stopping = threading.Event()
        self._ready: queue.Queue[DuePacket | None] = queue.Queue(READ_AHEAD)
        self._diagnostics = Diagnostics(self, self._status)
        self._workers = [Worker(self, work) for work in (self._read, self._play)]
        self.get_logger().info(f'playing: {self._params}')

    def destroy_node(self) -> None:
        """Stop the threads."""
        self._stopping.set()
        for worker in self._workers:
            worker.join(timeout_s=2.0)
        super().destroy_node()
        for worker in self._workers:
            worker.raise_failure()

    def _on_ready(self, ready: Int64) -> None:
        self._others_ready_ns.append(ready.data)

    def _read(self) -> None:
        """Fill the packet queue; terminate it with None."""
        packets: Iterator[DuePacket] | None = self._packets
        again = True
        try:
            while again and not self._stopping.is_set():
                again = False
                try:
                    for packet in packets or due_packets(self._params):
                        if not self._put(packet):
                            return
                        again = self._params.loop
                except InputError as error:  # raised after the readable rest
                    self._fail(f'parts of the recording cannot be played: {error}')
                packets = None
        finally:  # also after an exception; otherwise the other thread would wait forever
            self._put(None)

    def _fail(self, text: str) -> None:
        """Report a damaged recording; only once if it is played in a loop."""
        if text != self._failure:
            self._failure = text
            self.get_logger().error(text)

    def _put(self, packet: DuePacket | None) -> bool:
        while not self._stopping.is_set():
            try:
                self._ready.put(packet, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def _play(self) -> None:
        """Publish every packet when it is due, then shut the process down."""
        stand_back(-10)  # only this thread, which replaces a sensor and must not be late
        if not self._wait_for_subscribers() or not self._wait_for_players():
            return
        # Due times use the steady clock, stamps the host clock, so clock steps do not delay
        # packets.
        start_ns, host_ns, last_due_us = time.monotonic_ns(), time.time_ns(), 0
        report_ns = start_ns
        while (packet := self._next()) is not None:
            if packet.due_us < last_due_us:  # the recording has restarted
                start_ns, host_ns = time.monotonic_ns(), time.time_ns()
            last_due_us = packet.due_us
            if packet.gap_us:
                self.get_logger().warning(gap_line(packet.gap_us, self._played_us))
            due_ns = start_ns + round(1000 * packet.due_us / self._params.rate)
            late_ns = time.monotonic_ns() - due_ns
            if late_ns < 0 and self._stopping.wait(-late_ns * 1e-9):
                return
            # Several players stay synchronized, so each of them catches up.
            if late_ns > SLIP_NS and self._params.players == 1:
                start_ns += late_ns
                host_ns += late_ns
                self._slipped_ns += late_ns
            self._publish(packet, host_ns)
            if time.monotonic_ns() >= report_ns:
                report_ns += 250_000_000
                self._report()
        self._report()
        if not self._stopping.wait(READ_S):
            self._diagnostics.publish()
            shut_down(self.context)

    def _wait_for_subscribers(self) -> bool:
        while self._events.get_subscription_count() < self._params.subscribers:
            if self._stopping.wait(0.05):
                return False
        return not self._stopping.wait(MATCHED_S)

    def _wait_for_players(self) -> bool:
        """Wait until the players of all cameras are ready, so that all start at the same time."""
        if self._params.players == 1:
            return True
        self._ready_at.publish(Int64(data=time.time_ns()))
        while len(self._others_ready_ns) < self._params.players:
            if self._stopping.wait(0.02):
                return False
        begin_ns = max(self._others_ready_ns) + MATCHED_NS
        return not self._stopping.wait(max(0, begin_ns - time.time_ns()) * 1e-9)

    def _next(self) -> DuePacket | None:
        while not self._stopping.is_set():
            try:
                return self._ready.get(timeout=0.1)
            except queue.Empty:
                continue
        return None

    def _publish(self, due: DuePacket, host_ns: int) -> None:
        """Publish a packet; `host_ns` is the host time at the start of playback."""
        packet = due.packet._replace(stamp_ns=host_ns + due.packet.stamp_ns)
        self._events.publish(to_event_packet(packet))
        self._sent += 1
        self._sent_bytes += len(packet.payload)
        self._played_us = due.due_us
        if due.truth is not None:
            self._truth.publish(_truth_message(due.truth, packet.stamp_ns, packet))

    def _report(self) -> None:
        """Print the sensor time played so far, for users and parent processes."""
        endless = self._params.recording or not self._params.duration_s
        total = '' if endless else f' of {self._params.duration_s:.2f}'
        print(f'played {self._played_us * 1e-6:.2f}{total} s', flush=True)

    def _status(self) -> Status:
        values = {'packets': self._sent, 'bytes': self._sent_bytes,
                  'played_s': self._played_us * 1e-6, 'slipped_ms': self._slipped_ns * 1e-6}
        return Status(self._failure or 'playing', values, warn=bool(self._failure))


def _truth_message(truth: GroundTruth, stamp_ns: int, packet) -> Skeleton2D:
    still = truth.joints_px * 0.0
    skeleton = Skeleton(truth.stamp_us, truth.joints_px, truth.visible, still)
    message = to_skeleton_message(
        skeleton, Header(stamp=to_time(stamp_ns), frame_id=packet.frame_id))
    message.width, message.height, message.trained = packet.width, packet.height, True
    return message


def main() -> int:
    """Run the node."""
    return run(EventPlayerNode)


if __name__ == '__main__':
    sys.exit(main())
