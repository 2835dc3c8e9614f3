# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DHP19 as published: one AEDAT file of four cameras and one MATLAB file of Vicon per recording.

Special events in the AEDAT file, triggered by Vicon, mark the start and end of a recording. The
reader flips both axes of the sensor addresses and applies the dataset's filters.

Source: the rules and the order of the steps follow the dataset's own code (SensorsINI/DHP19).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hybrid_pose_ros.datasets.aedat2 import AddressEvents, read_aedat2
from hybrid_pose_ros.datasets.dataset_recording import DatasetRecording
from hybrid_pose_ros.datasets.dhp19_calibration import CAMERA_OF_CHANNEL
from hybrid_pose_ros.datasets.dhp19_filters import filtered
from hybrid_pose_ros.datasets.dhp19_labels import LABEL_US, channel_camera, channel_labels
from hybrid_pose_ros.datasets.vicon import read_vicon
from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.representation.geometry import DHP19_SENSOR

MOST_SPECIALS = 5
LONGEST_SILENCE_US = 1_000_000
"""Maximum pause in the events of all four sensors; noise alone prevents longer ones."""
MOST_STEP_BACK_US = 100_000
"""Maximum step back in time that sorting a camera's events fixes; larger ones are clock resets."""


def read_channels(aedat_path: Path, mat_path: Path, channels: Sequence[int], name: str
                  ) -> list[DatasetRecording]:
    """Read channels (0 to 3) of a recording; filtered, with time 0 at the start of the recording.

    Raises:
        RecordingError: a file cannot be read or is damaged, or its special events or clock are
            inconsistent.
    """
    joints_mm = read_vicon(mat_path)
    recorded = read_aedat2(aedat_path)
    labels_us = LABEL_US * len(joints_mm)
    if not len(recorded.t):
        raise RecordingError(f'{aedat_path} contains no events')
    start_us, stop_us = span(recorded.t, recorded.specials_us, labels_us, aedat_path)
    recorded = _between(recorded, start_us, stop_us)
    if not len(recorded.t):
        raise RecordingError(f'{aedat_path} contains no events between its start at {start_us} '
                             f'us and its end at {stop_us} us')
    end_us = min(stop_us - start_us, labels_us)
    last_us = int(recorded.t.max()) - start_us
    recorded = _turned_and_filtered(recorded)
    stamps_us = LABEL_US * np.arange(end_us // LABEL_US)
    if not len(stamps_us):
        raise RecordingError(f'{aedat_path} lasts {end_us} us: expected at least one label '
                             f'interval of {LABEL_US} us')
    joints_mm = joints_mm[:len(stamps_us)]
    found = [DatasetRecording(
        f'{name}_cam{channel}', *DHP19_SENSOR,
        _channel_events(recorded, channel, start_us, end_us, aedat_path),
        channel_labels(joints_mm, stamps_us, channel), channel_camera(channel))
        for channel in channels]
    if last_us < end_us - LONGEST_SILENCE_US:
        raise RecordingError(f'{aedat_path}: its events end {last_us * 1e-6:.3f} s after the '
                             f'start, but the recording lasts {end_us * 1e-6:.3f} s: the file '
                             'is truncated; copy it again')
    return found


def span(t: np.ndarray, specials_us: np.ndarray, labels_us: int, path: Path) -> tuple[int, int]:
    """Return the start and end of a recording by the dataset's rules [us, clock of the file].

    With three or five special events, the first and the last define the span. One, two or four are
    duplicates of one signal, which is the start or the end, whichever is closer; the other follows
    from the duration of the labels. Without special events, the first and the last event define
    it.

    Args:
        t: times of the events, (N,), N > 0, in file order.
        specials_us: times of the special events.
        labels_us: duration of the labels.
        path: path for error messages.

    Raises:
        RecordingError: there are more than five special events, or the end is before the start.
    """
    count = len(specials_us)
    if count > MOST_SPECIALS:
        raise RecordingError(f'{path} has {count} special events: expected at most '
                             f'{MOST_SPECIALS}; the dataset treats such a recording as corrupted')
    if not count:
        start_us, stop_us = int(t[0]), int(t[-1])
    elif count in (3, 5):
        start_us, stop_us = int(specials_us[0]), int(specials_us[-1])
    else:
        special = int(specials_us[0])
        first, last = (t.min(), t.max()) if count == 1 else (t[0], t[-1])
        if last < first:  # the clock was reset
            start_us, stop_us = special, int(t.max())
        elif special - first > last - special:
            start_us, stop_us = max(special - labels_us, 0), special
        else:
            start_us, stop_us = special, special + labels_us
    if stop_us <= start_us:
        raise RecordingError(f'{path}: its special events give the start {start_us} us and the '
                             f'end {stop_us} us')
    return start_us, stop_us


def _between(recorded: AddressEvents, start_us: int, stop_us: int) -> AddressEvents:
    """Return the events with valid sensor addresses between the first and the last signal."""
    t = recorded.t
    if t[-1] < t[0]:  # the clock was reset: discard everything after the reset
        last = int(np.argmax(t))
        first = int(np.argmax(t >= start_us))
    else:
        inside = np.flatnonzero(t > start_us), np.flatnonzero(t < stop_us)
        first, last = (int(inside[0][0]), int(inside[1][-1])) if all(map(len, inside)) else (0, -1)
    width, height = DHP19_SENSOR
    part = recorded.chosen(slice(first, last + 1))
    return part.chosen((part.x < width) & (part.y < height)
                       & (part.channel < len(CAMERA_OF_CHANNEL)))


def _turned_and_filtered(recorded: AddressEvents) -> AddressEvents:
    width, height = DHP19_SENSOR
    turned = recorded._replace(x=width - 1 - recorded.x, y=height - 1 - recorded.y)
    return turned.chosen(filtered(turned.t, turned.x + width * turned.channel, turned.y,
                                  width * len(CAMERA_OF_CHANNEL)))


def _channel_events(recorded: AddressEvents, channel: int, start_us: int, end_us: int,
                    path: Path) -> np.ndarray:
    """Return the events of a channel in order of time, relative to the start of the recording."""
    own = recorded.channel == channel
    t = recorded.t[own] - start_us
    back_us = np.maximum.accumulate(t) - t
    if len(t) and back_us.max() > MOST_STEP_BACK_US:
        raise RecordingError(f'{path}: the clock of channel {channel} steps back by '
                             f'{back_us.max()} us')
    events = event_array(t, recorded.x[own], recorded.y[own], recorded.p[own])
    events = events[np.argsort(events['t'], kind='stable')]
    return events[(events['t'] >= 0) & (events['t'] < end_us)]
