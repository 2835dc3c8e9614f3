# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The initializer between activation and deactivation: events in, states out.

The network runs in a separate thread, so packets are decoded in the meantime, and states are
always computed from the newest events.
"""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from rclpy.node import Node
from std_msgs.msg import Header, String

from hybrid_pose_ros.energy.live import ann_power
from hybrid_pose_ros.errors import InputError, TransportError
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.msg import StateTensors
from hybrid_pose_ros.nodes.clocks import at_most_every
from hybrid_pose_ros.nodes.diagnostics import Status
from hybrid_pose_ros.nodes.event_input import EventBatch, EventInput
from hybrid_pose_ros.nodes.messages import to_state_message
from hybrid_pose_ros.nodes.qos import REQUEST_QOS, STATE_QOS
from hybrid_pose_ros.nodes.worker import Worker
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.state_producer import Frame, StateProducer
from hybrid_pose_ros.tracking.state_requests import REASONS
from hybrid_pose_ros.transport.descriptor import tensor_specs
from hybrid_pose_ros.transport.ring import StateRing

RETRY_S = 1.0
"""Delay before retrying a start that failed, for example because /dev/shm was full."""

GATHERING_S = 0.002, 0.010
"""Minimum and maximum pause in which packets accumulate. The minimum is small compared with an ANN
pass. The maximum is cut short when a state is due, since its frame needs the queued packets."""


class _Stream(NamedTuple):
    """Objects that exist once the sensor size is known from the first packet."""

    producer: StateProducer
    ring: StateRing


class InitializingSession:
    """Publishes a message for every state computed by its thread."""

    def __init__(self, node: Node, params: InitializerParams, weights: Checkpoint, model: str):
        """Create the interfaces and start the thread; the sensor size is unknown at first.

        Args:
            node: node that publishes and subscribes.
            params: parameters of the initializer.
            weights: the network.
            model: identity of the weights.
        """
        self._node, self._params = node, params
        self._weights, self._model = weights, model
        self._stream: _Stream | None = None
        self._events = threading.Condition()  # guards the producer and its settings
        self._stopping = False
        self._inline = params.transport == 'inline'
        self._failure = ''
        self._retry_s = 0.0
        self._states = self._last_states = self._frames_too_sparse = 0
        self._last_slept = 0
        self._ann_ms = 0.0
        self._publisher = node.create_publisher(StateTensors, '~/state', STATE_QOS)
        self._requests: Counter[str] = Counter()
        self._asked = [
            node.create_subscription(String, '~/inline_request', self._on_inline_request,
                                     REQUEST_QOS),
            node.create_subscription(String, '~/initialize_request', self._on_initialize_request,
                                     REQUEST_QOS)]
        self.input = EventInput(node, self._on_events, gathering_s=self._gathering_s)
        self.worker = Worker(node, self._work)

    def close(self) -> None:
        """Stop the thread, destroy the interfaces and remove the segment."""
        with self._events:
            self._stopping = True
            self._events.notify()
        self.worker.join()
        self.input.close()
        for subscription in self._asked:
            self._node.destroy_subscription(subscription)
        self._node.destroy_publisher(self._publisher)
        if self._stream is not None:
            self._stream.ring.close()

    def set_params(self, params: InitializerParams) -> None:
        """Change live settings; the others must be unchanged."""
        self._params = params
        if self._stream is not None:
            with self._events:
                self._stream.producer.set_params(params)
                self._events.notify()

    def is_due(self) -> bool:
        """Return whether a state is due."""
        return self._stream is not None and self._stream.producer.is_due()

    def _on_events(self, batch: EventBatch) -> None:
        stream = self._stream or self._start(batch)
        if stream is None:
            return
        with self._events:
            if batch.restarted:
                stream.producer.restart()
            stream.producer.append(batch.events)
            if stream.producer.is_due():
                self._events.notify()

    def _gathering_s(self) -> float:
        if self._stream is None:
            return GATHERING_S[0]
        return float(np.clip(self._stream.producer.due_in_us() * 1e-6, *GATHERING_S))

    def _start(self, batch: EventBatch) -> _Stream | None:
        if time.monotonic() < self._retry_s:
            return None
        try:
            producer = StateProducer(self._weights, self._params, batch.width, batch.height)
            producer.warm_up()
            ring = self._new_ring(producer.layout)
        except InputError as error:
            self._retry_s = time.monotonic() + RETRY_S
            self._failure = str(error)
            self._node.get_logger().error(self._failure, **at_most_every(10.0))
            return None
        self._failure = ''
        if ring.collected:
            self._node.get_logger().info(f'removed segments of dead writers: {ring.collected}')
        self._stream = _Stream(producer, ring)
        return self._stream

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
            self._node.get_logger().warning(f'{error}: sending states in messages')
            self._inline = True
            return ring(shared=False)

    def _on_initialize_request(self, request: String) -> None:
        self._requests[request.data if request.data in REASONS else 'other'] += 1
        if self._stream is None:
            return
        with self._events:
            self._stream.producer.request()
            self._events.notify()

    def _on_inline_request(self, request: String) -> None:
        if self._inline or self._stream is None or request.data != self._stream.ring.name:
            return
        logger = self._node.get_logger()
        if self._params.transport == 'shared_memory':
            logger.warning(
                f'a tracker cannot see segment {request.data}, but the parameter transport is '
                'shared_memory: set it to auto or inline', **at_most_every(5.0))
            return
        self._inline = True
        logger.info(f'a tracker cannot see segment {request.data}: sending states in messages '
                    'from now on')

    def _work(self) -> None:
        """Compute states when they are due, until the session is closed."""
        while True:
            with self._events:
                self._events.wait_for(lambda: self._stopping or self.is_due())
                stream = self._stream
                if self._stopping or stream is None:
                    return
                frame = stream.producer.frame()
                if frame is not None:
                    # Under the lock, since the clock must match the frame's events.
                    header = self.input.header(frame.sensor_time_us)
            if frame is None:
                self._frames_too_sparse += 1
                time.sleep(0.01)  # wait for more packets
                continue
            self._publish(stream, frame, header)

    def _publish(self, stream: _Stream, frame: Frame, header: Header) -> None:
        started = time.perf_counter()
        write = stream.ring.begin()
        stream.producer.run_into(frame, write.tensors)
        descriptor = write.commit(sensor_time_us=frame.sensor_time_us,
                                  checksum=self._params.checksum)
        if self._inline:
            descriptor = stream.ring.inline(descriptor)
        self._ann_ms = 1e3 * (time.perf_counter() - started)
        if self._stopping:
            return
        self._publisher.publish(to_state_message(
            descriptor, header, self._ann_ms))
        self._states += 1

    def _power(self, stream: _Stream, states_per_s: float) -> dict[str, float]:
        """Return the power of the ANN, and the power if it ran in every time bin."""
        ann = partial(ann_power, self._weights.preset, *stream.producer.input_size)
        return {'power_mw': ann(states_per_s),
                'power_mw_at_every_step': ann(1e6 / self._params.step_us)}

    def status(self, period_s: float) -> Status:
        """Return the status since the last call, `period_s` ago."""
        stream = self._stream
        states = self._states - self._last_states
        self._last_states = self._states
        trained = bool(self._weights.card.get('trained'))
        problems = [self._failure] if self._failure else []
        problems += [] if trained else ['untrained weights']
        slept = stream.producer.slept if stream else 0
        problems += [] if states or slept > self._last_slept else ['no state in the last second']
        self._last_slept = slept
        power = self._power(stream, states / period_s) if stream else {}
        values = self.input.counts() | power | {
            'trained': trained, 'model': self._model, 'states': self._states,
            'states_per_s': states, 'ann_ms': self._ann_ms,
            'frames_too_sparse': self._frames_too_sparse, 'states_slept': slept,
            **{f'requests_{reason}': self._requests[reason] for reason in (*REASONS, 'other')},
            'transport': 'inline' if self._inline else 'shared_memory',
            'segment': stream.ring.name if stream else 'none'}
        return Status('; '.join(problems) or 'initializing', values, warn=bool(problems))
