# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fast node: publishes a skeleton for every time bin. Its process never imports torch.

With the weights of another task, it publishes the results of that task (`nodes/tasks.py`).
"""

import sys
import time
from collections.abc import Callable

from std_msgs.msg import String

from hybrid_pose_ros.energy.sensors import MeasuredPower
from hybrid_pose_ros.errors import InputError, TransportError
from hybrid_pose_ros.model import checkpoint
from hybrid_pose_ros.msg import StateTensors, TrackerStatus
from hybrid_pose_ros.nodes.clocks import at_most_every
from hybrid_pose_ros.nodes.diagnostics import Diagnostics, Status
from hybrid_pose_ros.nodes.event_input import EventBatch, EventInput
from hybrid_pose_ros.nodes.managed import ManagedNode
from hybrid_pose_ros.nodes.messages import from_time, to_descriptor
from hybrid_pose_ros.nodes.parameters import declare
from hybrid_pose_ros.nodes.qos import REQUEST_QOS, STATE_QOS, STATUS_QOS
from hybrid_pose_ros.nodes.run import run
from hybrid_pose_ros.nodes.scheduling import make_realtime
from hybrid_pose_ros.nodes.tasks import parts_of
from hybrid_pose_ros.nodes.tracker_report import Refusals, TrackerReport
from hybrid_pose_ros.tracking.pose_tracker import Pose, PoseTracker
from hybrid_pose_ros.tracking.task_tracker import Reading
from hybrid_pose_ros.tracking.tracker_params import TrackerParams
from hybrid_pose_ros.tracking.warm_up import warm_up
from hybrid_pose_ros.transport.descriptor import tensor_specs
from hybrid_pose_ros.transport.faults import InaccessibleState, OverwrittenState, StaleState
from hybrid_pose_ros.transport.reader import StateReader, StateView


class SnnTrackerNode(ManagedNode):
    """Publish a skeleton for every time bin of every event packet."""

    def __init__(self, **kwargs):
        super().__init__('snn_tracker', **kwargs)
        self._tracker: PoseTracker | None = None  # created with the first packet's sensor size
        self._params = declare(self, TrackerParams, self._on_params)
        self._diagnostics = Diagnostics(self, self._status)
        self._machine = MeasuredPower()
        if self._params.autostart:
            self.start()

    def configure(self) -> None:
        """Load the weights and compile the kernels, so that the first packet is not delayed."""
        self._weights = checkpoint.shipped(self._params.preset, self._params.checkpoint, task=None)
        self._task = parts_of(self._weights.preset.task)
        self._model = checkpoint.identity(self._weights)
        warm_up(self._weights, self._params, self._task.tracker)
        priority = self._params.realtime_priority
        if priority and not make_realtime(priority):
            self.get_logger().warning(
                f'realtime_priority = {priority} is not permitted: allow it in '
                '/etc/security/limits.conf (rtprio), or give the process CAP_SYS_NICE')

    def cleanup(self) -> None:
        """Release the weights."""
        self._weights = None

    def activate(self) -> None:
        """Create the interfaces and reset; sensor size and state are unknown at first."""
        self._report: TrackerReport | None = None  # of it
        self._size = (0, 0)
        self._arrival_ns = 0  # of the newest packet, steady clock
        self._reader: StateReader | None = None
        self._refused = 0
        self._refusal = ''
        self._unseen = 0
        self._topics = self._task.topics(self, self._params.throttle_hz)
        self._inline_requests = self.create_publisher(String, '~/inline_request', REQUEST_QOS)
        self._requests = self.create_publisher(String, '~/initialize_request', REQUEST_QOS)
        self._statuses = self.create_publisher(TrackerStatus, '~/status', STATUS_QOS)
        self._input = EventInput(self, self._on_events, on_idle=self._on_idle)
        self._notices = self.create_subscription(StateTensors, '~/state', self._on_state,
                                                 STATE_QOS)
        self.get_logger().info(f'ready: model {self._model}, {self._params}')
        if not self._weights.card.get('trained'):
            self.get_logger().warning('untrained weights: the poses mean nothing')

    def deactivate(self) -> None:
        """Stop subscriptions and reset the sensor and the state."""
        self._input.close()
        self.destroy_subscription(self._notices)
        for publisher in (self._inline_requests, self._requests, self._statuses):
            self.destroy_publisher(publisher)
        self._topics.close()
        self._tracker = self._reader = None

    def _on_params(self, params: TrackerParams) -> None:
        self._params = params
        if self.is_active:
            self._topics.set_throttle(params.throttle_hz)
        if self._tracker is not None:
            self._tracker.set_params(params)

    def _on_events(self, batch: EventBatch) -> None:
        if self._tracker is None and not self._start(batch):
            return
        if batch.restarted:
            self._tracker.restart()
        if batch.lost_packets:
            self._tracker.mark_events_lost()
        self._arrival_ns = batch.arrival_ns
        if self._tracker.state_age_us is None:
            self._take(self._reader.latest)  # faster than waiting for the message
        waited_us = (time.monotonic_ns() - batch.arrival_ns) // 1000
        for pose in self._tracker.update(batch.events, waited_us=waited_us):
            self._publish(pose)
        done_ns = time.monotonic_ns()
        self._topics.flush(done_ns)
        self._report.take_packet(batch, done_ns)
        self._take(self._reader.latest)  # after the poses, so as not to delay them
        reason = self._tracker.take_request()
        if reason is not None:
            self._requests.publish(String(data=reason))

    def _on_idle(self) -> bool:
        return self._tracker is not None and self._tracker.catch_up()

    def _start(self, batch: EventBatch) -> bool:
        try:
            self._tracker = self._task.tracker(self._weights, self._params, batch.width,
                                               batch.height, period_us=batch.period_us)
        except InputError as error:
            self.get_logger().error(str(error), **at_most_every(10.0))
            return False
        self._size = batch.width, batch.height
        self._report = TrackerReport(self._tracker, self._machine)
        self._reader = StateReader(model=self._model,
                                   tensors=tensor_specs(self._tracker.layout))
        return True

    def _publish(self, pose: Pose | Reading) -> None:
        message = self._topics.message(pose, self._input.header(pose.stamp_us), *self._size)
        message.step_us = self._params.step_us
        message.events, message.skipped_steps = pose.events, pose.skipped_steps
        message.state_age_us, message.stale = pose.state_age_us, pose.stale
        message.trained = self._tracker.trained
        message.compute_ms = pose.compute_ns * 1e-6
        message.event_latency_ms = (time.time_ns() - from_time(message.header.stamp)) * 1e-6
        now_ns = time.monotonic_ns()
        message.packet_latency_ms = (now_ns - self._arrival_ns) * 1e-6
        self._topics.publish(message, now_ns)
        self._report.take_pose(message)

    def _on_state(self, message: StateTensors) -> None:
        if self._tracker is not None:
            self._take(lambda: self._read(message))
            self._input.use_idle_time()

    def _take(self, read: Callable[[], StateView | None]) -> None:
        """Initialize the tracker with the state that `read` returns, if any."""
        try:
            view = read()
        except StaleState:
            return
        except TransportError as error:
            self._refused += 1
            self._refusal = str(error)
            self.get_logger().warning(f'rejected a state: {error}', **at_most_every(5.0))
            return
        if view is not None:
            first = self._tracker.initialize(view)
            if first is not None:
                self._publish(first)
                self._topics.flush(time.monotonic_ns())

    def _read(self, message: StateTensors) -> StateView | None:
        """Return the state that a message announces, or the newest one if it was overwritten.

        If its shared memory is not accessible, request states in messages instead. The request is
        repeated every time, because either node may have been restarted.
        """
        try:
            return self._reader.read(to_descriptor(message))
        except OverwrittenState:
            return self._reader.latest()
        except InaccessibleState as error:
            self._unseen += 1
            self._inline_requests.publish(String(data=message.segment))
            self.get_logger().warning(f'requested states in messages: {error}',
                                      **at_most_every(5.0))
            return None

    def _status(self) -> Status:
        if not self.is_active:
            return Status('inactive', {})
        stream = self._input.counts()
        if self._tracker is None:
            return Status('waiting for events', stream, warn=True)
        status, message = self._report.report(
            stream, Refusals(self._refused, self._refusal, self._unseen), model=self._model,
            queue_depth=self._input.queue_depth(), period_s=self._diagnostics.period_s)
        message.header.stamp = self.get_clock().now().to_msg()
        self._statuses.publish(message)
        return status


def main() -> int:
    """Run the node."""
    return run(SnnTrackerNode, niceness=-10)


if __name__ == '__main__':
    sys.exit(main())
