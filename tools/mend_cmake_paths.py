# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mend the ROS wheels: their CMake files name Python and NumPy of the machine they came from."""

import re
import sys
import sysconfig
from pathlib import Path

import numpy as np

MENDS = (
    (re.compile(r'/opt/python/cp\d+-cp\d+/include/python3\.\d+'), sysconfig.get_path('include')),
    (re.compile(r'/opt/python/cp\d+-cp\d+/lib/python3\.\d+/site-packages/numpy/_?core/include'),
     np.get_include()),
)


def main() -> None:
    """Rewrite both paths in every CMake file of this environment."""
    for path in Path(sys.prefix, 'share').rglob('*.cmake'):
        text = mended = path.read_text()
        for pattern, replacement in MENDS:
            mended = pattern.sub(lambda _match, new=replacement: new, mended)
        if mended != text:
            path.write_text(mended)


if __name__ == '__main__':
    main()
