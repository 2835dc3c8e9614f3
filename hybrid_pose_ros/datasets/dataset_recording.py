# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a reader of a dataset returns: one camera's events and labels, on the way to our form."""

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
    """Events and labels of one camera, as our HDF5 files hold them."""

    name: str
    width: int  # [px]
    height: int
    events: np.ndarray  # of EVENT_DTYPE, sorted by time, from time 0
    labels: Labels
    camera: CameraPose | None

    def labeled(self) -> LabeledRecording:
        """Return it as `load_labeled` returns a file.

        Raises:
            InputError: there are less than two labels, or they are out of order.
        """
        return labeled(self.name, self.width, self.height, self.events, self.labels,
                       source=self.name)


def inside_image(joints_px: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return which pixels (..., 2) lie in the image, (...) bool; NaN does not."""
    return ((joints_px >= 0) & (joints_px < (width, height))).all(axis=-1)


def write(recording: DatasetRecording, path: Path, encoding: str) -> None:
    """Write it as one of our HDF5 files; the file has its name only when it is complete.

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
    """Give a path to write to; what was written is renamed when all went well, else removed.

    Args:
        path: of the file.
        size_bytes: that it will have at most.

    Raises:
        RecordingError: the file cannot be written, or the disk has no room for it.
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
