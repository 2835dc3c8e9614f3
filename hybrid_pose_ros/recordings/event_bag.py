# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event packets of one topic of a rosbag2 bag."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hybrid_pose_ros.errors import PacketError, RecordingError
from hybrid_pose_ros.events.codec import Decoded
from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.recordings.bag_messages import bag_messages, bag_topics
from hybrid_pose_ros.recordings.event_packet_cdr import (
    EVENT_PACKET, EVENT_TYPES, parse_event_packet)
from hybrid_pose_ros.recordings.faults import Faults
from hybrid_pose_ros.recordings.recording import PacketRecording

LEGACY = ('dvs_msgs/', 'prophesee_event_msgs/')
LEGACY_REMEDY = ('legacy_to_bag of the ROS package event_camera_tools, or of '
                 'event_camera_legacy_tools, converts such bags')
"""Message types that preceded event_camera_msgs."""


class EventBag(PacketRecording):
    """Packets as published by the driver; the first valid one determines size and encoding."""

    def __init__(self, path: Path, topic: str | None = None):
        """Find the topic and its first decodable packet.

        Raises:
            RecordingError: the path is not a bag, has no event topic, or has several and `topic`
                names none of them, or no packet can be decoded.
        """
        self.path = path
        self.topic = _event_topic(path, topic)
        first = self._first_good_packet()
        self.width, self.height, self.encoding = first.width, first.height, first.encoding

    def _first_good_packet(self) -> Packet:
        fault = None
        for packet in self.packets():
            try:
                PacketStream().update(packet)
                return packet
            except PacketError as error:
                fault = error
        if fault is None:
            raise RecordingError(f'{self.path} has no messages of {self.topic}')
        raise RecordingError(f'{self.path} has no packet of {self.topic} that can be decoded: '
                             f'{fault}') from fault

    def packets(self) -> Iterator[Packet]:
        """Yield the packets in order of log time.

        Raises:
            RecordingError: parts of the bag or some messages cannot be read; raised after all
                readable packets.
        """
        faults = Faults()
        with faults.collected():
            for index, message in enumerate(bag_messages(self.path, [self.topic])):
                try:
                    yield parse_event_packet(message.cdr)
                except PacketError as error:
                    faults.add(f'{self.path}: message {index} of {self.topic}: {error}')
        faults.raise_any()

    def pieces(self, stream: PacketStream | None = None) -> Iterator[Decoded]:
        """Yield the events of each packet; packet faults are counted in `stream`."""
        stream = stream or PacketStream()
        for packet in self.packets():
            with suppress(PacketError):
                update = stream.update(packet)
                yield Decoded(update.events, update.triggers)


def _event_topic(path: Path, wanted: str | None) -> str:
    types = bag_topics(path)
    found = [topic for topic, kind in types.items() if kind in EVENT_TYPES]
    if not found:
        topics = ', '.join(f'{topic} ({kind or "unknown type"})'
                           for topic, kind in sorted(types.items())) or 'no topics'
        legacy = any(kind.startswith(LEGACY) for kind in types.values())
        raise RecordingError(f'{path} has no event packets ({EVENT_PACKET}), only {topics}'
                             + (f'; {LEGACY_REMEDY}' if legacy else ''))
    if wanted is None and len(found) > 1:
        raise RecordingError(f'{path} has several event topics, choose one: '
                             f'{", ".join(sorted(found))}')
    if wanted is not None and wanted not in found:
        raise RecordingError(f'{path} has no event topic {wanted}, only '
                             f'{", ".join(sorted(found))}')
    return wanted or found[0]
