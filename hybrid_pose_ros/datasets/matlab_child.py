# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a MATLAB structure to stdout as .npz, names first; runs in a separate process.

    python matlab_child.py FILE VARIABLE

If the file cannot be used, it prints one line on stderr and exits with status 1. It imports
nothing from this package.
"""

import io
import resource
import sys
import warnings

import numpy as np
import scipy.io

MOST_BYTES = 4 << 30
"""Memory limit of this process; the 13 joint positions of a sample take 300 bytes."""


def matrices(path: str, name: str) -> dict[str, np.ndarray]:
    """Return the numeric fields of a structure with one element.

    Raises:
        ValueError: the file has no such variable, or the variable is something else.
    """
    found = scipy.io.loadmat(path, variable_names=[name]).get(name)
    if found is None:
        names = [variable for variable, _, _ in scipy.io.whosmat(path)]
        raise ValueError(f'has no variable {name}: found {", ".join(names[:5]) or "none"}')
    if found.dtype.names is None or found.size != 1:
        raise ValueError(f'is damaged: {name} is {found.dtype} of shape {found.shape}, expected a '
                         'structure with one element')
    fields = {field: np.asarray(found[field].item()) for field in found.dtype.names}
    return {field: array.astype(np.float64) for field, array in fields.items()
            if array.dtype.kind in 'iuf'}


def main() -> int:
    """Convert the file named on the command line."""
    path, name = sys.argv[1:]
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(MOST_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    warnings.simplefilter('ignore')
    try:
        found = matrices(path, name)
    except Exception as error:  # scipy raises arbitrary exceptions on damaged files
        words = str(error) if str(error).startswith(('has no', 'is damaged')) else \
            f'is damaged: {error or type(error).__name__}'
        print(' '.join(words.split()), file=sys.stderr)
        return 1
    content = io.BytesIO()
    np.savez(content, np.array(list(found), str), *found.values())
    sys.stdout.buffer.write(content.getvalue())
    return 0


if __name__ == '__main__':
    sys.exit(main())
