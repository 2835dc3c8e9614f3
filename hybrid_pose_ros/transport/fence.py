# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes of one word of shared memory, in order with everything around them.

x86 keeps stores in order and loads in order, ARM (Jetson) does not, and Python has no word for
it: LLVM has, and numba gives access to it. A full fence stands on both sides of each access, so a
sequence lock is right on either machine; it costs some 20 ns.
"""

import numpy as np
from numba import types
from numba.extending import intrinsic

from hybrid_pose_ros.compiled import njit


@intrinsic
def _fence(typing_context):
    def generate(context, builder, signature, arguments):
        builder.fence('seq_cst')
        return context.get_dummy_value()
    return types.void(), generate


@njit(cache=True)
def load(words: np.ndarray, index: int) -> int:
    """Return an aligned int64 word; nothing before or after it moves to the other side."""
    _fence()
    value = words[index]
    _fence()
    return value


@njit(cache=True)
def store(words: np.ndarray, index: int, value: int) -> None:
    """Write an aligned int64 word; nothing before or after it moves to the other side."""
    _fence()
    words[index] = value
    _fence()
