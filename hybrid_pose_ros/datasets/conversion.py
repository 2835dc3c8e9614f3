# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converts the recordings of a dataset to HDF5 recordings in parallel.

A conversion can be interrupted and resumed: complete files are not written again. A recording that
cannot be read does not stop the conversion of the others.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

from hybrid_pose_ros.datasets.dataset_recording import DatasetRecording, write
from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.parallel import as_done


class Conversion(NamedTuple):
    """Conversion of one recording: the function that reads its channels, and the output paths."""

    load: Callable[[], list[DatasetRecording]]
    paths: tuple[Path, ...]
    write: Callable[[list[DatasetRecording], tuple[Path, ...]], None]

    @property
    def done(self) -> bool:
        """Whether all output files exist."""
        return all(path.exists() for path in self.paths)


def write_ours(recordings: list[DatasetRecording], paths: tuple[Path, ...], *, encoding: str
               ) -> None:
    """Write one HDF5 recording per path; `encoding` is stored as the source of the events."""
    for recording, path in zip(recordings, paths, strict=True):
        write(recording, path, encoding)


def convert(conversion: Conversion) -> dict:
    """Convert one recording; return facts about it, or the error."""
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
    """Create missing folders.

    Raises:
        RecordingError: a folder cannot be created.
    """
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(f'{folder} cannot be created: {error.strerror}') from error


def convert_all(conversions: list[Conversion], executor: Executor | None) -> Iterator[dict]:
    """Convert the missing recordings; yield the facts of each on completion.

    Args:
        conversions: recordings to convert.
        executor: executor for the conversions; None: run them sequentially in this process.

    Raises:
        RecordingError: a folder cannot be created.
    """
    make_folders({path.parent for conversion in conversions for path in conversion.paths})
    yield from as_done(convert, [conversion for conversion in conversions
                                 if not conversion.done], executor)
