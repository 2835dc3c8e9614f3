# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AEDAT4 files of inivation's DV software; frames, IMU and triggers in them are skipped."""

from collections.abc import Iterator
from pathlib import Path

import aedat
import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.codecs import Decoded
from hybrid_pose_ros.events.event_array import EVENT_DTYPE, TRIGGER_DTYPE
from hybrid_pose_ros.recordings.recording import Recording, check_events, check_size


class Aedat4(Recording):
    """The events of a file that holds one stream of them."""

    encoding = 'aedat4'

    def __init__(self, path: Path):
        """Read the list of streams.

        Raises:
            RecordingError: no AEDAT4 file, or not exactly one stream of events.
        """
        self.path = path
        streams = [stream for stream in self._open().id_to_stream().values()
                   if stream['type'] == 'events']
        if len(streams) != 1:
            raise RecordingError(f'{path} holds {len(streams)} event streams: expected one')
        self.width, self.height = streams[0]['width'], streams[0]['height']
        check_size(path, self.width, self.height)

    def pieces(self) -> Iterator[Decoded]:
        """Yield what each packet of the file holds."""
        try:
            for packet in self._open():
                if 'events' in packet:
                    events = _events(packet['events'])
                    check_events(self.path, events, self.width, self.height)
                    yield Decoded(events, np.empty(0, TRIGGER_DTYPE))
        except (RuntimeError, OSError) as error:
            raise RecordingError(f'{self.path} is damaged or cut short: {error}') from error

    def _open(self) -> aedat.Decoder:
        try:
            return aedat.Decoder(self.path)
        except (RuntimeError, OSError) as error:
            raise RecordingError(f'{self.path} is no whole AEDAT4 file: {error}') from error


def _events(records: np.ndarray) -> np.ndarray:
    events = np.empty(len(records), EVENT_DTYPE)
    for field, name in (('t', 't'), ('x', 'x'), ('y', 'y'), ('p', 'on')):
        events[field] = records[name]
    return events
