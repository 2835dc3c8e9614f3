# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The slow node: periodically runs the ANN on the last events and publishes the SNN state."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from std_msgs.msg import Header, String

from hybrid_pose_ros.energy.live import ann_power
from hybrid_pose_ros.errors import InputError, TransportError
from hybrid_pose_ros.model import checkpoint
from hybrid_pose_ros.msg import StateTensors
from hybrid_pose_ros.nodes.clocks import at_most_every
from hybrid_pose_ros.nodes.diagnostics import Diagnostics, Status
from hybrid_pose_ros.nodes.event_input import EventBatch, EventInput
from hybrid_pose_ros.nodes.managed import ManagedNode
from hybrid_pose_ros.nodes.messages import to_state_message
from hybrid_pose_ros.nodes.parameters import declare
from hybrid_pose_ros.nodes.qos import REQUEST_QOS, STATE_QOS
from hybrid_pose_ros.nodes.run import run
from hybrid_pose_ros.nodes.worker import Worker
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.state_producer import Frame, StateProducer
from hybrid_pose_ros.tracking.state_requests import REASONS
from hybrid_pose_ros.transport.descriptor import tensor_specs
from hybrid_pose_ros.transport.ring import StateRing

RETRY_S = 1.0
"""Delay before a failed start, for example because /dev/shm is full, is retried."""

GATHERING_S = 0.002, 0.010
"""Shortest and longest pause in which packets accumulate. The shortest is small compared with a
pass of the ANN; the longest is cut when a state is due, whose frame needs the waiting packets."""

DAVIS346 = (346, 260)
"""Sensor size of the warm-up pass [px]; with other sizes the first pass is slightly slower."""


