# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Report of a recorded run of the graph: counts, rates, latencies, losses.

All figures are computed from the bag alone, without information from the running nodes.
"""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_pose_ros.energy.live import power_figures
from hybrid_pose_ros.errors import InputError, PacketError, RecordingError
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.recordings.bag_messages import BagMessage, bag_messages
from hybrid_pose_ros.recordings.event_packet_cdr import EVENT_TYPES, parse_event_packet
from hybrid_pose_ros.recordings.event_times import FAR_S, EventTimes
from hybrid_pose_ros.recordings.pose_topics import (
    DIAGNOSTICS, POSES, SKELETON, SKELETONS, STATE, TRUTH, one_of, poses_of)
from hybrid_pose_ros.recordings.typed_messages import MessageReader
from hybrid_pose_ros.tasks.skeleton import JOINTS

TOPICS = (*POSES, TRUTH, DIAGNOSTICS, STATE)
POWER_MW, ALWAYS_MW = 'power_mw', 'power_mw_at_every_step'
POWERED = 'snn_tracker', 'ann_initializer'
LEVELS = (50, 95, 99)
BLOCK = 10_000
JOINT = (np.float32, len(JOINTS))
POSE = np.dtype([
    ('log_ns', np.int64), ('sensor_time_us', np.int64), ('step_us', np.int64),
    ('width', np.int64), ('height', np.int64), ('x_px', *JOINT), ('y_px', *JOINT),
    ('confidence', *JOINT), ('held', bool, len(JOINTS)), ('skipped_steps', np.int64),
    ('state_age_us', np.int64), ('stale', bool), ('trained', bool), ('event_latency_ms', float),
    ('packet_latency_ms', float), ('compute_ms', float)])
"""Fields kept of a Skeleton2D, and the time at which it was recorded."""
TRUTH_POSE = np.dtype([('log_ns', np.int64), ('sensor_time_us', np.int64), ('x_px', *JOINT),
                       ('y_px', *JOINT), ('confidence', *JOINT)])


class Table:
    """Fields of many messages in columns; as messages, an hour of poses would take gigabytes."""

    def __init__(self, fields: np.dtype):
        """Create an empty table."""
        self._fields, self._names = fields, fields.names or ()
        self._blocks: list[np.ndarray] = [np.zeros(0, fields)]
        self._rows: list[tuple] = []

    def add(self, message: Any, *first: Any) -> None:
        """Add a row: given values for the first fields, then fields of the message."""
        self._rows.append((*first, *(getattr(message, name)
                                     for name in self._names[len(first):])))
        if len(self._rows) == BLOCK:
            self._close()

    def rows(self) -> np.recarray:
        """Return all rows; fields are attributes of the array and of each row."""
        self._close()
        self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0].view(np.recarray)

    def _close(self) -> None:
        self._blocks.append(np.array(self._rows, self._fields))
        self._rows = []


class _Graph:
    """Messages published by the nodes of one namespace."""

    def __init__(self):
        self.poses = {name: Table(POSE) for name in POSES}
        self.named: set[str] = set()  # topics of POSES that have messages
        self.truth = Table(TRUTH_POSE)
        self.beyond_compute_ms: list[float] = []
        self.ann_ms: list[float] = []

    def take(self, name: str, log_ns: int, message: Any) -> None:
        """Store the relevant fields of a message on one of TOPICS."""
        if name == TRUTH:
            self.truth.add(message, log_ns)
        elif name == STATE:
            self.ann_ms.append(message.ann_ms)
        else:
            self.named.add(name)
            poses = poses_of(name, message)
            for pose in poses:
                self.poses[name].add(pose, log_ns)
            if name == SKELETONS:
                self.beyond_compute_ms += beyond_compute_ms(poses)


class RecordedRun:
    """The contents of a bag for one camera, collected in one pass.

    Times of poses and of the ground truth are in the clock period of the bag's events
    (`EventTimes`).
    """

    def __init__(self, bag: Path, events_topic: str = ''):
        """Read a bag; if it is truncated or damaged, `cut` contains the reason.

        Args:
            bag: folder or file.
            events_topic: topic of the camera's event packets. If the bag has poses of several
                cameras, those in the namespace of this topic are used.

        Raises:
            InputError: the bag has poses of several cameras, and the topic does not select one.
        """
        self.messages: dict[str, int] = {}
        self.cut = ''
        self.power: dict[str, list[tuple[int, float]]] = {}  # by node, log time [ns] and mW
        self.always_mw: float | None = None  # power of an ANN pass at every step
        self._always_mw: dict[str, float] = {}  # by node, including those of other cameras
        self.stream = PacketStream()
        self.event_times = EventTimes()
        self.size_bytes = sum(path.stat().st_size for path in (bag, *bag.rglob('*'))
                              if path.is_file())
        reader = MessageReader()
        graphs: defaultdict[str, _Graph] = defaultdict(_Graph)
        self.bad = reader.bad  # skipped messages
        try:
            for message in bag_messages(bag):
                self.messages[message.topic] = self.messages.get(message.topic, 0) + 1
                if message.type in EVENT_TYPES:
                    if events_topic in ('', message.topic):
                        self._take_events(message)
                elif (name := one_of(message.topic, TOPICS)) is not None:
                    typed = reader.read(message)
                    if typed is not None and name == DIAGNOSTICS:
                        self._take_power(message.log_time_ns, typed)
                    elif typed is not None:
                        graphs[message.topic.removesuffix(name)].take(
                            name, message.log_time_ns, typed)
        except RecordingError as error:
            self.cut = str(error)
        namespace = _own(bag, graphs, events_topic)
        graph = graphs[namespace]
        # Both topics carry the same poses; use the last of POSES that has any.
        name = next((name for name in reversed(POSES) if name in graph.named), SKELETON)
        # rows of POSE, in the order of the bag
        self.poses = self._in_turn(namespace + name, graph.poses[name].rows())
        self.beyond_compute_ms = graph.beyond_compute_ms  # if poses were recorded per packet
        self.ann_ms = graph.ann_ms  # of the states
        truth = self._in_turn(namespace + TRUTH, graph.truth.rows())
        _, newest = np.unique(truth.sensor_time_us[::-1], return_index=True)
        # rows of TRUTH_POSE, by time, if the player published ground truth
        self.truth: np.recarray = truth[::-1][newest].view(np.recarray)
        self.gaps = self.event_times.gaps()  # of sensor time
        self.log_gaps = self.event_times.log_gaps()
        if graph.named:
            self._keep_own_power(namespace)

    def _take_power(self, log_ns: int, message: Any) -> None:
        """Store the power reported by our nodes; any node may publish any text on /diagnostics."""
        for status in message.status:
            if status.name.rpartition('/')[2] not in POWERED:
                continue
            values = {pair.key: pair.value for pair in status.values}
            try:
                mw, always_mw = (float(values[key]) if key in values else None
                                 for key in (POWER_MW, ALWAYS_MW))
                if any(value is not None and not 0 <= value < inf for value in (mw, always_mw)):
                    raise ValueError(f'power of {mw} and {always_mw} mW')
            except ValueError as error:
                self.bad.add(DIAGNOSTICS, f'{status.name}: {error}')
                continue
            if mw is not None:
                self.power.setdefault(status.name, []).append((log_ns, mw))
            if always_mw:
                self._always_mw[status.name] = always_mw

    def _keep_own_power(self, namespace: str) -> None:
        """Discard the power of other cameras' nodes, since all nodes share /diagnostics."""
        own = {name: f'{namespace}/{name}'.lstrip('/') for name in POWERED}
        self.power = {name: self.power[full] for name, full in own.items() if full in self.power}
        self.always_mw = next((self._always_mw[full] for full in own.values()
                               if full in self._always_mw), None)

    def _take_events(self, message: BagMessage) -> None:
        try:
            packet = parse_event_packet(message.cdr)
        except PacketError as error:
            self.bad.add(message.topic, str(error))
            return
        with suppress(PacketError):  # counted by the stream
            update = self.stream.update(packet)
            self.event_times.add(message.log_time_ns, packet.encoding, update.events['t'])

    def _in_turn(self, topic: str, rows: np.recarray) -> np.recarray:
        """Return rows with times in the clock period of the events, except rows far from them."""
        rows.sensor_time_us = self.event_times.in_turn(rows.sensor_time_us, rows.log_ns)
        near = self.event_times.near(rows.sensor_time_us)
        if not near.all():
            self.bad.add(topic, f'more than {FAR_S} s before or after all events',
                         int((~near).sum()))
        return rows[near]


