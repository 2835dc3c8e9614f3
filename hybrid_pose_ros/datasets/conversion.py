# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of a dataset as files of ours, made in parallel.

A conversion can be stopped and taken up again: files that are complete are not made again. A
recording that cannot be read does not stop the others.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

from hybrid_pose_ros.datasets.dataset_recording import DatasetRecording, write
from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.parallel import as_done


class Conversion(NamedTuple):
    """One recording of a dataset: how its channels are read, and what they are written to."""

    load: Callable[[], list[DatasetRecording]]
    paths: tuple[Path, ...]
    write: Callable[[list[DatasetRecording], tuple[Path, ...]], None]

    @property
    def done(self) -> bool:
        """Whether all files are there."""
        return all(path.exists() for path in self.paths)


def write_ours(recordings: list[DatasetRecording], paths: tuple[Path, ...], *, encoding: str
               ) -> None:
    """Write recordings as files of ours, one each; `encoding` is told as their source."""
    for recording, path in zip(recordings, paths, strict=True):
        write(recording, path, encoding)


def convert(conversion: Conversion) -> dict:
    """Read one recording and write its files; return the facts, or why it is refused."""
    try:
        recordings = conversion.load()
        conversion.write(recordings, conversion.paths)
    except RecordingError as error:
        return {'refused': str(error)}
    return {'files': len(conversion.paths),
            'events': sum(len(recording.events) for recording in recordings),
            'labels': sum(len(recording.labels.t) for recording in recordings),
            'duration_s': 1e-6 * sum(int(recording.labels.t[-1] - recording.labels.t[0])
                                     for recording in recordings if len(recording.labels.t))}


def make_folders(folders: Iterable[Path]) -> None:
    """Make folders that are not there yet.

    Raises:
        RecordingError: one cannot be made.
    """
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(f'{folder} cannot be made: {error.strerror}') from error


def convert_all(conversions: list[Conversion], executor: Executor | None) -> Iterator[dict]:
    """Convert what is not there yet; yield the facts of each as it is done.

    Args:
        conversions: of recordings.
        executor: runs them; None: this process, one after the other.

    Raises:
        RecordingError: a folder cannot be made.
    """
    make_folders({path.parent for conversion in conversions for path in conversion.paths})
    yield from as_done(convert, [conversion for conversion in conversions
                                 if not conversion.done], executor)
