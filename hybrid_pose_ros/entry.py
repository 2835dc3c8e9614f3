# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of installed scripts. Uses only the standard library."""

import importlib
import sys
from pathlib import Path

from hybrid_pose_ros.errors import explanation


def run_main(module: str) -> int:
    """Return the exit status of a module's `main`; report a missing import and return 1."""
    try:
        main = importlib.import_module(module).main
    except ModuleNotFoundError as error:
        return report(error)
    return main()


def report(error: Exception) -> int:
    """Print an error and its remedy in one line; return exit status 1.

    Raises:
        Exception: the error itself, if it is a bug.
    """
    line = explanation(error)
    if line is None:
        raise error
    print(f'{Path(sys.argv[0]).name}: {line}', file=sys.stderr)
    return 1
