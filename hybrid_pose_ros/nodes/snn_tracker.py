# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fast node: packets in, a skeleton out for every time bin. Its process never imports torch."""

import sys
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from std_msgs.msg import String

from hybrid_pose_ros import checkpoint
from hybrid_pose_ros.errors import InputError, TransportError
from hybrid_pose_ros.evaluation.live_power import SpikePower
from hybrid_pose_ros.evaluation.measured_power import MeasuredPower
from hybrid_pose_ros.msg import StateTensors
from hybrid_pose_ros.nodes.diagnostics import Diagnostics, Status
from hybrid_pose_ros.nodes.event_input import EventBatch, EventInput
from hybrid_pose_ros.nodes.managed import ManagedNode
from hybrid_pose_ros.nodes.messages import from_time, to_descriptor, to_skeleton_message
from hybrid_pose_ros.nodes.parameters import declare
from hybrid_pose_ros.nodes.qos import REQUEST_QOS, STATE_QOS
from hybrid_pose_ros.nodes.run import run
from hybrid_pose_ros.nodes.skeleton_topics import SkeletonTopics
from hybrid_pose_ros.pipeline import Pose, PoseTracker, TrackerParams
from hybrid_pose_ros.transport.descriptor import tensor_specs
from hybrid_pose_ros.transport.faults import OverwrittenState, StaleState
from hybrid_pose_ros.transport.reader import StateReader, StateView, can_share
from hybrid_pose_ros.warm_up import warm_up


