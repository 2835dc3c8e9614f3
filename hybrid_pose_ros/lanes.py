# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Building blocks of kernels in LLVM IR: vectors of LANES floats in arrays.

After a change of this file, remove the `__pycache__` of its users: see `engine/kernels.py`.
"""

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.extending import intrinsic

LANES = 16
"""Floats in one vector: one register of AVX-512, two of AVX2, four of NEON."""

REGISTERS = 32 if get_host_cpu_features().get('avx512f') else 8
"""Vectors of LANES that the CPU's registers hold."""

INT, WORD = ir.IntType(32), ir.IntType(64)
FLOATS = ir.VectorType(ir.FloatType(), LANES)
INTS = ir.VectorType(INT, LANES)


def pointer(context, builder, array, array_type, start, vector):
    """Return a pointer to the vector at an index of a flat array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())


def load(builder, place):
    """Return the vector at a pointer."""
    value = builder.load(place)
    value.align = 4  # buffers are aligned to whole vectors, but unaligned access also works
    return value


def store(builder, value, place):
    """Write a vector to a pointer."""
    builder.store(value, place).align = 4


def constant(number):
    """Return a vector of LANES equal constants."""
    return ir.Constant(FLOATS, [float(np.float32(number))] * LANES)


def splat(builder, scalar):
    """Return a vector of LANES equal values."""
    undefined = ir.Constant(FLOATS, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(INT, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(INTS, [0] * LANES))


@intrinsic
def raise_lanes(_, values, start, highest, cells, lane, cell):
    """Raise LANES of `highest` to larger values, and store the cell of those.

    Non-finite values are ignored.
    """
    signature = types.void(values, types.int64, highest, cells, types.int64, types.float32)

    def generate(context, builder, signature, args):
        values, start, highest, cells, lane, cell = args
        kinds = signature.args
        value = load(builder, pointer(context, builder, values, kinds[0], start, FLOATS))
        highest = pointer(context, builder, highest, kinds[2], lane, FLOATS)
        cells = pointer(context, builder, cells, kinds[3], lane, FLOATS)
        before, cells_before = load(builder, highest), load(builder, cells)
        higher = builder.and_(builder.fcmp_ordered('>', value, before),
                              builder.fcmp_ordered('<', value, constant(np.inf)))
        store(builder, builder.select(higher, value, before), highest)
        store(builder, builder.select(higher, splat(builder, cell), cells_before), cells)
        return context.get_dummy_value()

    return signature, generate
