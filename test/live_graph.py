# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real nodes in one process and a domain of their own; whoever imports it skips without ROS."""

import array
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import Any

import numpy as np
import psutil
import pytest
from child_processes import held

from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.graph.description import graph, share
from hybrid_pose_ros.model import checkpoint
from hybrid_pose_ros.model.layout import message_layout, state_layout
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.transport.descriptor import StateDescriptor, TensorSpec, tensor_specs
from hybrid_pose_ros.transport.ring import StateRing

WHY = 'needs ROS 2 and the built package: run `make build`, leave PYTHONPATH empty'
rclpy = pytest.importorskip('rclpy', reason=WHY)
pytest.importorskip('hybrid_pose_ros.msg', reason=WHY)

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from event_camera_msgs.msg import EventPacket  # noqa: E402
from rcl_interfaces.msg import Log  # noqa: E402
from rclpy.context import Context  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible  # noqa: E402
from rclpy.topic_endpoint_info import TopicEndpointInfo  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from hybrid_pose_ros.msg import Skeleton2D, StateTensors  # noqa: E402
from hybrid_pose_ros.nodes.ann_initializer import AnnInitializerNode  # noqa: E402
from hybrid_pose_ros.nodes.recorder import RecorderNode  # noqa: E402
from hybrid_pose_ros.nodes.event_player import EventPlayerNode  # noqa: E402
from hybrid_pose_ros.nodes.messages import to_state_message, to_time  # noqa: E402
from hybrid_pose_ros.nodes.qos import EVENTS_QOS  # noqa: E402
from hybrid_pose_ros.nodes.ros4hri import Ros4hriNode  # noqa: E402
from hybrid_pose_ros.nodes.skeleton_markers import SkeletonMarkersNode  # noqa: E402
from hybrid_pose_ros.nodes.snn_tracker import SnnTrackerNode  # noqa: E402
from hybrid_pose_ros.nodes.triangulator import TriangulatorNode  # noqa: E402
from hybrid_pose_ros.nodes.waiting import waiting  # noqa: E402

NODES = {'event_player': EventPlayerNode, 'ann_initializer': AnnInitializerNode,
         'snn_tracker': SnnTrackerNode, 'skeleton_markers': SkeletonMarkersNode,
         'ros4hri': Ros4hriNode, 'triangulator': TriangulatorNode, 'recorder': RecorderNode}
REMAPPINGS = {spec.name: spec.remappings
              for spec in graph(driver='player', ros4hri=True, values={'record': 'bag'})}
REMAPPINGS['triangulator'] = {}  # it listens to cameras by their names
EXECUTABLES = share().parents[1] / 'lib' / 'hybrid_pose_ros'

EVENTS, STATE = '/event_camera/events', '/ann_initializer/state'
SKELETON, SKELETONS = '/snn_tracker/skeleton', '/snn_tracker/skeletons'
OVERLAY = '/skeleton_markers/overlay'
DEEP = QoSProfile(depth=1000)

WIDTH, HEIGHT = 64, 48
PERIOD_US = 4_000
FRAME = 'lens'

DEADLINE_S = 300.0
"""Only a graph that hangs takes this long, however busy the machine is."""


