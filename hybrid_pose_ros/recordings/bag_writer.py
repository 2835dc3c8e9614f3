# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Serialized messages into a rosbag2 MCAP bag that `ros2 bag play` and other readers take."""

from collections.abc import Callable
from pathlib import Path

from rosbags.interfaces import (
    Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.message_types import typestore

FOREVER = QosTime(9223372036, 854775807)


class BagWriter:
    """One bag; definitions are embedded and chunks are compressed.

    Of a writer that is killed, all but the last chunk can be read, a mebibyte of messages.
    """

    def __init__(self, path: str | Path):
        """Create the bag's folder.

        Raises:
            RecordingError: the folder exists or cannot be made.
        """
        self.path = Path(path)
        self.counts: dict[str, int] = {}  # messages by topic
        if self.path.exists():
            raise RecordingError(f'{self.path} exists: give the bag another name')
        self._writer = Writer(self.path, version=9, storage_plugin=StoragePlugin.MCAP)
        self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        try:
            self._writer.open()
        except OSError as error:
            raise RecordingError(f'bag {self.path} cannot be made: {error}') from error

    def add_topic(self, topic: str, type_name: str, *, best_effort: bool = False,
                  depth: int = 10) -> Callable[[int, bytes], None]:
        """Return the function that writes this topic's messages: (time [ns], serialized)."""
        reliability = QosReliability.BEST_EFFORT if best_effort else QosReliability.RELIABLE
        qos = Qos(QosHistory.KEEP_LAST, depth, reliability, QosDurability.VOLATILE, FOREVER,
                  FOREVER, QosLiveliness.AUTOMATIC, FOREVER, avoid_ros_namespace_conventions=False)
        connection = self._writer.add_connection(
            topic, type_name, typestore=typestore(), offered_qos_profiles=[qos])
        self.counts[topic] = 0

        def write(stamp_ns: int, serialized: bytes) -> None:
            try:
                self._writer.write(connection, stamp_ns, serialized)
            except OSError as error:
                raise RecordingError(f'bag {self.path}: {error}') from error
            self.counts[topic] += 1
        return write

    def close(self) -> None:
        """Write index and metadata.

        Raises:
            RecordingError: the disk is full; the messages so far can still be read.
        """
        try:
            self._writer.close()
        except OSError as error:
            raise RecordingError(f'bag {self.path} has no index: {error}') from error
