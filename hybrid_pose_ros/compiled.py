# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""numba's `njit`, with its cache in the temporary folder if no other folder is writable.

numba caches next to the source or in the home folder; a service may not be able to write to
either.
"""

import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar('Function', bound=Callable[..., Any])


def njit(**options: Any) -> Callable[[Function], Function]:
    """Return numba's `njit` decorator with these options."""
    def compiled(function: Function) -> Function:
        try:
            return numba.njit(**options)(function)
        except RuntimeError:  # no cache folder is writable
            folder = cache_folder()
            numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]  # set at run time
            os.environ['NUMBA_CACHE_DIR'] = folder  # for child processes
            return numba.njit(**options)(function)
    return compiled


def cache_folder() -> str:
    """Return a temporary folder that only this user can write to, since cached code is executed.

    All processes of the user share it, unless another user has created it first.
    """
    folder = Path(tempfile.gettempdir()) / f'hybrid_pose_ros_{os.getuid()}'
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
        return str(folder)
    return tempfile.mkdtemp(prefix='hybrid_pose_ros_')