class LiveGraph:
    """Nodes, and a listener among them, that are spun in the test's own thread.

    It owns what it creates, and what is handed to `own`: nothing of that outlives `close`.
    """

    def __init__(self):
        """Join the domain of this run; no node of the package is started."""
        self._before = held()
        self._owned = ExitStack()
        self._context = Context()
        self._context.init(args=[])
        self._owned.callback(self._context.try_shutdown)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._owned.callback(self._executor.shutdown)
        self._nodes: dict[str, Node] = {}
        self.listener = Node('listener', context=self._context)
        self._owned.callback(self.listener.destroy_node)
        self._executor.add_node(self.listener)
        self._owned.callback(self._stop_all)
        self._logs = self.listen('/rosout', Log)
        self._reports = self.listen('/diagnostics', DiagnosticArray)

    def own(self, resource: AbstractContextManager) -> Any:
        """Enter a resource, such as a ring or a supervisor, until the graph closes."""
        return self._owned.enter_context(resource)

    def start(self, name: str, **parameters: Any) -> Node:
        """Make a node of the package as the graph's description says, and spin it."""
        if name == 'snn_tracker':  # packets wait while the other nodes have the thread
            parameters = {'merge_lag_us': 60_000_000} | parameters
        words = [word for pair in REMAPPINGS[name].items() for word in ('-r', ':='.join(pair))]
        node = NODES[name](
            context=self._context, cli_args=['--ros-args', *words],
            parameter_overrides=[Parameter(key, value=value)
                                 for key, value in parameters.items()])
        self._nodes[name] = node
        self._executor.add_node(node)
        self.spin_until(self._matched, f'the topics of {name}')
        return node

    def stop(self, name: str) -> None:
        """Destroy a node."""
        node = self._nodes.pop(name)
        self._executor.remove_node(node)
        node.destroy_node()

    def listen(self, topic: str, kind: type, qos: QoSProfile = DEEP) -> list:
        """Return a list that fills with all messages of a topic's present and later publishers.

        Those of other processes may be matched later than they publish first.
        """
        messages = []
        self.listener.create_subscription(kind, topic, messages.append, qos)
        self.spin_until(self._matched, f'the publishers of {topic}')
        return messages

    def publisher(self, topic: str, kind: type, qos: QoSProfile = DEEP, listeners: int = 1):
        """Return a publisher that has found its listeners, and they it."""
        publisher = self.listener.create_publisher(kind, topic, qos)
        self.spin_until(
            lambda: publisher.get_subscription_count() >= listeners and self._matched(),
            f'{listeners} listeners of {topic}')
        return publisher

    def _matched(self) -> bool:
        """Return whether each end of a topic in this process has found all others.

        Before that, the first messages could be lost.
        """
        graph, nodes = self.listener, [self.listener, *self._nodes.values()]
        return all(end.get_subscription_count() >= _count(
            end, graph.get_subscriptions_info_by_topic(end.topic_name), publishes=True)
            for node in nodes for end in node.publishers) and all(
            end.get_publisher_count() >= _count(
                end, graph.get_publishers_info_by_topic(end.topic_name), publishes=False)
            for node in nodes for end in node.subscriptions)

    def spin_until(self, condition: Callable[[], bool], what: str) -> None:
        """Spin all nodes until a condition holds; fail at the deadline."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, (
                f'waited for {what}; log: {self.log()}; reports: {self._reports[-3:]}')
            self._executor.spin_once(timeout_sec=0.05)

    def log(self, name: str | None = None, *, above: int = Log.INFO) -> list[str]:
        """Return what nodes, or one of them, have logged above a level."""
        return [log.msg for log in self._logs
                if log.level > above and name in (None, log.name)
                and not log.msg.startswith('untrained weights')]

    def warnings(self, name: str, count: int = 1) -> list[str]:
        """Return a node's warnings once there are this many."""
        self.spin_until(lambda: len(self.log(name)) >= count, f'{count} warnings of {name}')
        return self.log(name)

    def report(self, name: str, until: Callable[[dict[str, str]], bool] = bool) -> dict[str, str]:
        """Return the values of a node's next report for which a condition holds."""
        self._read_reports()  # of before now, such as of a node of this name that was stopped
        first = len(self.statuses(name))

        def found() -> list[dict[str, str]]:
            reports = [{pair.key: pair.value for pair in status.values}
                       for status in self.statuses(name)[first:]]
            return [values for values in reports if until(values)]
        self.spin_until(found, f'a report of {name}')
        return found()[-1]

    def _read_reports(self) -> None:
        subscription = next(each for each in self.listener.subscriptions
                            if each.topic_name == '/diagnostics')
        while read := [message for message, _ in waiting(subscription)]:
            self._reports += read

    def statuses(self, name: str) -> list[DiagnosticStatus]:
        """Return a node's reports so far."""
        return [status for message in self._reports for status in message.status
                if status.name == name]

    def close(self) -> None:
        """Release what the graph owns, the latest first; fail if any of it is left."""
        children = {child.pid for child in psutil.Process().children(recursive=True)}
        self._owned.close()
        left = held(children) - self._before
        assert not left, f'the graph left {left}'

    def _stop_all(self) -> None:
        for name in list(self._nodes):
            self.stop(name)


@contextmanager
def open_graph() -> Iterator[LiveGraph]:
    """Return a graph whose nodes report often and do not mind a camera that is silent."""
    with pytest.MonkeyPatch.context() as patch, closing(LiveGraph()) as graph:
        patch.setattr('hybrid_pose_ros.nodes.diagnostics.PERIOD_S', 0.05)  # tests wait for them
        # All nodes share a thread: while one is made, the others hear no camera.
        patch.setattr('hybrid_pose_ros.nodes.event_input.SILENCE_S', 3600.0)
        yield graph


