# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ordered loads and stores of one word of shared memory.

x86 preserves the order of loads and of stores; ARM (Jetson) does not. Python has no memory fences,
but numba provides access to those of LLVM. Each access has a full fence before and after it, so
that a sequence lock is correct on both architectures. This costs about 20 ns.
"""

from collections.abc import Sequence

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.typing.templates import Signature

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.lanes import NOTHING, Generator, intrinsic, nothing


@intrinsic(NOTHING)
def _fence(_: BaseContext) -> tuple[Signature, Generator]:
    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 arguments: Sequence[ir.Value]) -> ir.Value:
        builder.fence('seq_cst')
        return nothing(context)
    return types.void(), generate


@njit(cache=True)
def load(words: np.ndarray, index: int) -> int:
    """Load an aligned int64 word, with a full fence before and after."""
    _fence()
    value: int = words[index]
    _fence()
    return value


@njit(cache=True)
def store(words: np.ndarray, index: int, value: int) -> None:
    """Store an aligned int64 word, with a full fence before and after."""
    _fence()
    words[index] = value
    _fence()
