# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings with labels, in memory: what training and its validation draw from."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import EVENT_DTYPE
from hybrid_pose_ros.recordings.hdf5 import LABEL_CENTER_PX, Hdf5Recording


class Clip(NamedTuple):
    """One recording. N labels, J = 13 joints."""

    name: str
    width: int  # of the sensor [px]
    height: int
    events: np.ndarray  # of EVENT_DTYPE, sorted by time
    label_us: np.ndarray  # (N,) int64, sensor time
    joints_px: np.ndarray  # (N, J, 2) float32, integers are the centers of pixels
    visible: np.ndarray  # (N, J) bool: inside the image

    @property
    def start_us(self) -> int:
        """Time of the first label."""
        return int(self.label_us[0])

    @property
    def end_us(self) -> int:
        """Time of the last label."""
        return int(self.label_us[-1])

    def events_between(self, start_us: int, end_us: int) -> np.ndarray:
        """Return the events of [start_us, end_us), a view."""
        first, last = np.searchsorted(self.events['t'], [start_us, end_us])
        return self.events[first:last]

    def joints_at(self, stamps_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return joints (T, J, 2) [px], between labels on a straight line, and visible (T, J)."""
        after = np.clip(np.searchsorted(self.label_us, stamps_us), 1, len(self.label_us) - 1)
        before = after - 1
        gap_us = self.label_us[after] - self.label_us[before]
        share = np.clip((stamps_us - self.label_us[before]) / gap_us, 0, 1)[:, None, None]
        joints = (1 - share) * self.joints_px[before] + share * self.joints_px[after]
        return joints.astype(np.float32), self.visible[before] & self.visible[after]


def load_clip(path: Path) -> Clip:
    """Read a recording with labels.

    Raises:
        InputError: it has no labels, or fewer than two.
        RecordingError: it cannot be read.
    """
    recording = Hdf5Recording(path)
    labels = recording.labels()
    if labels is None or len(labels.t) < 2:
        raise InputError(f'{path} has no labels to train on: expected a recording of '
                         '`hybrid-pose simulate` or another with labels')
    pieces = [piece.events for piece in recording.pieces()]
    events = np.concatenate(pieces) if pieces else np.empty(0, EVENT_DTYPE)
    finite = np.isfinite(labels.joints_px).all(axis=-1)
    joints = np.where(finite[..., None], labels.joints_px - LABEL_CENTER_PX, 0)
    return Clip(path.stem, recording.width, recording.height,
                events[np.argsort(events['t'], kind='stable')], labels.t,
                joints.astype(np.float32), labels.visible & finite)


def load_clips(folder: str | Path) -> list[Clip]:
    """Read the recordings (.h5) of a folder in the order of their names.

    Raises:
        InputError: there is none, or the sensors differ in size.
    """
    paths = sorted(Path(folder).glob('*.h5'))
    if not paths:
        raise InputError(f'no recordings (.h5) in {folder}: make some with `hybrid-pose simulate`')
    clips = [load_clip(path) for path in paths]
    sizes = {(clip.width, clip.height) for clip in clips}
    if len(sizes) > 1:
        raise InputError(f'the recordings in {folder} are of sensors of several sizes, '
                         f'{sorted(sizes)}: training takes one size at a time')
    return clips