def _count(end: Any, others: list[TopicEndpointInfo], *, publishes: bool) -> int:
    """Return how many of the known other ends of a topic can talk to one of this process."""
    def compatible(other: TopicEndpointInfo) -> bool:
        ends = (end.qos_profile, other.qos_profile)
        verdict, _ = qos_check_compatible(*(ends if publishes else ends[::-1]))
        return verdict != QoSCompatibility.ERROR
    kind = end.msg_type.__module__.split('.')[0] + '/msg/' + end.msg_type.__name__
    return sum(other.topic_type == kind and compatible(other) for other in others)


class Camera:
    """A driver: sends events in EVT3 packets, one a period of the sensor's clock."""

    def __init__(self, live: LiveGraph, listeners: int, *, width: int = WIDTH,
                 height: int = HEIGHT):
        """Wait until so many nodes listen."""
        self.seq = 0
        self.now_us = 0  # sensor time up to which events have been sent
        self._started_ns = time.time_ns()
        self._size = width, height
        self._encoder = Evt3Encoder(width, height)
        self._publisher = live.publisher(EVENTS, EventPacket, EVENTS_QOS, listeners)

    def send(self, duration_us: int, **changes: Any) -> None:
        """Send the next events, packet after packet; `changes` replace fields of the messages."""
        for _ in range(duration_us // PERIOD_US):
            events = moving_bar(self.now_us, self.now_us + PERIOD_US, *self._size)
            self.now_us += PERIOD_US
            self.send_packet(**{'events': array.array('B', self._encoder.encode(events)),
                                **changes})

    def send_packet(self, **fields: Any) -> EventPacket:
        """Send one packet as it is given; return it."""
        stamp = to_time(self._started_ns + 1000 * self.now_us)
        message = EventPacket(**{
            'header': Header(stamp=stamp, frame_id=FRAME), 'width': self._size[0],
            'height': self._size[1], 'seq': self.seq, 'encoding': 'evt3', **fields})
        self._publisher.publish(message)
        self.seq = message.seq + 1
        return message

    def begin_again(self) -> None:
        """Go back to sensor time 0, as a bag that is played in a loop."""
        self._started_ns = time.time_ns()
        self.seq = self.now_us = 0
        self._encoder = Evt3Encoder(*self._size)


class States:
    """An initializer's side: states of all zeros, and notices of them as the test wants them."""

    def __init__(self, live: LiveGraph):
        """Create the ring that the tracker of `edge` and this sensor expects."""
        weights = checkpoint.shipped('edge')
        geometry = input_geometry(weights.preset, WIDTH, HEIGHT)
        self.layout = message_layout(state_layout(weights.preset, geometry.width,
                                                  geometry.height))
        self.model = checkpoint.identity(weights)
        self.ring = live.own(StateRing(tensor_specs(self.layout), model=self.model))
        self._publisher = live.publisher(STATE, StateTensors, QoSProfile(depth=10))

    def write(self, sensor_time_us: int) -> StateDescriptor:
        """Write a state of zeros; return the notice, not sent."""
        write = self.ring.begin()
        for tensor in write.tensors.values():
            tensor[...] = 0.0
        return write.commit(sensor_time_us=sensor_time_us)

    def announce(self, descriptor: StateDescriptor) -> None:
        """Send a notice."""
        self._publisher.publish(to_state_message(descriptor, Header(), 0.0))


def moving_bar(start_us: int, end_us: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Return 20 events a millisecond on a bar that runs across the sensor twice a second."""
    times_us = np.arange(start_us, end_us, 50)
    rows = np.arange(len(times_us)) * 7 % height
    columns = (times_us * width * 2 // 1_000_000 + np.arange(len(times_us)) % 3) % width
    return event_array(times_us, columns, rows, np.arange(len(times_us)) % 2)


def stamps_us(skeletons: list[Skeleton2D]) -> list[int]:
    """Return the sensor times of skeletons."""
    return [skeleton.sensor_time_us for skeleton in skeletons]


def moved(tensors: tuple[TensorSpec, ...], offset: int) -> tuple[TensorSpec, ...]:
    """Return tensors of which the first lies elsewhere."""
    return (tensors[0]._replace(offset=offset), *tensors[1:])