def _own(bag: Path, graphs: Mapping[str, _Graph], events_topic: str) -> str:
    """Return the namespace whose poses are used."""
    spaces = [space for space, graph in graphs.items() if graph.named]
    if len(spaces) > 1:
        spaces = [space for space in spaces if events_topic.startswith(f'{space}/')]
    if len(spaces) > 1:
        spaces = [max(spaces, key=len)]
    if not spaces and any(graph.named for graph in graphs.values()):
        names = ', '.join(sorted(space or '/' for space, graph in graphs.items() if graph.named))
        raise InputError(f'{bag} has poses of several cameras ({names}): expected the topic '
                         'of the packets of one of them, such as /left/event_camera/events')
    return spaces[0] if spaces else next(iter(graphs), '')


def beyond_compute_ms(poses: list[Any]) -> list[float]:
    """Return each pose's latency minus the network time of all poses of the packet."""
    computed_ms = sum(pose.compute_ms for pose in poses)
    return [pose.packet_latency_ms - computed_ms for pose in poses]


def run_report(bag: str | Path) -> dict[str, Any]:
    """Return the figures of a recorded run, ready for JSON."""
    return summarize(RecordedRun(Path(bag)))


def summarize(run: RecordedRun) -> dict[str, Any]:
    """Return the figures of a run that has already been read.

    The skipped parts of long gaps count neither toward rates nor as missing poses.
    """
    counts = run.stream.counts
    report: dict[str, Any] = {
        'messages': run.messages, 'cut_short': run.cut,
        'packets': counts.packets, 'events': counts.events,
        'lost_packets': counts.lost_packets, 'bad_packets': counts.bad_packets,
        'bad_messages': run.bad.line(),
        'clock_restarts': counts.restarts, 'gaps': run.event_times.gap_line(),
        'poses': len(run.poses), 'states': len(run.ann_ms),
        'trained': bool(len(run.poses) and run.poses.trained.all())}
    if not len(run.poses):
        return report
    stamps_us = run.gaps.closed(run.poses.sensor_time_us)
    steps = np.diff(stamps_us)
    sensor_s = (stamps_us[-1] - stamps_us[0]) * 1e-6
    first_ns, last_ns = run.poses.log_ns[[0, -1]]
    wall_s = np.diff(run.log_gaps.closed(run.poses.log_ns[[0, -1]] // 1000))[0] * 1e-6
    step_us, ages = run.poses.step_us[0], run.poses.state_age_us
    report |= {
        'step_us': int(step_us),
        'width': int(run.poses.width[0]), 'height': int(run.poses.height[0]),
        'sensor_stamps_monotonic': bool((steps > 0).all()),
        # Bins between the first and the last pose that have no pose in the bag.
        'missing_poses': int(np.maximum(0, steps // step_us - 1).sum()),
        'skipped_steps': int(run.poses.skipped_steps.sum()),
        'poses_per_sensor_s': _rate(len(run.poses), sensor_s),
        'poses_per_wall_s': _rate(len(run.poses), wall_s),
        'mib_per_minute': round(run.size_bytes / 2**20 * 60 / wall_s, 3) if wall_s > 0 else 0.0,
        'state_handovers': int((np.diff(ages) < 0).sum() + 1),
        'state_age_ms': _percentiles(ages * 1e-3),
        'latency_ms': {
            'packet_arrival_to_publish': _percentiles(run.poses.packet_latency_ms),
            'bin_end_to_publish': _percentiles(run.poses.event_latency_ms),
            'compute': _percentiles(run.poses.compute_ms)},
        'mean_confidence': float(run.poses.confidence.mean(dtype=float))}
    if run.beyond_compute_ms:
        report['latency_ms']['packet_arrival_to_publish_beyond_compute'] = _percentiles(
            np.array(run.beyond_compute_ms))
    if len(run.truth):
        report['mpjpe_px'] = _error_px(run)
    tracker_mw, initializer_mw = (
        [mw for log_ns, mw in run.power.get(name, ()) if first_ns < log_ns <= last_ns]
        for name in POWERED)
    if run.always_mw and tracker_mw and initializer_mw:
        report['power'] = power_figures(tracker_mw, initializer_mw, run.always_mw)
    if run.ann_ms:
        report['ann_ms'] = _percentiles(np.array(run.ann_ms))
    return report


def _error_px(run: RecordedRun) -> float:
    """Return the mean distance of visible joints from simultaneous ground truth [px]."""
    at = np.searchsorted(run.truth.sensor_time_us, run.poses.sensor_time_us)
    truth = run.truth[np.minimum(at, len(run.truth) - 1)]
    known = ((truth.sensor_time_us == run.poses.sensor_time_us)[:, None]
             & (truth.confidence > 0))
    errors = np.hypot(run.poses.x_px - truth.x_px, run.poses.y_px - truth.y_px)[known]
    return round(float(errors.mean()), 3) if len(errors) else float('nan')


def _rate(count: int, seconds: float) -> float:
    return round((count - 1) / seconds, 3) if seconds > 0 else 0.0


def _percentiles(values: np.ndarray) -> dict[str, float]:
    return {f'p{level}': round(float(value), 4)
            for level, value in zip(LEVELS, np.percentile(values, LEVELS))}
