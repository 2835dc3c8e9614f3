# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Building blocks of kernels in LLVM IR: vectors of LANES floats in arrays.

After changing this file, remove the `__pycache__` of its users, see `engine/kernels.py`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

import numba.extending
import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core.base import BaseContext
from numba.core.typing.templates import Signature
from numba.cpython.unsafe.numbers import trailing_zeros as _zeros

NOTHING = type(None)

Value = TypeVar('Value')
Operands = ParamSpec('Operands')
Generator = Callable[[BaseContext, ir.IRBuilder, Signature, Sequence[ir.Value]], ir.Value]

LANES = 16
"""Number of floats in one vector: one register of AVX-512, two of AVX2, four of NEON."""

REGISTERS = 32 if get_host_cpu_features().get('avx512f') else 8
"""Number of vectors of LANES floats that fit in the CPU's registers."""

INT, WORD = ir.IntType(32), ir.IntType(64)
FLOATS = ir.VectorType(ir.FloatType(), LANES)
INTS = ir.VectorType(INT, LANES)


trailing_zeros: Callable[[int], int] = _zeros  # type: ignore[assignment]  # as in `intrinsic`
"""Number of zero bits below the lowest set bit."""


def intrinsic(result: type[Value], *, prefer_literal: bool = False) -> Callable[
        [Callable[Concatenate[Any, Operands], tuple[Signature, Generator]]],
        Callable[Operands, Value]]:
    """Return numba's decorator for a function written in LLVM IR.

    In the definition, the arguments are a context and the types of the operands; in calls, they
    are the operands.

    Args:
        result: type of the result; NOTHING if there is none.
        prefer_literal: let the types of constants include their values.
    """
    decorator: Any = numba.extending.intrinsic(prefer_literal=prefer_literal)
    return decorator


def pointer(context: BaseContext, builder: ir.IRBuilder, array: ir.Value, array_type: types.Type,
            start: ir.Value, vector: ir.Type) -> ir.Value:
    """Return a pointer to the vector at an index of a flat array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())


def nothing(context: BaseContext) -> ir.Value:
    """Return the result value of an intrinsic without a result."""
    return context.get_dummy_value()


def array_length(context: BaseContext, builder: ir.IRBuilder, array: ir.Value,
                 array_type: types.Type) -> ir.Value:
    """Return the length of a flat array."""
    shape = context.make_array(array_type)(context, builder, array).shape
    return builder.extract_value(shape, 0)


def load(builder: ir.IRBuilder, place: ir.Value) -> ir.Value:
    """Return the vector at a pointer."""
    value = builder.load(place)
    value.align = 4  # buffers are aligned to whole vectors, but unaligned access works, too
    return value


def store(builder: ir.IRBuilder, value: ir.Value, place: ir.Value) -> None:
    """Write a vector to a pointer."""
    builder.store(value, place).align = 4


def constant(number: float) -> ir.Constant:
    """Return a vector of LANES equal constants."""
    return ir.Constant(FLOATS, [float(np.float32(number))] * LANES)


def splat(builder: ir.IRBuilder, scalar: ir.Value) -> ir.Value:
    """Return a vector of LANES equal values."""
    undefined = ir.Constant(FLOATS, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(INT, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(INTS, [0] * LANES))


@intrinsic(NOTHING)
def raise_lanes(_: BaseContext, values: Any, start: Any, highest: Any, cells: Any, lane: Any,
                cell: Any) -> tuple[Signature, Generator]:
    """Raise LANES of `highest` to larger values, and store the cell of each raised value.

    Non-finite values are ignored.
    """
    signature = types.void(values, types.int64, highest, cells, types.int64, types.float32)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 args: Sequence[ir.Value]) -> ir.Value:
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
        return nothing(context)

    return signature, generate
