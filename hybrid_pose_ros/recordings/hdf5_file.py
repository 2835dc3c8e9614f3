# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HDF5 files that may be damaged or of another layout: a RecordingError, and nothing else."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py

from hybrid_pose_ros.errors import RecordingError

_LIBRARY_ERRORS = (OSError, LookupError, RuntimeError, TypeError, ValueError, ArithmeticError,
                   MemoryError)
"""What h5py raises on damaged files, besides what a layout that is not ours leads to."""

MOST_COMPRESSION = 2000
"""Bytes of numbers in a byte of a file; a damaged length would keep a reader busy for years."""

RESERVE_BYTES = 32 << 20
"""Space that must be left on the disk: the HDF5 library crashes on a full one."""


@contextmanager
def hdf5_file(path: Path, what: str) -> Iterator[h5py.File]:
    """Open a file to read; `what` it should be is told where it is not, as 'recording of ours'.

    Raises:
        RecordingError: in place of whatever the library raises while the file is open.
    """
    try:
        with h5py.File(path, 'r') as file:
            yield file
    except RecordingError:
        raise
    except _LIBRARY_ERRORS as error:
        raise RecordingError(f'{path} is damaged or no {what}: {error}') from error


def numbers(group: h5py.Group, name: str, dimensions: int) -> h5py.Dataset:
    """Return a dataset of numbers with so many dimensions.

    Raises:
        ValueError: it is anything else; `hdf5_file` makes it a RecordingError.
    """
    dataset = group[name]
    if not (isinstance(dataset, h5py.Dataset) and dataset.ndim == dimensions
            and dataset.dtype.kind in 'iufb'):
        raise ValueError(f'{dataset} is not numbers in {dimensions} dimensions')
    return dataset


def check_length(path: Path, datasets: list[h5py.Dataset]) -> None:
    """Raise RecordingError where datasets say that they hold more than such a file can."""
    count_bytes = sum(dataset.size * dataset.dtype.itemsize for dataset in datasets)
    if count_bytes > MOST_COMPRESSION * path.stat().st_size:
        raise RecordingError(f'{path} is damaged: it says that it holds {count_bytes} bytes '
                             f'of numbers, in {path.stat().st_size}')


def check_space(path: Path, size_bytes: int = 0) -> None:
    """Raise RecordingError unless the disk has room for a file and RESERVE_BYTES besides."""
    free, needed = shutil.disk_usage(path.parent).free, RESERVE_BYTES + size_bytes
    if free < needed:
        raise RecordingError(f'{path} cannot be written: the disk has {free >> 20} MiB left, '
                             f'{needed >> 20} MiB are needed')


def tables(file: h5py.File, dimensions: Mapping[str, int], path: Path, what: str
           ) -> dict[str, h5py.Dataset]:
    """Return the datasets of numbers of those names, each with so many dimensions.

    Raises:
        RecordingError: some are missing; the text names them.
        ValueError: one is anything else; `hdf5_file` makes it a RecordingError.
    """
    missing = [name for name in dimensions if name not in file]
    if missing:
        raise RecordingError(f'{path} is no {what}: it lacks {", ".join(missing)}')
    found = {name: numbers(file, name, count) for name, count in dimensions.items()}
    check_length(path, list(found.values()))
    return found
