# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Access to HDF5 files that may be damaged or of another layout; failures raise RecordingError."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from hybrid_pose_ros.errors import RecordingError

_LIBRARY_ERRORS = (OSError, LookupError, RuntimeError, TypeError, ValueError, ArithmeticError,
                   MemoryError)
"""Exceptions raised by h5py on damaged files, and those caused by an unexpected layout."""

EXACT = 1 << 53
"""Largest integer up to which floats are exact."""

MOST_COMPRESSION = 2000
"""Maximum ratio of the size of all numbers to the file size; a damaged length would take years to
read."""

RESERVE_BYTES = 32 << 20
"""Disk space that must remain free, since the HDF5 library crashes on a full disk."""


@contextmanager
def hdf5_file(path: Path, what: str) -> Iterator[h5py.File]:
    """Open a file for reading; errors name `what` was expected, such as 'MATLAB file'.

    Raises:
        RecordingError: replaces any exception of the library while the file is open.
    """
    try:
        with h5py.File(path, 'r') as file:
            yield file
    except RecordingError:
        raise
    except _LIBRARY_ERRORS as error:
        raise RecordingError(f'{path} is damaged or not a {what}: {error}') from error


def is_hdf5(path: Path) -> bool:
    """Return whether a file is HDF5.

    Raises:
        RecordingError: the file cannot be opened.
    """
    try:
        return h5py.is_hdf5(path)
    except OSError as error:
        raise RecordingError(f'{path} cannot be read: {os.strerror(error.errno or 0)}') from error


def numbers(group: h5py.Group, name: str, dimensions: int) -> h5py.Dataset:
    """Return a numeric dataset with this number of dimensions.

    Raises:
        ValueError: there is no such dataset; `hdf5_file` converts this to a RecordingError.
    """
    dataset = group[name]
    if not (isinstance(dataset, h5py.Dataset) and dataset.ndim == dimensions
            and dataset.dtype.kind in 'iufb'):
        raise ValueError(f'{dataset} is not a numeric dataset with {dimensions} dimensions')
    _check_filters(dataset)
    return dataset


def check_whole(path: Path, name: str, values: np.ndarray, low: int, high: int, *,
                start: int = 0) -> None:
    """Raise RecordingError unless all values (N,) are whole numbers from `low` to `high`.

    Args:
        path: path of the file, for the error.
        name: name of the dataset.
        values: part of the dataset, of any numeric type.
        low: smallest valid value.
        high: largest valid value.
        start: index of the first value in the dataset.
    """
    if values.dtype.kind == 'f':
        values = values.astype(np.float64)  # float16 cannot be compared with large integers
    legal = (values >= low) & (values <= high)
    if values.dtype.kind == 'f':
        legal &= (np.abs(values) < EXACT) & (values == np.trunc(values))
    wrong = np.flatnonzero(~legal)
    if len(wrong):
        raise RecordingError(f'{path}: {name}[{start + wrong[0]}] is {values[wrong[0]]}, expected '
                             f'a whole number from {low} to {high}')


def _check_filters(dataset: h5py.Dataset) -> None:
    """Raise ValueError, with the remedy, if the dataset needs a filter that is not installed."""
    properties = dataset.id.get_create_plist()
    for number in range(properties.get_nfilters()):
        code, _, _, name = properties.get_filter(number)
        if not h5py.h5z.filter_avail(code) and not _load_filter(code):
            raise ValueError(f'{dataset.name} is compressed with {name.decode() or "a filter"} '
                             f'(HDF5 filter {code}), which is not installed: pip install '
                             'hdf5plugin provides the common ones')


def _load_filter(code: int) -> bool:
    """Return whether hdf5plugin (Blosc, Zstd, LZ4 and others) provides a filter."""
    try:
        import hdf5plugin  # noqa: F401
    except ImportError:
        return False
    return h5py.h5z.filter_avail(code)


def check_length(path: Path, datasets: list[h5py.Dataset]) -> None:
    """Raise RecordingError if datasets claim more numbers than a file of this size can hold."""
    count_bytes = sum(dataset.size * dataset.dtype.itemsize for dataset in datasets)
    if count_bytes > MOST_COMPRESSION * path.stat().st_size:
        raise RecordingError(f'{path} is damaged: it claims to contain {count_bytes} bytes '
                             f'of numbers, in {path.stat().st_size}')


def check_space(path: Path, size_bytes: int = 0) -> None:
    """Raise RecordingError unless the disk has space for a file plus RESERVE_BYTES."""
    free, needed = shutil.disk_usage(path.parent).free, RESERVE_BYTES + size_bytes
    if free < needed:
        raise RecordingError(f'{path} cannot be written: the disk has {free >> 20} MiB left, '
                             f'{needed >> 20} MiB are needed')


def tables(file: h5py.File, dimensions: Mapping[str, int], path: Path, what: str
           ) -> dict[str, h5py.Dataset]:
    """Return the numeric datasets with these names and numbers of dimensions.

    Raises:
        RecordingError: datasets are missing; the message names them.
        ValueError: one of them is not such a dataset; `hdf5_file` converts this to a
            RecordingError.
    """
    missing = [name for name in dimensions if name not in file]
    if missing:
        raise RecordingError(f'{path} is not a {what}: it lacks {", ".join(missing)}')
    found = {name: numbers(file, name, count) for name, count in dimensions.items()}
    check_length(path, list(found.values()))
    return found