class AnnInitializerNode(ManagedNode):
    """Publish a StateTensors message for every state written to shared memory.

    The network runs in its own thread, so packets are decoded in the meantime and a state is
    always computed from the newest events.
    """

    def __init__(self, **kwargs):
        super().__init__('ann_initializer', **kwargs)
        self._params = declare(self, InitializerParams, self._on_params)
        self._worker: Worker | None = None
        self._producer: StateProducer | None = None  # created with the first packet's sensor size
        self._events = threading.Condition()  # guards the producer and its settings
        self._diagnostics = Diagnostics(self, self._status)
        if self._params.autostart:
            self.start()

    def configure(self) -> None:
        """Load the weights and run the ANN once, so that the first packet is not delayed."""
        self._weights = checkpoint.shipped(self._params.preset, self._params.checkpoint, task=None)
        self._model = checkpoint.identity(self._weights)
        self._precision = _warm_up(self._weights, self._params)

    def cleanup(self) -> None:
        """Release the weights."""
        self._weights = None

    def activate(self) -> None:
        """Create the interfaces; the ring is created with the first packet's sensor size."""
        self._ring: StateRing | None = None
        self._stopping = False
        self._inline = self._params.transport == 'inline'
        self._failure = ''
        self._retry_s = 0.0
        self._states = self._last_states = self._frames_too_sparse = 0
        self._last_slept = 0
        self._ann_ms = 0.0
        self._publisher = self.create_publisher(StateTensors, '~/state', STATE_QOS)
        self._requests: Counter[str] = Counter()
        self._asked = [
            self.create_subscription(String, '~/inline_request', self._on_inline_request,
                                     REQUEST_QOS),
            self.create_subscription(String, '~/initialize_request', self._on_initialize_request,
                                     REQUEST_QOS)]
        self._input = EventInput(self, self._on_events, gathering_s=self._gathering_s)
        self._worker = Worker(self, self._work)
        self.get_logger().info(f'ready: model {self._model}, {self._precision}, {self._params}')
        if not self._weights.card.get('trained'):
            self.get_logger().warning('untrained weights: the states mean nothing')

    def deactivate(self) -> None:
        """Stop the worker, remove the segment, and forget the sensor."""
        with self._events:
            self._stopping = True
            self._events.notify()
        self._worker.join()
        self._input.close()
        for subscription in self._asked:
            self.destroy_subscription(subscription)
        self.destroy_publisher(self._publisher)
        if self._ring is not None:
            self._ring.close()
        self._producer = self._ring = None

    def destroy_node(self) -> None:
        """Deactivate the node; raise the exception that ended the worker, if any."""
        super().destroy_node()
        if self._worker is not None:
            self._worker.raise_failure()

    def _on_params(self, params: InitializerParams) -> None:
        self._params = params
        if self._producer is not None:
            with self._events:
                self._producer.set_params(params)
                self._events.notify()

    def _on_events(self, batch: EventBatch) -> None:
        if self._producer is None and not self._start(batch):
            return
        with self._events:
            if batch.restarted:
                self._producer.restart()
            self._producer.append(batch.events)
            if self._producer.is_due():
                self._events.notify()

    def _gathering_s(self) -> float:
        if self._producer is None:
            return GATHERING_S[0]
        return float(np.clip(self._producer.due_in_us() * 1e-6, *GATHERING_S))

    def _start(self, batch: EventBatch) -> bool:
        if time.monotonic() < self._retry_s:
            return False
        try:
            producer = StateProducer(self._weights, self._params, batch.width, batch.height)
            producer.warm_up()
            self._ring = self._new_ring(producer.layout)
        except InputError as error:
            self._retry_s = time.monotonic() + RETRY_S
            self._failure = str(error)
            self.get_logger().error(self._failure, **at_most_every(10.0))
            return False
        self._failure = ''
        if self._ring.collected:
            self.get_logger().info(f'removed segments of dead writers: {self._ring.collected}')
        self._producer = producer
        return True

    def _new_ring(self, layout: Mapping[str, tuple[int, ...]]) -> StateRing:
        def ring(shared: bool) -> StateRing:
            return StateRing(tensor_specs(layout), model=self._model, slots=self._params.slots,
                             shared=shared)
        if self._inline:
            return ring(shared=False)
        try:
            return ring(shared=True)
        except TransportError as error:
            if self._params.transport == 'shared_memory':
                raise
            self.get_logger().warning(f'{error}: sending states in messages')
            self._inline = True
            return ring(shared=False)

    def _on_initialize_request(self, request: String) -> None:
        self._requests[request.data if request.data in REASONS else 'other'] += 1
        if self._producer is None:
            return
        with self._events:
            self._producer.request()
            self._events.notify()

    def _on_inline_request(self, request: String) -> None:
        if self._inline or self._ring is None or request.data != self._ring.name:
            return
        if self._params.transport == 'shared_memory':
            self.get_logger().warning(
                f'a tracker cannot see segment {request.data}, but the parameter transport is '
                'shared_memory: set it to auto or inline', **at_most_every(5.0))
            return
        self._inline = True
        self.get_logger().info(f'a tracker cannot see segment {request.data}: sending states '
                               'in messages from now on')

    def _work(self) -> None:
        """Compute a state whenever one is due, until the node is destroyed."""
        while True:
            with self._events:
                self._events.wait_for(self._has_work)
                if self._stopping:
                    return
                frame = self._producer.frame()
                # Under the lock: the clock must be the one of the frame's events.
                header = frame and self._input.header(frame.sensor_time_us)
            if frame is None:
                self._frames_too_sparse += 1
                time.sleep(0.01)  # wait for more packets
                continue
            self._publish(frame, header)

    def _has_work(self) -> bool:
        return self._stopping or (self._producer is not None and self._producer.is_due())

    def _publish(self, frame: Frame, header: Header) -> None:
        started = time.perf_counter()
        write = self._ring.begin()
        self._producer.run_into(frame, write.tensors)
        descriptor = write.commit(sensor_time_us=frame.sensor_time_us,
                                  checksum=self._params.checksum)
        if self._inline:
            descriptor = self._ring.inline(descriptor)
        self._ann_ms = 1e3 * (time.perf_counter() - started)
        if self._stopping:
            return
        self._publisher.publish(to_state_message(
            descriptor, header, self._ann_ms))
        self._states += 1

    def _power(self, states: int) -> dict[str, float]:
        """Return the ANN power since the last report, and that of a pass in every time bin."""
        if self._producer is None:
            return {}
        ann = partial(ann_power, self._weights.preset, *self._producer.input_size)
        return {'power_mw': ann(states / self._diagnostics.period_s),
                'power_mw_at_every_step': ann(1e6 / self._params.step_us)}

    def _status(self) -> Status:
        if not self.is_active:
            return Status('inactive', {})
        states = self._states - self._last_states
        self._last_states = self._states
        trained = bool(self._weights.card.get('trained'))
        problems = [self._failure] if self._failure else []
        problems += [] if trained else ['untrained weights']
        slept = self._producer is not None and self._producer.slept > self._last_slept
        self._last_slept = self._producer.slept if self._producer else 0
        problems += [] if states or slept else ['no state in the last second']
        values = self._input.counts() | self._power(states) | {
            'trained': trained, 'model': self._model, 'states': self._states,
            'states_per_s': states, 'ann_ms': self._ann_ms,
            'frames_too_sparse': self._frames_too_sparse,
            'states_slept': self._producer.slept if self._producer else 0,
            **{f'requests_{reason}': self._requests[reason] for reason in (*REASONS, 'other')},
            'transport': 'inline' if self._inline else 'shared_memory',
            'segment': self._ring.name if self._ring else 'none'}
        return Status('; '.join(problems) or 'initializing', values, warn=bool(problems))


def _warm_up(weights: checkpoint.Checkpoint, params: InitializerParams) -> str:
    """Load torch and run the ANN once, ahead of the first packet; return its precision."""
    import torch
    torch.set_num_threads(params.threads)
    producer = StateProducer(weights, replace(params, calibration=''), *DAVIS346)
    producer.warm_up()
    return producer.precision


def main() -> int:
    """Run the node."""
    return run(AnnInitializerNode, niceness=5)


if __name__ == '__main__':
    sys.exit(main())
