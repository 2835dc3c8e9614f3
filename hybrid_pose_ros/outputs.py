# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Output files and folders of commands, checked before the work starts and claimed by one run."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hybrid_pose_ros.errors import FULL, MAKE_ROOM, InputError

LEAST_BYTES = 1 << 20
"""A disk with less free space than this counts as full."""

RUN_FILE = 'run.json'
"""File in the folder of a resumable run that records its data and seed."""


def check_folder(path: str | Path) -> None:
    """Check that files can be written to a folder, which need not exist; create nothing.

    Raises:
        InputError: the path or a parent is a file, permission is denied, or the disk is full.
    """
    path = Path(path)
    existing = next(part for part in (path, *path.absolute().parents) if os.path.lexists(part))
    if not existing.is_dir():
        raise InputError(f'{path} cannot be a folder, because {existing} is a file: choose '
                         'another one')
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f'{path} cannot be written, because {existing} is not writable for this '
                         'user: choose another folder')
    check_space(existing)


def check_new_file(path: str | Path) -> None:
    """Check that a new file and its folder can be created.

    Raises:
        InputError: the path exists, or as for `check_folder`.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f'{path} is a folder: expected the path of a new file')
    if os.path.lexists(path):
        raise InputError(f'{path} exists and is not overwritten: choose another file or delete it')
    check_folder(path.parent)


def check_space(folder: Path, needed_bytes: int = LEAST_BYTES) -> None:
    """Raise InputError unless the disk of an existing folder has `needed_bytes` free."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise InputError(f'{folder} cannot be written: the disk has {free >> 20} MiB left, '
                         f'{-(-needed_bytes >> 20)} MiB are needed')


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Convert a failed write inside the block to an InputError with the file and the remedy."""
    try:
        yield
    except OSError as error:
        remedy = (MAKE_ROOM if error.errno in FULL
                  else 'choose another path or make this one writable')
        raise InputError(f'{error.filename or path} cannot be written '
                         f'({error.strerror or error}): {remedy}') from error


def write_result(folder: Path, result: Mapping[str, Any], report: Callable[[], Any]) -> Any:
    """Write result.json to a folder, then a report; return the result of `report`.

    Args:
        folder: folder to create.
        result: JSON values.
        report: function that writes the files of the report.

    Raises:
        InputError: a file cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'result.json').write_text(json.dumps(result, indent=1))
        return report()


def claim(folder: Path, run: Mapping[str, Any]) -> None:
    """Record in a folder which data and settings its files depend on, or check that they match.

    Args:
        folder: folder of the files from which a run resumes; created if missing.
        run: everything that those files depend on, as JSON values.

    Raises:
        InputError: the folder belongs to another run or cannot be written.
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
        raise InputError(f'{path} is damaged or not a run file: choose another folder') from error
    if other:
        raise InputError(f'{folder} belongs to a run with other {" and ".join(other)}, so this '
                         'run '
                         'cannot resume from it: choose another folder')
