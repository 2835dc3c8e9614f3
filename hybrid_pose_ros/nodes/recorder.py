# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Records events and results in one bag, and counts the messages."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
from event_camera_msgs.msg import EventPacket
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image
from visualization_msgs.msg import MarkerArray

from hybrid_pose_ros import msg
from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.graph.recorder_params import RecorderParams
from hybrid_pose_ros.nodes.clocks import received_ns, steady_timer
from hybrid_pose_ros.nodes.diagnostics import Diagnostics, Status
from hybrid_pose_ros.nodes.parameters import SettingsNode, declare
from hybrid_pose_ros.nodes.qos import EVENTS_QOS, RECORDED_QOS, SKELETON_QOS
from hybrid_pose_ros.nodes.run import run, shut_down
from hybrid_pose_ros.nodes.waiting import waiting
from hybrid_pose_ros.recordings.bag_writer import BagWriter
from hybrid_pose_ros.tasks.table import RESULT_TOPICS

TOPICS = (('~/skeletons', msg.Skeleton2DArray, SKELETON_QOS),
          *((f'~/{task}', getattr(msg, kind), SKELETON_QOS)
            for task, kind in RESULT_TOPICS.items()),
          ('~/ground_truth', msg.Skeleton2D, SKELETON_QOS),
          ('~/state', msg.StateTensors, RECORDED_QOS),
          ('~/status', msg.TrackerStatus, RECORDED_QOS),
          ('~/markers', MarkerArray, RECORDED_QOS),
          ('/diagnostics', DiagnosticArray, RECORDED_QOS))
OVERLAY = ('~/overlay', Image, RECORDED_QOS)
WORLD = ('~/skeleton3d', msg.Skeleton3D, SKELETON_QOS)
EVENTS = ('~/events', EventPacket, EVENTS_QOS)
LIVELY = ('~/events', '~/skeletons', *(f'~/{task}' for task in RESULT_TOPICS))
"""The graph counts as idle while none of these topics has messages."""

GATHERING_S = 0.005
"""Pause after a callback, since taking several messages together is cheaper than one by one."""

SOURCES = ('~/skeletons', '~/state', '~/markers')
"""Topics that have a publisher once the graph is complete."""


class RecorderNode(SettingsNode):
    """Record the topics of the graph without deserializing them."""

    def __init__(self, name: str = 'recorder', **kwargs):
        super().__init__(name, **kwargs)
        self._params = declare(self, RecorderParams)
        self._counts: dict[str, int] = {}
        self._failure = ''
        self._last_lively: float | None = None
        self._bag = BagWriter(_free(self._params.bag)) if self._params.bag else None
        topics = TOPICS + ((OVERLAY,) if self._params.record_overlay else ())
        topics += (WORLD,) if self._params.record_3d else ()
        subscriptions = {name: self._record(name, kind, qos) for name, kind, qos in topics}
        sources = SOURCES + ((WORLD[0],) if self._params.record_3d else ())
        self._sources = [subscriptions[name] for name in sources]
        self._records_events = False
        self._look()
        steady_timer(self, 0.1, self._look)
        self._diagnostics = Diagnostics(self, self._status)
        self.get_logger().info(f'ready: {self._params}')

    def destroy_node(self) -> None:
        """Finish the bag."""
        if self._bag is not None:
            try:
                self._bag.close()
            except RecordingError as error:
                print(f'{self.get_name()}: {error}', file=sys.stderr)
        print(json.dumps({'bag': str(self._bag.path) if self._bag else None,
                          'messages': self._counts, 'failure': self._failure}), flush=True)
        super().destroy_node()

    def _record(self, name: str, kind: type, qos: QoSProfile) -> Subscription:
        def on_message(serialized: bytes, info: dict) -> None:
            take(serialized, info)
            for more in waiting(subscription):
                take(*more)
            if name in LIVELY:
                self._last_lively = time.monotonic()
                time.sleep(GATHERING_S)

        def take(serialized: bytes, info: dict) -> None:
            self._counts[topic] += 1
            if write is not None and not self._failure:
                self._write(write, received_ns(info, time.time_ns()), serialized)

        subscription = self.create_subscription(
            kind, name, on_message, qos, raw=True)  # type: ignore[arg-type]  # with message info
        topic = subscription.topic_name
        self._counts[topic] = 0
        write = None
        if self._bag is not None:
            package = kind.__module__.split('.')[0]
            write = self._bag.add_topic(
                topic, f'{package}/msg/{kind.__name__}', depth=qos.depth,
                best_effort=qos.reliability == ReliabilityPolicy.BEST_EFFORT)
        return subscription

    def _write(self, write, stamp_ns: int, serialized: bytes) -> None:
        try:
            write(stamp_ns, serialized)
        except RecordingError as error:
            self._failure = str(error)
            self.get_logger().error(f'recording stopped, counting continues: {error}')

    def _look(self) -> None:
        """Subscribe to the events once the graph is complete; shut down when it is idle."""
        if self._params.record_events and not self._records_events and (
                not self._params.complete
                or all(source.get_publisher_count() for source in self._sources)):
            self._records_events = True
            self._record(*EVENTS)
        idle_s, last = self._params.idle_s, self._last_lively
        if idle_s and last is not None and time.monotonic() - last > idle_s:
            shut_down(self.context)

    def _status(self) -> Status:
        message = self._failure or ('recording' if self._bag is not None else 'counting')
        return Status(message, self._counts, warn=bool(self._failure))


def _free(path: str) -> Path:
    """Return the path; if it exists, with the first free number appended."""
    bag, number = Path(path), 0
    while bag.exists():
        number += 1
        bag = Path(f'{path}_{number}')
    return bag


def main(make: Callable[[], RecorderNode] = RecorderNode) -> int:
    """Run the node."""
    return run(make, niceness=5, stop_s=9.0)  # closing a bag on a slow disk takes time


if __name__ == '__main__':
    sys.exit(main())
