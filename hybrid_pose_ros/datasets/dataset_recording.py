# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The common output of all dataset readers: events and labels of one camera."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.hdf5 import CameraPose, Hdf5Writer, Labels
from hybrid_pose_ros.recordings.hdf5_file import check_space
from hybrid_pose_ros.recordings.labeled import LabeledRecording, labeled


class DatasetRecording(NamedTuple):
    """Events and labels of one camera, as stored in HDF5 recordings."""

    name: str
    width: int  # [px]
    height: int
    events: np.ndarray  # of EVENT_DTYPE, sorted by time, from time 0
    labels: Labels
    camera: CameraPose | None

    def labeled(self) -> LabeledRecording:
        """Return the recording in the form in which `load_labeled` returns a file.

        Raises:
            InputError: there are fewer than two labels, or they are not in order of time.
        """
        return labeled(self.name, self.width, self.height, self.events, self.labels,
                       source=self.name)


def inside_image(joints_px: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return which pixels (..., 2) are inside the image, (...) bool; NaN is outside."""
    return np.all((joints_px >= 0) & (joints_px < (width, height)), axis=-1)


def write(recording: DatasetRecording, path: Path, encoding: str) -> None:
    """Write an HDF5 recording; the file is renamed to `path` only when complete.

    Raises:
        RecordingError: the file cannot be written.
    """
    with partial_file(path, recording.events.nbytes) as partial:
        with Hdf5Writer(partial, width=recording.width, height=recording.height,
                        encoding=encoding, camera=recording.camera, start_us=0) as writer:
            writer.append(recording.events)
            writer.append_labels(*recording.labels)


@contextmanager
def partial_file(path: Path, size_bytes: int = 0) -> Iterator[Path]:
    """Yield a path to write to; the file is renamed on success and removed on failure.

    Args:
        path: final path of the file.
        size_bytes: maximum size of the file.

    Raises:
        RecordingError: the file cannot be written, or the disk lacks space for it.
    """
    partial = path.with_name(path.name + '.partial')
    try:
        check_space(path, size_bytes)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise RecordingError(f'{path} cannot be written: {error}') from error
    finally:
        partial.unlink(missing_ok=True)
