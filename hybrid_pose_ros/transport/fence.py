# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ordered loads and stores of one word of shared memory.

x86 keeps the order of loads and of stores, ARM (Jetson) does not. Python has no memory fences, but
numba gives access to those of LLVM. Each access has a full fence before and after it, so that a
sequence lock is correct on both architectures; the cost is about 20 ns.
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
    """Load an aligned int64 word, with a full fence before and after."""
    _fence()
    value = words[index]
    _fence()
    return value


@njit(cache=True)
def store(words: np.ndarray, index: int, value: int) -> None:
    """Store an aligned int64 word, with a full fence before and after."""
    _fence()
    words[index] = value
    _fence()
