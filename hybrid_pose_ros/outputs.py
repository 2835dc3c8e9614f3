# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files and folders that a command writes: checked before its work begins, claimed by one run."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hybrid_pose_ros.errors import FULL, MAKE_ROOM, InputError

LEAST_BYTES = 1 << 20
"""A disk with less free space counts as full."""

RUN_FILE = 'run.json'
"""In a folder that a run can be resumed from: the data and the seed of that run."""


def check_folder(path: str | Path) -> None:
    """Check that files can be written into a folder, which may not exist yet; make nothing.

    Raises:
        InputError: the path or one above it is a file, no permission, or the disk is full.
    """
    path = Path(path)
    existing = next(part for part in (path, *path.absolute().parents) if os.path.lexists(part))
    if not existing.is_dir():
        raise InputError(f'{path} cannot be a folder, as {existing} is a file: name another one')
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f'{path} cannot be written, as {existing} is not writable for this '
                         'user: name another folder')
    check_space(existing)


def check_new_file(path: str | Path) -> None:
    """Check that a file can be made, and its folder; nothing is overwritten.

    Raises:
        InputError: the path exists, or as `check_folder`.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f'{path} is a folder: expected the name of a new file')
    if os.path.lexists(path):
        raise InputError(f'{path} exists and is not overwritten: name another file or delete it')
    check_folder(path.parent)


def check_space(folder: Path, needed_bytes: int = LEAST_BYTES) -> None:
    """Raise InputError unless the disk of an existing folder has that much free space."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise InputError(f'{folder} cannot be written: the disk has {free >> 20} MiB left, '
                         f'{-(-needed_bytes >> 20)} MiB are needed')


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turn a failed write inside the block into an InputError with the file and the remedy."""
    try:
        yield
    except OSError as error:
        remedy = (MAKE_ROOM if error.errno in FULL
                  else 'name another place, or make this one writable')
        raise InputError(f'{error.filename or path} cannot be written '
                         f'({error.strerror or error}): {remedy}') from error


def write_result(folder: Path, result: Mapping[str, Any], report: Callable[[], Any]) -> Any:
    """Write result.json into a folder, then a report; return what `report` returns.

    Args:
        folder: is made.
        result: JSON values.
        report: writes its files.

    Raises:
        InputError: a file cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'result.json').write_text(json.dumps(result, indent=1))
        return report()


def claim(folder: Path, run: Mapping[str, Any]) -> None:
    """Note in a folder which data and settings its files come from, or check that it is the same.

    Args:
        folder: of the files that a run resumes from; is made.
        run: whatever those files depend on, as JSON values.

    Raises:
        InputError: the folder belongs to another run, or cannot be written.
    """
    path = folder / RUN_FILE
    with writing(path):
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(json.dumps(run) + '\n')
    try:
        before = json.loads(path.read_text())
        other = [name for name, value in run.items() if before[name] != value]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f'{path} is damaged or something else: choose another folder') from error
    if other:
        raise InputError(f'{folder} belongs to a run with other {" and ".join(other)}, and what '
                         'it holds would be taken for this one: choose another folder')
