# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that this Python and this machine can set up .venv: `make build` runs it first."""

import importlib.util
import shutil
import sys
import sysconfig
from pathlib import Path

VERSIONS = (3, 10), (3, 12)
"""The ROS wheels exist for these and the versions between."""


def missing_packages() -> list[str]:
    """Return the Debian packages that are missing, in the order in which they are needed."""
    present = {
        'python3-venv': all(importlib.util.find_spec(name) for name in ('venv', 'ensurepip')),
        'python3-dev': Path(sysconfig.get_path('include'), 'Python.h').exists(),
        'cmake': shutil.which('cmake'),
        'g++': shutil.which('c++') or shutil.which('g++')}
    return [package for package, found in present.items() if not found]


def main() -> str | int:
    """Return 0, or one line that says what to install."""
    if not VERSIONS[0] <= sys.version_info[:2] <= VERSIONS[1]:
        return (f'error: expected Python 3.10 to 3.12, got {sys.version.split()[0]}: name another '
                'one, as in make build PYTHON=python3.12')
    if missing := ' '.join(missing_packages()):
        return f'error: {missing} missing: sudo apt install {missing}'
    return 0


if __name__ == '__main__':
    sys.exit(main())
