# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of a dataset as files of ours, made in parallel.

A conversion can be stopped and taken up again: files that are complete are not made again. A
recording that cannot be read does not stop the others.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import NamedTuple

from hybrid_pose_ros.datasets.dataset_recording import DatasetRecording, write
from hybrid_pose_ros.errors import RecordingError


class Conversion(NamedTuple):
    """One recording of a dataset: how its channels are read, and where each is to lie."""

    load: Callable[[], list[DatasetRecording]]  # as many as there are paths, in their order
    paths: tuple[Path, ...]
    encoding: str  # what is written as the recordings' source

    @property
    def done(self) -> bool:
        """Whether all files are there."""
        return all(path.exists() for path in self.paths)


def convert(conversion: Conversion) -> dict:
    """Read one recording and write its files; return the facts, or why it is refused."""
    try:
        recordings = conversion.load()
        for recording, path in zip(recordings, conversion.paths, strict=True):
            write(recording, path, conversion.encoding)
    except RecordingError as error:
        return {'refused': str(error)}
    return {'files': len(recordings),
            'events': sum(len(recording.events) for recording in recordings),
            'labels': sum(len(recording.labels.t) for recording in recordings),
            'duration_s': 1e-6 * sum(int(recording.labels.t[-1] - recording.labels.t[0])
                                     for recording in recordings if len(recording.labels.t))}


def convert_all(conversions: list[Conversion], executor: Executor | None) -> Iterator[dict]:
    """Convert what is not there yet; yield the facts of each as it is done.

    Args:
        conversions: of recordings.
        executor: runs them; None: this process, one after the other.

    Raises:
        RecordingError: a folder cannot be made.
    """
    try:
        for folder in {path.parent for conversion in conversions for path in conversion.paths}:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f'{folder} cannot be made: {error.strerror}') from error
    missing = [conversion for conversion in conversions if not conversion.done]
    if executor is None:
        yield from map(convert, missing)
        return
    futures = [executor.submit(convert, conversion) for conversion in missing]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()
