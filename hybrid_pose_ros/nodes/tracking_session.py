# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tracker between activation and deactivation: events and states in, results out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from rclpy.node import Node
from std_msgs.msg import Header, String

from hybrid_pose_ros.energy.sensors import MeasuredPower
from hybrid_pose_ros.errors import InputError, TransportError
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.msg import StateTensors, TrackerStatus
from hybrid_pose_ros.nodes.clocks import at_most_every
from hybrid_pose_ros.nodes.diagnostics import Status
from hybrid_pose_ros.nodes.event_input import EventBatch, EventInput
from hybrid_pose_ros.nodes.messages import from_time, to_descriptor
from hybrid_pose_ros.nodes.qos import REQUEST_QOS, STATE_QOS, STATUS_QOS
from hybrid_pose_ros.nodes.tracker_report import RejectedStates, TrackerReport
from hybrid_pose_ros.tracking.stream_tracker import Result, StreamTracker
from hybrid_pose_ros.tracking.tracker_params import TrackerParams
from hybrid_pose_ros.transport.descriptor import tensor_specs
from hybrid_pose_ros.transport.faults import InaccessibleState, OverwrittenState, StaleState
from hybrid_pose_ros.transport.reader import StateReader, StateView

Published = TypeVar('Published', contravariant=True)


class Topics(Protocol[Published]):
    """The topics for a task's results, such as `skeleton_topics.SkeletonTopics`."""

    def set_throttle(self, throttle_hz: float) -> None:
        """Set the rate of the throttled topic, if there is one."""

    def close(self) -> None:
        """Destroy the publishers."""

    def message(self, result: Published, header: Header, width: int, height: int, /) -> Any:
        """Return a result as a message; the caller adds timing and state age."""

    def publish(self, message: Any, now_ns: int, /) -> None:
        """Publish a message at this steady clock time, or keep it until `flush`."""

    def flush(self, now_ns: int, /) -> None:
        """Publish the kept messages."""


@dataclass(frozen=True)
class _Stream(Generic[Result]):
    """Objects that exist once the sensor size is known from the first packet."""

    width: int  # of the sensor [px]
    height: int
    tracker: StreamTracker[Result, Any]
    report: TrackerReport
    reader: StateReader


