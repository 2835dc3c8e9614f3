# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes serialized messages to a rosbag2 MCAP bag that `ros2 bag play` and other tools read."""

from collections.abc import Callable
from pathlib import Path

from rosbags.interfaces import (
    Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.message_types import typestore

FOREVER = QosTime(9223372036, 854775807)


class BagWriter:
    """Writer of one bag, with embedded definitions and compressed chunks.

    If the process is killed, only the last chunk (1 MiB of messages) is lost.
    """

    def __init__(self, path: str | Path):
        """Create the bag folder.

        Raises:
            RecordingError: the folder exists or cannot be created.
        """
        self.path = Path(path)
        self.counts: dict[str, int] = {}  # messages per topic
        if self.path.exists():
            raise RecordingError(f'{self.path} exists: choose another name for the bag')
        self._writer = Writer(self.path, version=9, storage_plugin=StoragePlugin.MCAP)
        self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        try:
            self._writer.open()
        except OSError as error:
            raise RecordingError(f'bag {self.path} cannot be created: {error}') from error

    def add_topic(self, topic: str, type_name: str, *, best_effort: bool = False,
                  depth: int = 10) -> Callable[[int, bytes], None]:
        """Return a function that writes a message of this topic, given its time [ns] and bytes."""
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
        """Write the index and the metadata.

        Raises:
            RecordingError: the disk is full; the messages written so far are readable.
        """
        try:
            self._writer.close()
        except OSError as error:
            raise RecordingError(f'bag {self.path} has no index: {error}') from error
