# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the poses of a bag for display, some with the events of the preceding milliseconds."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events.event_array import no_events
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.recordings.bag_messages import bag_messages
from hybrid_pose_ros.recordings.event_packet_cdr import EVENT_TYPES, parse_event_packet
from hybrid_pose_ros.recordings.event_times import EventTimes
from hybrid_pose_ros.recordings.pose_topics import POSES, one_of, poses_of
from hybrid_pose_ros.recordings.typed_messages import MessageReader
from hybrid_pose_ros.tasks.skeleton import Skeleton

EVENTS_US = 20_000
"""Time span of the events in an image."""


class Moment(NamedTuple):
    """A pose, the events of an image, or both."""

    sensor_time_us: int  # of the pose, or without one, of the last event
    pose: Any | None  # a Skeleton2D message
    events: np.ndarray | None  # events of an image; None: between images
    width: int  # of the sensor [px]
    height: int


def run_moments(bag: Path, *, period_us: int, times: EventTimes | None = None,
                reader: MessageReader | None = None) -> Iterator[Moment]:
    """Yield every pose of a bag in order; once per period, with the events of an image.

    A run without poses yields one moment with the events of the first packets. The sensor times of
    poses are moved to the clock period of the events.

    Args:
        bag: folder or file.
        period_us: sensor time between two images.
        times: record to which the times of the packets are added.
        reader: reader that counts the skipped messages.

    Raises:
        RecordingError: the path is not a bag, or the bag is damaged; raised after all readable
            poses.
    """
    reader, stream = reader or MessageReader(), PacketStream()
    times = EventTimes() if times is None else times
    batches: deque[np.ndarray] = deque()
    next_us: int | None = None
    size = 0, 0  # of the sensor, known once there are events
    for message in bag_messages(bag):
        if message.type in EVENT_TYPES:
            try:
                packet = parse_event_packet(message.cdr)
                update = stream.update(packet)
            except PacketError:
                continue
            size = packet.width, packet.height
            if update.restarted:
                batches.clear()
                next_us = None
            times.add(message.log_time_ns, packet.encoding, update.events['t'])
            if len(update.events):
                batches.append(update.events)
        elif one_of(message.topic, POSES) and (typed := reader.read(message)) is not None:
            for pose in poses_of(message.topic, typed):
                pose.sensor_time_us = times.in_latest_turn(pose.sensor_time_us)
                due = next_us is None or not (
                    next_us - period_us <= pose.sensor_time_us < next_us)
                if due:
                    next_us = pose.sensor_time_us + period_us
                yield Moment(pose.sensor_time_us, pose,
                             _recent(batches, pose.sensor_time_us) if due else None,
                             pose.width, pose.height)
    if next_us is None and batches:
        yield Moment(int(batches[-1]['t'][-1]), None, np.concatenate(batches), *size)


def skeleton_of(pose: Any) -> Skeleton:
    """Return the skeleton of a Skeleton2D message, with zero velocity."""
    return Skeleton(pose.sensor_time_us, np.stack([pose.x_px, pose.y_px], axis=1),
                    pose.confidence, np.zeros((len(pose.x_px), 2), np.float32))


def _recent(batches: deque[np.ndarray], now_us: int) -> np.ndarray:
    """Return the events of the last EVENTS_US; discard older ones."""
    start_us = now_us - EVENTS_US
    while batches and batches[0]['t'][-1] < start_us:
        batches.popleft()
    events = np.concatenate([no_events(), *batches])
    return events[(events['t'] >= start_us) & (events['t'] < now_us)]