class TrackingSession(Generic[Result]):
    """Publishes a result for every time bin of every event packet."""

    def __init__(self, node: Node, params: TrackerParams, weights: Checkpoint, model: str,
                 machine: MeasuredPower, tracker: type[StreamTracker[Result, Any]],
                 topics: Topics[Result]):
        """Create the interfaces; sensor size and state are unknown at first.

        Args:
            node: node that publishes and subscribes.
            params: parameters of the tracker.
            weights: the network.
            model: identity of the weights.
            machine: power measurement of the machine.
            tracker: class of the task's tracker.
            topics: topics for its results.
        """
        self._node, self._params = node, params
        self._weights, self._model, self._machine = weights, model, machine
        self._tracker_class, self._topics = tracker, topics
        self._stream: _Stream[Result] | None = None
        self._arrival_ns = 0  # arrival of the newest packet, steady clock
        self._refused = 0
        self._refusal = ''
        self._unseen = 0
        self._inline_requests = node.create_publisher(String, '~/inline_request', REQUEST_QOS)
        self._requests = node.create_publisher(String, '~/initialize_request', REQUEST_QOS)
        self._statuses = node.create_publisher(TrackerStatus, '~/status', STATUS_QOS)
        self.input = EventInput(node, self._on_events, on_idle=self._on_idle)
        self._notices = node.create_subscription(StateTensors, '~/state', self._on_state,
                                                 STATE_QOS)

    @property
    def tracker(self) -> StreamTracker[Result, Any] | None:
        """The tracker; None before the first packet."""
        return None if self._stream is None else self._stream.tracker

    def close(self) -> None:
        """Destroy the interfaces."""
        self.input.close()
        self._node.destroy_subscription(self._notices)
        for publisher in (self._inline_requests, self._requests, self._statuses):
            self._node.destroy_publisher(publisher)
        self._topics.close()

    def set_params(self, params: TrackerParams) -> None:
        """Change live settings; the others must be unchanged."""
        self._params = params
        self._topics.set_throttle(params.throttle_hz)
        if self._stream is not None:
            self._stream.tracker.set_params(params)

    def status(self, period_s: float) -> Status:
        """Return the status since the last call, `period_s` ago, and publish a summary of it."""
        counts = self.input.counts()
        if self._stream is None:
            return Status('waiting for events', counts, warn=True)
        status, message = self._stream.report.report(
            counts, RejectedStates(self._refused, self._refusal, self._unseen), model=self._model,
            queue_depth=self.input.queue_depth(), period_s=period_s)
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._statuses.publish(message)
        return status

    def _on_events(self, batch: EventBatch) -> None:
        stream = self._stream or self._start(batch)
        if stream is None:
            return
        tracker = stream.tracker
        if batch.restarted:
            tracker.restart()
        if batch.lost_packets:
            tracker.mark_events_lost()
        self._arrival_ns = batch.arrival_ns
        if tracker.state_age_us is None:
            self._take(stream, stream.reader.latest)  # faster than waiting for the message
        waited_us = (time.monotonic_ns() - batch.arrival_ns) // 1000
        for result in tracker.update(batch.events, waited_us=waited_us):
            self._publish(stream, result)
        done_ns = time.monotonic_ns()
        self._topics.flush(done_ns)
        stream.report.take_packet(batch, done_ns)
        self._take(stream, stream.reader.latest)  # after the poses, so that they are not delayed
        reason = tracker.take_request()
        if reason is not None:
            self._requests.publish(String(data=reason))

    def _on_idle(self) -> bool:
        return self._stream is not None and self._stream.tracker.catch_up()

    def _start(self, batch: EventBatch) -> _Stream[Result] | None:
        try:
            tracker = self._tracker_class(self._weights, self._params, batch.width, batch.height,
                                          period_us=batch.period_us)
        except InputError as error:
            self._node.get_logger().error(str(error), **at_most_every(10.0))
            return None
        self._stream = _Stream(
            batch.width, batch.height, tracker, TrackerReport(tracker, self._machine),
            StateReader(model=self._model, tensors=tensor_specs(tracker.layout)))
        return self._stream

    def _publish(self, stream: _Stream[Result], result: Result) -> None:
        message = self._topics.message(result, self.input.header(result.stamp_us), stream.width,
                                       stream.height)
        message.step_us = self._params.step_us
        message.events, message.skipped_steps = result.events, result.skipped_steps
        message.state_age_us, message.stale = result.state_age_us, result.stale
        message.trained = stream.tracker.trained
        message.compute_ms = result.compute_ns * 1e-6
        message.event_latency_ms = (time.time_ns() - from_time(message.header.stamp)) * 1e-6
        now_ns = time.monotonic_ns()
        message.packet_latency_ms = (now_ns - self._arrival_ns) * 1e-6
        self._topics.publish(message, now_ns)
        stream.report.take_pose(message)

    def _on_state(self, message: StateTensors) -> None:
        stream = self._stream
        if stream is not None:
            self._take(stream, lambda: self._read(stream, message))
            self.input.use_idle_time()

    def _take(self, stream: _Stream[Result], read: Callable[[], StateView | None]) -> None:
        """Initialize the tracker with the state returned by `read`, if any."""
        try:
            view = read()
        except StaleState:
            return
        except TransportError as error:
            self._refused += 1
            self._refusal = str(error)
            self._node.get_logger().warning(f'rejected a state: {error}', **at_most_every(5.0))
            return
        if view is not None:
            first = stream.tracker.initialize(view)
            if first is not None:
                self._publish(stream, first)
                self._topics.flush(time.monotonic_ns())

    def _read(self, stream: _Stream[Result], message: StateTensors) -> StateView | None:
        """Return the state announced by a message, or the newest one if that was overwritten.

        If its shared memory is inaccessible, states are requested in messages instead. The request
        is repeated every time, because either node may have been restarted.
        """
        try:
            return stream.reader.read(to_descriptor(message))
        except OverwrittenState:
            return stream.reader.latest()
        except InaccessibleState as error:
            self._unseen += 1
            self._inline_requests.publish(String(data=message.segment))
            self._node.get_logger().warning(f'requested states in messages: {error}',
                                            **at_most_every(5.0))
            return None