class SnnTrackerNode(ManagedNode):
    """Publish a skeleton for every time bin of every event packet."""

    def __init__(self, **kwargs):
        super().__init__('snn_tracker', **kwargs)
        self._params = declare(self, TrackerParams)
        self._diagnostics = Diagnostics(self, self._status)
        self._machine = MeasuredPower()
        if self._params.autostart:
            self.start()

    def configure(self) -> None:
        """Load the weights and compile the kernels, before the first packet waits for it."""
        self._weights = checkpoint.shipped(self._params.preset, self._params.checkpoint)
        self._model = checkpoint.identity(self._weights)
        warm_up(self._weights, self._params)

    def cleanup(self) -> None:
        """Let go the weights."""
        self._weights = None

    def activate(self) -> None:
        """Begin with nothing known: neither the sensor nor a state."""
        self._tracker: PoseTracker | None = None  # made for the sensor of the first packet
        self._power: SpikePower | None = None
        self._size = (0, 0)
        self._arrival_ns = 0  # of the newest packet
        self._reader: StateReader | None = None
        self._refused = 0
        self._refusal = ''
        self._unseen = 0
        self._latencies_ms: deque[float] = deque(maxlen=2000)
        self._computes_ms: deque[float] = deque(maxlen=2000)
        self._last_poses = self._last_stale = self._last_merged = self._last_left_out = 0
        self._stale = 0
        self._skeletons = SkeletonTopics(self, self._params.throttle_hz)
        self._inline_requests = self.create_publisher(String, '~/inline_request', REQUEST_QOS)
        self._requests = self.create_publisher(String, '~/initialize_request', REQUEST_QOS)
        self._input = EventInput(self, self._on_events)
        self._notices = self.create_subscription(StateTensors, '~/state', self._on_state,
                                                 STATE_QOS)
        self.get_logger().info(f'ready: model {self._model}, {self._params}')
        if not self._weights.card.get('trained'):
            self.get_logger().warning('untrained weights: the poses mean nothing')

    def deactivate(self) -> None:
        """Take in no more, and forget the sensor and the state."""
        self._input.close()
        self.destroy_subscription(self._notices)
        for publisher in (self._inline_requests, self._requests):
            self.destroy_publisher(publisher)
        self._skeletons.close()
        self._tracker = self._reader = None

    def _on_events(self, batch: EventBatch) -> None:
        if self._tracker is None and not self._start(batch):
            return
        if batch.restarted:
            self._tracker.restart()
        if batch.lost_packets:
            self._tracker.lose()
        self._arrival_ns = batch.arrival_ns
        self._take(self._reader.latest)  # a look into the ring is sooner than the notice
        waited_us = (time.time_ns() - batch.arrival_ns) // 1000
        for pose in self._tracker.update(batch.events, waited_us=waited_us):
            self._publish(pose)
        self._skeletons.flush(time.time_ns())
        reason = self._tracker.take_request()
        if reason is not None:
            self._requests.publish(String(data=reason))

    def _start(self, batch: EventBatch) -> bool:
        try:
            self._tracker = PoseTracker(self._weights, self._params, batch.width, batch.height)
        except InputError as error:
            self.get_logger().error(str(error), throttle_duration_sec=10.0)
            return False
        self._size = batch.width, batch.height
        self._power = SpikePower(self._tracker.engine)
        self._reader = StateReader(model=self._model,
                                   tensors=tensor_specs(self._tracker.layout))
        return True

    def _publish(self, pose: Pose) -> None:
        message = to_skeleton_message(pose.skeleton, self._input.header(pose.skeleton.stamp_us))
        message.step_us = self._params.step_us
        message.width, message.height = self._size
        message.events, message.skipped_steps = pose.events, pose.skipped_steps
        message.state_age_us, message.stale = pose.state_age_us, pose.stale
        message.held = pose.held.tolist()
        message.trained = self._tracker.trained
        message.compute_ms = pose.compute_ns * 1e-6
        now_ns = time.time_ns()
        message.event_latency_ms = (now_ns - from_time(message.header.stamp)) * 1e-6
        message.packet_latency_ms = (now_ns - self._arrival_ns) * 1e-6
        self._skeletons.publish(message, now_ns)
        self._stale += pose.stale
        self._latencies_ms.append(message.packet_latency_ms)
        self._computes_ms.append(message.compute_ms)

    def _on_state(self, message: StateTensors) -> None:
        if self._tracker is not None:
            self._take(lambda: self._read(message))

    def _take(self, read: Callable[[], StateView | None]) -> None:
        """Let the tracker start from the state that `read` brings, if it brings one."""
        try:
            view = read()
        except StaleState:
            return
        except TransportError as error:
            self._refused += 1
            self._refusal = str(error)
            self.get_logger().warning(f'refused a state: {error}', throttle_duration_sec=5.0)
            return
        if view is not None:
            first = self._tracker.initialize(view)
            if first is not None:
                self._publish(first)
                self._skeletons.flush(time.time_ns())

    def _read(self, message: StateTensors) -> StateView | None:
        """Return the state that a notice announces, or the newest one where this is gone.

        Where its memory cannot be seen from here, the writer is asked for states in the messages.
        Every time: either node may have been started anew since.
        """
        descriptor = to_descriptor(message)
        if not descriptor.payload and not can_share(descriptor):
            self._unseen += 1
            self._inline_requests.publish(String(data=descriptor.segment))
            self.get_logger().warning(
                f'segment {descriptor.segment} is on another host, in another container or another '
                'user\'s: asked for states in the messages', throttle_duration_sec=5.0)
            return None
        try:
            return self._reader.read(descriptor)
        except OverwrittenState:
            return self._reader.latest()

    def _status(self) -> Status:
        if not self.is_active:
            return Status('inactive', {})
        stream, tracker = self._input.counts(), self._tracker
        if tracker is None:
            return Status('waiting for events', stream, warn=True)
        poses = tracker.counts.poses - self._last_poses
        self._last_poses = tracker.counts.poses
        age_us = tracker.state_age_us
        problems = [] if tracker.trained else ['untrained weights']
        if age_us is None:
            problems.append('waiting for a state of the ANN')
            if tracker.counts.states_too_old:
                problems.append('those that came were older than history_us')
        stale = self._stale - self._last_stale
        self._last_stale = self._stale
        if stale:
            problems.append(f'{stale} of {poses} poses stale: no new state of the ANN')
        merged = tracker.counts.merged_steps - self._last_merged
        left_out = tracker.counts.left_out_steps - self._last_left_out
        self._last_merged, self._last_left_out = (tracker.counts.merged_steps,
                                                  tracker.counts.left_out_steps)
        if merged or left_out:
            problems.append(f'overloaded: {merged} bins taken in long steps, {left_out} left out')
        power = self._power.since_last(tracker.counts.network_steps, tracker.spikes,
                                       self._diagnostics.period_s)
        watts = self._machine.watts()
        power |= {} if watts is None else {f'measured_power_w_{self._machine.source}': watts}
        values = stream | vars(tracker.counts) | power | {
            'trained': tracker.trained, 'model': self._model, 'poses_per_s': poses,
            'state_age_ms': 'none' if age_us is None else age_us * 1e-3,
            'stale_poses': self._stale, 'held_joints': tracker.held_joints,
            'hot_pixels': tracker.hot_pixels,
            **{f'requests_{reason}': count for reason, count in tracker.requests.items()},
            'states_refused': self._refused, 'last_refusal': self._refusal,
            'states_out_of_sight': self._unseen,
            **_percentiles('latency_ms', self._latencies_ms),
            **_percentiles('compute_ms', self._computes_ms)}
        return Status('; '.join(problems) or 'tracking', values, warn=bool(problems))


def _percentiles(name: str, values: deque) -> dict[str, float]:
    if not values:
        return {}
    levels = np.percentile(np.fromiter(values, np.float64), (50, 95, 99))
    return {f'{name}_p{level}': float(value) for level, value in zip((50, 95, 99), levels)}


def main() -> int:
    """Run the node."""
    return run(SnnTrackerNode, niceness=-10)


if __name__ == '__main__':
    sys.exit(main())
