# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes events and a teacher's labels as a recording, and a sheet for inspecting them."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from hybrid_pose_ros.footage.labels import FrameLabels
from hybrid_pose_ros.footage.overlay import EVENTS_US, Sheet, sheet_numbers
from hybrid_pose_ros.footage.video import Frame
from hybrid_pose_ros.outputs import writing
from hybrid_pose_ros.recordings.hdf5 import LABEL_CENTER_PX, Hdf5Writer, fixed_text
from hybrid_pose_ros.recordings.hdf5_file import check_space
from hybrid_pose_ros.recordings.labeled import load_labeled


class SensorLabels(NamedTuple):
    """Joint positions on the sensor at N times, J = 13."""

    t: np.ndarray  # (N,) int64 [us], sensor time
    joints_px: np.ndarray  # (N, J, 2); NaN: unknown; pixel i covers [i, i + 1)
    visible: np.ndarray  # (N, J) bool: known, and inside the picture


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """Yield the path of a partial file, which is renamed to `path` if the block succeeds.

    Raises:
        InputError: the file cannot be written.
    """
    partial = path.with_name(path.name + '.partial')
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_recording(path: Path, width: int, height: int, pieces: Iterable[np.ndarray],
                    labels: SensorLabels | None, *, encoding: str, origin: Mapping[str, Any]
                    ) -> int:
    """Write a recording; return the number of events.

    Args:
        path: file to write.
        width: sensor width [px].
        height: sensor height [px].
        pieces: arrays of events in order of time.
        labels: labels; None: events only.
        encoding: source of the events.
        origin: origin of events and labels, stored as JSON.
    """
    events = 0
    with Hdf5Writer(path, width=width, height=height, encoding=encoding) as writer:
        for piece in pieces:
            check_space(path)
            writer.append(piece)
            events += len(piece)
        if labels is not None:
            writer.append_labels(labels.t, labels.joints_px,
                                 np.zeros((*labels.visible.shape, 3)), labels.visible)
    with h5py.File(path, 'r+') as file:
        file.attrs['settings'] = fixed_text(json.dumps(origin))
    return events


def write_sheet(path: Path, recording_path: Path, frames: Iterable[Frame],
                labels: FrameLabels) -> None:
    """Write a contact sheet of some frames and their events, with labels.

    Args:
        path: image to write.
        recording_path: the complete recording.
        frames: the frames that were labeled, in sensor time.
        labels: their labels, in pixels of the frames.
    """
    recording = load_labeled(recording_path)
    sheet = Sheet(recording.width, recording.height)
    chosen = sheet_numbers(len(labels.t))
    for number, frame in enumerate(frames):
        if number in chosen:
            stamps_us = np.array([frame.t_us])
            joints, _, _ = recording.joints_at(stamps_us)
            joints[~recording.known_at(stamps_us)] = np.nan
            events = recording.events_between(frame.t_us - EVENTS_US // 2,
                                              frame.t_us + EVENTS_US // 2)
            sheet.add(frame.image, labels.joints_px[number], events, joints[0] + LABEL_CENTER_PX,
                      frame.t_us)
    sheet.write(path)
