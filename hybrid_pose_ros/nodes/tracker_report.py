# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tracker's status: in full on /diagnostics, and summarized in a TrackerStatus message.

The stages of a packet, each reported in percentiles:

    stamp ─ transport ─► arrival ─ queue ─► taken ─ decode ─► decoded ─ network, rest ─► pose
"""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.energy.live import SpikePower
from hybrid_pose_ros.energy.sensors import MeasuredPower
from hybrid_pose_ros.msg import TrackerStatus
from hybrid_pose_ros.nodes.diagnostics import Status
from hybrid_pose_ros.nodes.event_input import EventBatch
from hybrid_pose_ros.tracking.replay import TrackerCounts
from hybrid_pose_ros.tracking.stream_tracker import StreamTracker

KEPT = 2000
"""Number of packets or poses over which percentiles are computed."""

LEVELS = (50, 95, 99)


class RejectedStates(NamedTuple):
    """Total numbers of rejected states, by reason."""

    states_refused: int
    last_refusal: str
    states_out_of_sight: int


class Totals(NamedTuple):
    """Totals at the time of a report; the next report covers the difference to them."""

    tracker: TrackerCounts
    stale: int = 0
    packets: int = 0
    events: int = 0


class TrackerReport:
    """Collects statistics of a tracker between reports."""

    def __init__(self, tracker: StreamTracker[Any, Any], machine: MeasuredPower):
        """Start with a tracker that has not processed any packet yet."""
        self._tracker = tracker
        self._machine = machine
        self._power = SpikePower(tracker.engine)
        self._stages_ms: dict[str, deque[float]] = {stage: deque(maxlen=KEPT) for stage in (
            'transport', 'queue', 'decode', 'network', 'rest')}
        self._latencies_ms: deque[float] = deque(maxlen=KEPT)
        self._computes_ms: deque[float] = deque(maxlen=KEPT)
        self._network_ms = 0.0  # network time of the poses since the last packet
        self._stale = 0
        self._last = Totals(TrackerCounts())

    def take_pose(self, message: Any) -> None:
        """Count a published pose, or a result of another task."""
        self._stale += message.stale
        self._latencies_ms.append(message.packet_latency_ms)
        self._computes_ms.append(message.compute_ms)
        self._network_ms += message.compute_ms

    def take_packet(self, batch: EventBatch, done_ns: int) -> None:
        """Count a packet after its poses have been counted."""
        network_ms, self._network_ms = self._network_ms, 0.0
        for stage, value in zip(self._stages_ms, (
                batch.transport_ns * 1e-6,
                (batch.taken_ns - batch.arrival_ns) * 1e-6,
                (batch.decoded_ns - batch.taken_ns) * 1e-6,
                network_ms, (done_ns - batch.decoded_ns) * 1e-6 - network_ms)):
            self._stages_ms[stage].append(value)

    def report(self, stream: Mapping[str, Any], rejected: RejectedStates, *, model: str,
               queue_depth: int, period_s: float) -> tuple[Status, TrackerStatus]:
        """Return the report for the interval since the last call.

        Args:
            stream: totals of the packet stream.
            rejected: totals of the rejected states.
            model: identity of the weights.
            queue_depth: maximum number of queued packets.
            period_s: time since the last call.
        """
        tracker, last = self._tracker, self._last
        now = Totals(TrackerCounts(**vars(tracker.counts)), self._stale, stream['packets'],
                     stream['events'])
        self._last = now
        problems = self._problems(now, last)
        power = self._power.since_last(tracker.counts.network_steps, tracker.spikes, period_s)
        watts = self._machine.watts()
        age_us = tracker.state_age_us
        poses_per_s = (now.tracker.poses - last.tracker.poses) / period_s
        values = dict(stream) | vars(tracker.counts) | tracker.event_counts | power | {
            'trained': tracker.trained, 'model': model, 'poses_per_s': round(poses_per_s),
            'state_age_ms': 'none' if age_us is None else age_us * 1e-3,
            'stale_poses': self._stale, 'held_joints': tracker.held_joints,
            'hot_pixels': tracker.hot_pixels, 'queue_depth': queue_depth,
            **{f'requests_{reason}': count for reason, count in tracker.requests.items()},
            **rejected._asdict(),
            **({} if watts is None else {f'measured_power_w_{self._machine.source}': watts}),
            **_named('latency_ms', self._latencies_ms), **_named('compute_ms', self._computes_ms)}
        for stage, values_ms in self._stages_ms.items():
            values |= _named(f'{stage}_ms', values_ms)
        status = Status('; '.join(problems) or 'tracking', values, warn=bool(problems))
        return status, TrackerStatus(
            tracking=not problems, message=status.message,
            packets_per_s=(now.packets - last.packets) / period_s,
            events_per_s=(now.events - last.events) / period_s, poses_per_s=poses_per_s,
            lost_packets=stream['lost_packets'], bad_packets=stream['bad_packets'],
            stale_poses=self._stale, left_out_steps=now.tracker.left_out_steps,
            state_age_ms=math.nan if age_us is None else age_us * 1e-3, queue_depth=queue_depth,
            **{f'{stage}_ms': _ends(values_ms) for stage, values_ms in self._stages_ms.items()},
            latency_ms=_ends(self._latencies_ms), **power,
            measured_power_w=math.nan if watts is None else watts)

    def _problems(self, now: Totals, last: Totals) -> list[str]:
        tracker = self._tracker
        problems = [] if tracker.trained else ['untrained weights']
        if tracker.state_age_us is None:
            problems.append('waiting for a state of the ANN')
            if tracker.counts.states_too_old:
                problems.append('the states received are older than the kept time bins')
        if stale := now.stale - last.stale:
            problems.append(f'{stale} of {now.tracker.poses - last.tracker.poses} poses stale: '
                            'no new state of the ANN')
        merged = now.tracker.merged_steps - last.tracker.merged_steps
        left_out = now.tracker.left_out_steps - last.tracker.left_out_steps
        if merged or left_out:
            problems.append(f'overloaded: {merged} bins processed in long steps, '
                            f'{left_out} skipped')
        return problems


def _percentiles(values: deque[float]) -> np.ndarray:
    if not values:
        return np.full(len(LEVELS), np.nan)
    return np.percentile(np.fromiter(values, np.float64), LEVELS)


def _named(name: str, values: deque[float]) -> dict[str, float]:
    return {f'{name}_p{level}': float(value)
            for level, value in zip(LEVELS, _percentiles(values))} if values else {}


def _ends(values: deque[float]) -> np.ndarray:
    """Return the 50th and 99th percentiles."""
    return _percentiles(values)[[0, -1]]
