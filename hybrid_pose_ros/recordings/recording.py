# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The common interface of recordings of all file formats."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.codec import Decoded
from hybrid_pose_ros.events.event_array import no_events
from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.events.packet_stream import PacketStream


class Recording(ABC):
    """Events of one sensor; can be iterated repeatedly, each time from the start.

    For a truncated file, the iterators first yield the readable part, then raise RecordingError.
    """

    path: Path
    width: int  # of the sensor [px]
    height: int
    encoding: str  # encoding of events in the file: 'evt3', 'libcaer', 'aedat4', ...

    @abstractmethod
    def pieces(self) -> Iterator[Decoded]:
        """Yield events and triggers in decoding order, in pieces of format-dependent size."""

    def event_chunks(self, duration_us: int) -> Iterator[np.ndarray]:
        """Yield the events of each time bin [k, k + 1) * duration_us of the sensor's clock.

        Bins without events are skipped. Events that step back in time keep their decoding order
        and are put in the bin of the latest event before them.
        """
        pending: list[np.ndarray] = []
        latest_us = bin_index = None
        for events, _ in self.pieces():
            if not len(events):
                continue
            latest = np.maximum.accumulate(events['t'])
            if latest_us is not None:
                latest = np.maximum(latest, latest_us)
            bins = latest // duration_us
            cuts = np.flatnonzero(np.diff(bins, prepend=bins[0] if bin_index is None
                                          else bin_index))
            for part in np.split(events, cuts)[:-1]:
                yield np.concatenate([*pending, part])
                pending = []
            pending.append(events[cuts[-1]:] if len(cuts) else events)
            latest_us, bin_index = latest[-1], bins[-1]
        if pending:
            yield np.concatenate(pending)

    def events(self) -> np.ndarray:
        """Return all events, (N,) of EVENT_DTYPE, in decoding order."""
        return np.concatenate([no_events(), *(piece.events for piece in self.pieces())])


class PacketRecording(Recording):
    """A recording of a driver's event packets."""

    topic: str

    @abstractmethod
    def packets(self) -> Iterator[Packet]:
        """Yield the packets in recorded order."""

    @abstractmethod
    def pieces(self, stream: PacketStream | None = None) -> Iterator[Decoded]:
        """Yield the events of each packet; packet faults are counted in `stream`."""


def check_size(path: Path, width: int, height: int) -> None:
    """Raise RecordingError unless uint16 coordinates can address a sensor of this size."""
    if not (0 < width <= 1 << 16 and 0 < height <= 1 << 16):
        raise RecordingError(f'{path}: a sensor of {width}x{height} px, expected 1x1 to '
                             '65536x65536')


def check_events(path: Path, events: np.ndarray, width: int, height: int) -> None:
    """Raise RecordingError unless all events are inside the sensor and have polarity ON or OFF."""
    wrong = np.flatnonzero((events['x'] >= width) | (events['y'] >= height) | (events['p'] > 1))
    if len(wrong):
        raise RecordingError(f'{path}: event {events[wrong[0]]} (t, x, y, p) is not valid for a '
                             f'sensor of {width}x{height} px')
