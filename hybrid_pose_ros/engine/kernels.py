# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Kernels of the engine, compiled by numba: list events, scatter spikes, fire, integrate.

Channels are innermost and padded to a multiple of LANES, so that every loop over channels
processes whole SIMD vectors. Vector operations are written in LLVM IR, because the compiler does
not turn "which of these fire" into a mask by itself, and code without the mask is five times
slower. All kernels are in one file, because numba's disk cache detects only changes in a kernel's
own file.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.typing.templates import Signature

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.engine.plan import Layer, Plan, Projection, StateArrays
from hybrid_pose_ros.lanes import (
    FLOATS, INT, LANES, NOTHING, REGISTERS, WORD, Generator, array_length, constant, intrinsic,
    load, nothing, pointer, raise_lanes, splat, store)

EVENT_LANES = 64

STREAMS = 4
"""Number of parallel searches for each peak."""

TILE_ROWS = 4 if REGISTERS > 16 else 1
"""Number of rows of membranes (4 vectors each) that fit in registers together with the weights."""

TINY = 1e-30
"""Membranes below this magnitude are set to 0."""

_EVENTS = ir.VectorType(ir.IntType(8), EVENT_LANES)


def _flush(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """Return 0 for negligible values, since denormal floats are slow on many CPUs."""
    tiny = builder.and_(builder.fcmp_ordered('<', value, constant(TINY)),
                        builder.fcmp_ordered('>', value, constant(-TINY)))
    return builder.select(tiny, constant(0), value)


@intrinsic(NOTHING)
def _add_weights(_: BaseContext, target: Any, target_start: Any, weights: Any, weights_start: Any,
                 value: Any) -> tuple[Signature, Generator]:
    """Add `value` times LANES weights to LANES membranes."""
    signature = types.void(target, types.int64, weights, types.int64, types.float32)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 args: Sequence[ir.Value]) -> ir.Value:
        target, target_start, weights, weights_start, value = args
        out = pointer(context, builder, target, signature.args[0], target_start, FLOATS)
        source = pointer(context, builder, weights, signature.args[2], weights_start, FLOATS)
        charge = builder.fmul(load(builder, source), splat(builder, value))
        store(builder, builder.fadd(load(builder, out), charge), out)
        return nothing(context)

    return signature, generate


@intrinsic(int, prefer_literal=True)
def _add_tile(_: BaseContext, rows: Any, vectors: Any, membranes: Any, target: Any, stride: Any,
              weights: Any, source: Any, pitch: Any, size: Any, spikes: Any,
              first: Any) -> tuple[Signature, Generator]:
    """Add the weights of all spikes of one cell, each of value 1, in order.

    The membranes, `rows` times `vectors` vectors of LANES, stay in registers.

    Args:
        rows, vectors: size of the tile; literal integers.
        membranes, target: position of the first membrane; `stride` floats from row to row.
        weights, source: position of the first weight of channel 0; `pitch` floats from row to row,
            `size` from channel to channel.
        spikes, first: position of the cell's first spike.

    Returns:
        Position of the first spike of another cell.
    """
    signature = types.int64(rows, vectors, membranes, types.int64, types.int64, weights,
                            types.int64, types.int64, types.int64, spikes, types.int64)
    places = [(row, vector) for row in range(rows.literal_value)
              for vector in range(vectors.literal_value)]

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 args: Sequence[ir.Value]) -> ir.Value:
        _, _, membranes, target, stride, weights, source, pitch, size, spikes, first = args
        kinds = signature.args

        def vectors_from(array: ir.Value, kind: types.Type, start: ir.Value,
                         distance: ir.Value) -> list[ir.Value]:
            return [pointer(context, builder, array, kind, builder.add(
                builder.add(start, builder.mul(distance, WORD(row))), WORD(vector * LANES)),
                FLOATS) for row, vector in places]

        def spike_at(index: ir.Value) -> ir.Value:
            return builder.load(pointer(context, builder, spikes, kinds[9], index, WORD))

        outs = vectors_from(membranes, kinds[2], target, stride)
        before = [load(builder, out) for out in outs]
        count = array_length(context, builder, spikes, kinds[9])
        entry, loop = builder.block, builder.append_basic_block('add')
        further, done = builder.append_basic_block('next'), builder.append_basic_block('done')
        first_spike = spike_at(first)
        builder.branch(loop)
        builder.position_at_end(loop)
        index, spike = builder.phi(WORD), builder.phi(WORD)
        sums = [builder.phi(FLOATS) for _ in places]
        channel = builder.and_(builder.lshr(spike, WORD(8)), WORD(0xffff))
        block = builder.add(source, builder.mul(channel, size))
        after = [builder.fadd(charge, load(builder, weight)) for charge, weight
                 in zip(sums, vectors_from(weights, kinds[5], block, pitch))]
        following = builder.add(index, WORD(1))
        builder.cbranch(builder.icmp_signed('<', following, count), further, done)
        builder.position_at_end(further)
        next_spike = spike_at(following)
        same_cell = builder.icmp_signed('==', builder.lshr(next_spike, WORD(24)),
                                        builder.lshr(first_spike, WORD(24)))
        builder.cbranch(same_cell, loop, done)
        for phi, begin, again in zip([index, spike, *sums], [first, first_spike, *before],
                                     [following, next_spike, *after]):
            phi.add_incoming(begin, entry)
            phi.add_incoming(again, further)
        builder.position_at_end(done)
        for charge, out in zip(after, outs):
            store(builder, charge, out)
        return following

    return signature, generate


@intrinsic(int)
def _fire_lanes(_: BaseContext, membranes: Any, start: Any, leak: Any, drive: Any, channel: Any,
                threshold: Any) -> tuple[Signature, Generator]:
    """Fire, reset and leak LANES membranes; return a bit mask of those that fired."""
    signature = types.uint32(membranes, types.int64, leak, drive, types.int64, types.float32)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 args: Sequence[ir.Value]) -> ir.Value:
        membranes, start, leak, drive, channel, threshold = args
        place = pointer(context, builder, membranes, signature.args[0], start, FLOATS)
        leaks = pointer(context, builder, leak, signature.args[2], channel, FLOATS)
        drives = pointer(context, builder, drive, signature.args[3], channel, FLOATS)
        potential, level = load(builder, place), splat(builder, threshold)
        fired = builder.fcmp_ordered('>=', potential, level)
        kept = builder.select(fired, builder.fsub(potential, level), potential)
        leaked = builder.fmul(load(builder, leaks), _flush(builder, kept))
        store(builder, builder.fadd(leaked, load(builder, drives)), place)
        return builder.zext(builder.bitcast(fired, ir.IntType(LANES)), INT)

    return signature, generate


@intrinsic(NOTHING)
def _integrate_lanes(_: BaseContext, heatmap: Any, start: Any, integrated: Any,
                     integrated_start: Any, held: Any, leak: Any, drive: Any, channel: Any,
                     held_leak: Any) -> tuple[Signature, Generator]:
    """Write LANES sums of `integrated` and `held` to `heatmap`, then leak both."""
    signature = types.void(heatmap, types.int64, integrated, types.int64, held, leak, drive,
                           types.int64, types.float32)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 args: Sequence[ir.Value]) -> ir.Value:
        heatmap, start, integrated, integrated_start, held, leak, drive, channel, factor = args
        types_ = signature.args
        integrated = pointer(context, builder, integrated, types_[2], integrated_start, FLOATS)
        held = pointer(context, builder, held, types_[4], start, FLOATS)
        leak = pointer(context, builder, leak, types_[5], channel, FLOATS)
        drive = pointer(context, builder, drive, types_[6], channel, FLOATS)
        out = pointer(context, builder, heatmap, types_[0], start, FLOATS)
        summed, kept = load(builder, integrated), load(builder, held)
        store(builder, builder.fadd(summed, kept), out)
        leaked = builder.fmul(_flush(builder, summed), load(builder, leak))
        store(builder, builder.fadd(leaked, load(builder, drive)), integrated)
        store(builder, builder.fmul(_flush(builder, kept), splat(builder, factor)), held)
        return nothing(context)

    return signature, generate


@intrinsic(NOTHING)
def _rescale_lanes(_: BaseContext, membranes: Any, start: Any, scale: Any, shift: Any,
                   channel: Any) -> tuple[Signature, Generator]:
    """Multiply and shift LANES membranes."""
    signature = types.void(membranes, types.int64, scale, shift, types.int64)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 args: Sequence[ir.Value]) -> ir.Value:
        membranes, start, scale, shift, channel = args
        kinds = signature.args
        place = pointer(context, builder, membranes, kinds[0], start, FLOATS)
        scaled = builder.fmul(load(builder, place), load(builder, pointer(
            context, builder, scale, kinds[2], channel, FLOATS)))
        store(builder, builder.fadd(scaled, load(builder, pointer(
            context, builder, shift, kinds[3], channel, FLOATS))), place)
        return nothing(context)

    return signature, generate


@intrinsic(int)
def _nonzero_lanes(_: BaseContext, counts: Any, start: Any) -> tuple[Signature, Generator]:
    """Return a bit mask of the nonzero ones among EVENT_LANES counts."""
    signature = types.uint64(counts, types.int64)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 args: Sequence[ir.Value]) -> ir.Value:
        value = builder.load(pointer(context, builder, args[0], signature.args[0], args[1],
                                     _EVENTS))
        value.align = 1
        nonzero = builder.icmp_unsigned('!=', value, ir.Constant(_EVENTS, None))
        return builder.bitcast(nonzero, ir.IntType(EVENT_LANES))

    return signature, generate


@intrinsic(int)
def _trailing_zeros(_: BaseContext, bits: Any) -> tuple[Signature, Generator]:
    signature = types.int64(types.uint64)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 args: Sequence[ir.Value]) -> ir.Value:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return signature, generate


@njit(nogil=True, cache=True)
def _pack(y: int, x: int, channel: int, value: int) -> int:
    """Pack a spike into one word: row, column and channel with 16 bits each, value with 8."""
    return y << 40 | x << 24 | channel << 8 | value


@njit(nogil=True, cache=True)
def list_events(counts: np.ndarray, spikes: np.ndarray) -> int:
    """Write the nonzero cells of counts (2, H, W) to `spikes`; return the number written."""
    flat = counts.reshape(-1)
    height, width = counts.shape[1], counts.shape[2]
    listed = 0
    whole = flat.size - flat.size % EVENT_LANES
    for start in range(0, whole, EVENT_LANES):
        bits = _nonzero_lanes(flat, start)
        while bits != 0:
            cell = start + _trailing_zeros(bits)
            bits &= bits - np.uint64(1)
            row = cell // width
            spikes[listed] = _pack(row % height, cell - row * width, row // height,
                                   np.int64(flat[cell]))
            listed += 1
    for cell in range(whole, flat.size):
        if flat[cell]:
            row = cell // width
            spikes[listed] = _pack(row % height, cell - row * width, row // height,
                                   np.int64(flat[cell]))
            listed += 1
    return listed


@njit(nogil=True, cache=True)
def _add_block(y: int, x: int, rows: int, columns: int, pitch: int, block: int, value: np.float32,
               weights: np.ndarray, layer: Layer, top: int, bottom: int,
               membranes: np.ndarray) -> None:
    """Add a block of weights (rows, pitch, channels) at row y and column x.

    It is clipped to the rows top .. bottom - 1 of the map.
    """
    first_row, first_column = max(0, top - y), max(0, -x)
    length = (min(columns, layer.width - x) - first_column) * layer.channels
    target = layer.membranes + ((y + first_row) * layer.width + x + first_column) * layer.channels
    source = block + (first_row * pitch + first_column) * layer.channels
    for _ in range(first_row, min(rows, bottom - y)):
        for lane in range(0, length, LANES):
            _add_weights(membranes, target + lane, weights, source + lane, value)
        target += layer.width * layer.channels
        source += pitch * layer.channels


@njit(nogil=True, cache=True)
def _upsampling_weight(fine: int, coarse: int, size: int) -> float:
    """Return the weight of row `coarse` of `size` rows in row `fine` of a map twice that size."""
    near = 0.75 if fine >> 1 == coarse else 0.25
    outside = (fine == 0 and coarse == 0) or (fine == 2 * size - 1 and coarse == size - 1)
    return 1.0 if outside else near


@njit(nogil=True, cache=True)
def _add_at_border(y: int, x: int, channel: int, value: np.float32, projection: Projection,
                   weights: np.ndarray, layer: Layer, top: int, bottom: int,
                   membranes: np.ndarray) -> None:
    """Add a spike whose bilinear footprint the border clips: upsample it, then convolve."""
    kernel = projection.border_kernel
    block = projection.border_weights + channel * kernel * kernel * layer.channels
    for row in range(max(0, 2 * y - 1), min(projection.fine_height, 2 * y + 3)):
        row_value = value * _upsampling_weight(row, y, projection.height)
        for column in range(max(0, 2 * x - 1), min(projection.fine_width, 2 * x + 3)):
            fine_value = row_value * _upsampling_weight(column, x, projection.width)
            _add_block(row - kernel // 2, column - kernel // 2, kernel, kernel, kernel, block,
                       np.float32(fine_value), weights, layer, top, bottom, membranes)


@njit(nogil=True, cache=True, forceinline=True)
def _add_strip(rows: int, length: int, membranes: np.ndarray, target: int, stride: int,
               weights: np.ndarray, source: int, pitch: int, size: int, spikes: np.ndarray,
               first: int) -> int:
    """Add up to 4 rows of blocks, tile by tile; see `_add_tile`."""
    last = first
    wide = length - length % (4 * LANES)
    for lane in range(0, wide, 4 * LANES):
        to, block = target + lane, source + lane
        if rows == 1:
            last = _add_tile(1, 4, membranes, to, stride, weights, block, pitch, size, spikes,
                             first)
        elif rows == 2:
            last = _add_tile(2, 4, membranes, to, stride, weights, block, pitch, size, spikes,
                             first)
        elif rows == 3:
            last = _add_tile(3, 4, membranes, to, stride, weights, block, pitch, size, spikes,
                             first)
        else:
            last = _add_tile(4, 4, membranes, to, stride, weights, block, pitch, size, spikes,
                             first)
    to, block = target + wide, source + wide
    if length - wide == 2 * LANES and rows == 1:
        return _add_tile(1, 2, membranes, to, stride, weights, block, pitch, size, spikes, first)
    if length - wide == 2 * LANES and rows == 2:
        return _add_tile(2, 2, membranes, to, stride, weights, block, pitch, size, spikes, first)
    for row in range(rows):
        for lane in range(0, length - wide, LANES):
            last = _add_tile(1, 1, membranes, to + row * stride + lane, stride, weights,
                             block + row * pitch + lane, pitch, size, spikes, first)
    return last


@njit(nogil=True, cache=True, forceinline=True)
def _add_blocks(rows: int, length: int, membranes: np.ndarray, target: int, stride: int,
                weights: np.ndarray, source: int, pitch: int, size: int, spikes: np.ndarray,
                first: int) -> int:
    """Add the blocks, `rows` times `length` floats, of all spikes of one cell; see `_add_tile`."""
    if TILE_ROWS > 1 and rows == 5 and length == 5 * LANES:
        return _add_tile(5, 5, membranes, target, stride, weights, source, pitch, size, spikes,
                         first)
    last = first
    for row in range(0, rows, TILE_ROWS):
        last = _add_strip(min(TILE_ROWS, rows - row), length, membranes, target + row * stride,
                          stride, weights, source + row * pitch, pitch, size, spikes, first)
    return last


@njit(nogil=True, cache=True)
def _first_of_row(spikes: np.ndarray, row: int) -> int:
    """Return the index of the first spike in this or a later row."""
    low, high = 0, len(spikes)
    while low < high:
        middle = (low + high) // 2
        if spikes[middle] >> 40 < row:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def scatter(spikes: np.ndarray, projection: Projection, weights: np.ndarray, layer: Layer,
            top: int, bottom: int, membranes: np.ndarray) -> None:
    """Add the weights of each spike to the membranes of the target layer.

    Only rows top .. bottom - 1 are charged. Consecutive spikes of a cell are processed together if
    their blocks are inside these rows; the order of summation is preserved.
    """
    odd = projection.phases - 1
    pitch, stride = projection.pitch * layer.channels, layer.width * layer.channels
    size = projection.pitch * pitch
    index, last = 0, len(spikes)
    if projection.source > 0:  # events are sorted by polarity, then by row
        above = ((top - projection.pitch + 1) << odd) - projection.origin
        below = (bottom << odd) - projection.origin
        index = _first_of_row(spikes, -(-above // projection.expansion))
        last = _first_of_row(spikes, -(-below // projection.expansion))
    while index < last:
        spike = spikes[index]
        y, x = spike >> 40, spike >> 24 & 0xffff
        channel, value = spike >> 8 & 0xffff, np.float32(spike & 0xff)
        phase_y, phase_x = y & odd, x & odd
        rows, columns = projection.rows[phase_y], projection.rows[phase_x]
        row = (y * projection.expansion + projection.origin) >> odd
        column = (x * projection.expansion + projection.origin) >> odd
        phase = phase_y * projection.phases + phase_x
        block = projection.weights + phase * projection.channels * size
        if projection.border_kernel > 0 and (
                y == 0 or x == 0 or y == projection.height - 1 or x == projection.width - 1
                or 2 * y + 3 > projection.fine_height or 2 * x + 3 > projection.fine_width):
            _add_at_border(y, x, channel, value, projection, weights, layer, top, bottom,
                           membranes)
            index += 1
        elif (projection.source == 0 or row < top or column < 0 or row + rows > bottom
              or column + columns > layer.width):
            _add_block(row, column, rows, columns, projection.pitch, block + channel * size,
                       value, weights, layer, top, bottom, membranes)
            index += 1
        else:
            target = layer.membranes + (row * layer.width + column) * layer.channels
            index = _add_blocks(rows, columns * layer.channels, membranes, target, stride,
                                weights, block, pitch, size, spikes, index)


@njit(nogil=True, cache=True)
def add_residual(spikes: np.ndarray, layer: Layer, gain: np.ndarray, top: int, bottom: int,
                 membranes: np.ndarray) -> None:
    """Add the charge of each spike to the same neuron of a layer, in rows top .. bottom - 1."""
    for spike in spikes[_first_of_row(spikes, top):_first_of_row(spikes, bottom)]:
        y, x, channel = spike >> 40, spike >> 24 & 0xffff, spike >> 8 & 0xffff
        neuron = layer.membranes + (y * layer.width + x) * layer.channels + channel
        membranes[neuron] += gain[layer.neurons + channel]


@njit(nogil=True, cache=True)
def fire(layer: Layer, leak: np.ndarray, drive: np.ndarray, threshold: np.float32, top: int,
         bottom: int, membranes: np.ndarray, spikes: np.ndarray) -> int:
    """Fire, reset by subtraction, and leak for the next step; list and count the spikes.

    Applies to the neurons in rows top .. bottom - 1. Leaking here, rather than before the next
    step's charge, saves a second pass over the membranes.
    """
    listed = 0
    start = layer.membranes + top * layer.width * layer.channels
    for y in range(top, bottom):
        for x in range(layer.width):
            for channel in range(0, layer.channels, LANES):
                bits = np.uint64(_fire_lanes(membranes, start, leak, drive,
                                             layer.neurons + channel, threshold))
                start += LANES
                while bits != 0:
                    spikes[listed] = _pack(y, x, channel + _trailing_zeros(bits), 1)
                    bits &= bits - np.uint64(1)
                    listed += 1
    return listed


@njit(nogil=True, cache=True)
def rescale(layer: Layer, scale: np.ndarray, shift: np.ndarray, membranes: np.ndarray) -> None:
    """Multiply and shift the membranes of each channel of a layer."""
    start = layer.membranes
    for _ in range(layer.height * layer.width):
        for channel in range(0, layer.channels, LANES):
            _rescale_lanes(membranes, start, scale, shift, layer.neurons + channel)
            start += LANES


@njit(nogil=True, cache=True)
def integrate(layer: Layer, leak: np.ndarray, drive: np.ndarray, held_leak: np.float32,
              membranes: np.ndarray, held: np.ndarray, heatmap: np.ndarray) -> None:
    """Sum the components of the heatmap, then leak them for the next step."""
    for start in range(0, heatmap.size, LANES):
        channel = layer.neurons + start % layer.channels
        _integrate_lanes(heatmap, start, membranes, layer.membranes + start, held, leak, drive,
                         channel, held_leak)


@njit(nogil=True, cache=True)
def integrate_to_peaks(layer: Layer, leak: np.ndarray, drive: np.ndarray, held_leak: np.float32,
                       membranes: np.ndarray, held: np.ndarray, heatmap: np.ndarray,
                       peaks: np.ndarray) -> None:
    """Do the work of `integrate` and `find_peaks` in one pass."""
    channels = layer.channels
    highest, cells = _no_peaks(channels)
    start = 0
    for cell in range(layer.height * layer.width):
        stream = cell % STREAMS * channels
        for lane in range(0, channels, LANES):
            _integrate_lanes(heatmap, start, membranes, layer.membranes + start, held, leak,
                             drive, layer.neurons + lane, held_leak)
            raise_lanes(heatmap, start, highest, cells, stream + lane, np.float32(cell))
            start += LANES
    _write_peaks(layer, highest, cells, peaks)


@njit(nogil=True, cache=True)
def find_peaks(layer: Layer, heatmap: np.ndarray, peaks: np.ndarray) -> None:
    """Write the row and column of each joint's first maximum to `peaks` (J, 2)."""
    channels = layer.channels
    highest, cells = _no_peaks(channels)
    for cell in range(layer.height * layer.width):
        stream = cell % STREAMS * channels
        for lane in range(0, channels, LANES):
            raise_lanes(heatmap, cell * channels + lane, highest, cells, stream + lane,
                         np.float32(cell))
    _write_peaks(layer, highest, cells, peaks)


@njit(nogil=True, cache=True)
def _no_peaks(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return initial peak values and cells, one per joint and per stream (STREAMS).

    Comparisons in different streams are independent of each other.
    """
    return (np.full(STREAMS * channels, -np.inf, np.float32),
            np.zeros(STREAMS * channels, np.float32))  # integers up to 2 ** 24 are exact


@njit(nogil=True, cache=True)
def _write_peaks(layer: Layer, highest: np.ndarray, cells: np.ndarray, peaks: np.ndarray) -> None:
    """Write the first maximum over the streams."""
    channels = layer.channels
    for joint in range(len(peaks)):
        best = joint
        for other in range(joint + channels, STREAMS * channels, channels):
            if highest[other] > highest[best] or (highest[other] == highest[best]
                                                  and cells[other] < cells[best]):
                best = other
        peaks[joint, 0] = np.int64(cells[best]) // layer.width
        peaks[joint, 1] = np.int64(cells[best]) % layer.width


@njit(nogil=True, cache=True)
def feed_back(peaks: np.ndarray, plan: Plan, membranes: np.ndarray) -> None:
    """Charge the neurons around each joint's peak."""
    layer, kernel = plan.layers[plan.fed], plan.feedback_kernel
    size = kernel * kernel * layer.channels
    for joint in range(len(peaks)):
        _add_block(peaks[joint, 0] - kernel // 2, peaks[joint, 1] - kernel // 2, kernel, kernel,
                   kernel, joint * size, np.float32(1), plan.feedback, layer, 0, layer.height,
                   membranes)


@njit(nogil=True, cache=True)
def _joints_near(peaks: np.ndarray, axis: int, reach: int, length: int) -> np.ndarray:
    """Return, by row (axis 0) or column (axis 1), a bit mask of the joints in reach, (length,)."""
    near = np.zeros(length, np.uint64)
    for joint in range(len(peaks)):
        place = peaks[joint, axis]
        for index in range(max(0, place - reach), min(length, place + reach + 1)):
            near[index] |= np.uint64(1) << np.uint64(joint)
    return near


@njit(nogil=True, cache=True)
def flow(spikes: np.ndarray, weights: np.ndarray, layer: Layer, peaks: np.ndarray,
         offset: np.ndarray) -> None:
    """Move the joints by the spikes around them: add to `offset` (J, 2), x and y [cells].

    Args:
        spikes: spikes of one map.
        weights: weights of that map, (J, channels, k, k, 2).
        layer: layer of the heatmaps, which have the size of the map.
        peaks: row and column of each joint, (J, 2).
        offset: modified in place.
    """
    reach = weights.shape[2] // 2
    of_row = _joints_near(peaks, 0, reach, layer.height)
    of_column = _joints_near(peaks, 1, reach, layer.width)
    for spike in spikes:
        y, x, channel = spike >> 40, spike >> 24 & 0xffff, spike >> 8 & 0xffff
        joints = of_row[y] & of_column[x]
        while joints != 0:
            joint = _trailing_zeros(joints)
            joints &= joints - np.uint64(1)
            row, column = y - peaks[joint, 0] + reach, x - peaks[joint, 1] + reach
            offset[joint, 0] += weights[joint, channel, row, column, 0]
            offset[joint, 1] += weights[joint, channel, row, column, 1]


@njit(nogil=True, cache=True)
def _shift(maps: np.ndarray, start: int, layer: Layer, joint: int, down: int, right: int) -> None:
    """Shift a joint's map by whole cells, in place; borders are replicated.

    The order of processing ensures that no cell is overwritten before it is read.
    """
    height, width, channels = layer.height, layer.width, layer.channels
    for i in range(height):
        y = height - 1 - i if down > 0 else i
        row = min(max(y - down, 0), height - 1) * width
        for j in range(width):
            x = width - 1 - j if right > 0 else j
            column = min(max(x - right, 0), width - 1)
            maps[start + (y * width + x) * channels + joint] = \
                maps[start + (row + column) * channels + joint]


@njit(nogil=True, cache=True)
def follow(layer: Layer, state: StateArrays) -> None:
    """Shift each joint's maps by the whole cells of its offset."""
    for joint in range(len(state.offset)):
        right, down = round(state.offset[joint, 0]), round(state.offset[joint, 1])
        if right != 0 or down != 0:
            state.offset[joint, 0] -= right
            state.offset[joint, 1] -= down
            _shift(state.membranes, layer.membranes, layer, joint, down, right)
            _shift(state.held, 0, layer, joint, down, right)


@njit(nogil=True, cache=True)
def begin(counts: np.ndarray, plan: Plan, state: StateArrays) -> None:
    """Start a step: feed the joints back and list the events."""
    if plan.fed >= 0:
        feed_back(state.peaks, plan, state.membranes)
    state.ends[0] = list_events(counts, state.spikes)


@njit(nogil=True, cache=True)
def advance_band(index: int, band: int, bands: int, plan: Plan, state: StateArrays) -> int:
    """Charge and fire one band of a layer's rows; return the number of spikes listed.

    Bands share neither membranes nor lists, so each can have its own thread.
    """
    layer, spikes, ends = plan.layers[index], state.spikes, state.ends
    top, bottom = layer.height * band // bands, layer.height * (band + 1) // bands
    for number in range(layer.first_projection, layer.last_projection):
        projection = plan.projections[number]
        first = plan.spikes[projection.source]
        scatter(spikes[first:ends[projection.source]], projection, plan.weights, layer, top,
                bottom, state.membranes)
    if layer.residual >= 0:
        first = plan.spikes[layer.residual]
        add_residual(spikes[first:ends[layer.residual]], layer, plan.gain, top, bottom,
                     state.membranes)
    if index == plan.layers.size - 1:  # the output does not fire
        return 0
    return fire(layer, plan.leak, plan.drive, plan.threshold, top, bottom, state.membranes,
                spikes[_list_of_band(index, band, bands, plan):])


@njit(nogil=True, cache=True)
def _list_of_band(index: int, band: int, bands: int, plan: Plan) -> int:
    """Return the offset of a band's spikes, which is after all neurons of the previous bands."""
    first, height = plan.spikes[index + 1], plan.layers[index].height
    end = plan.spikes[index + 2] if index + 2 < plan.spikes.size else plan.capacity
    start: int = first + (end - first) // height * (height * band // bands)
    return start


@njit(nogil=True, cache=True)
def join_bands(index: int, fired: np.ndarray, plan: Plan, state: StateArrays) -> None:
    """Concatenate the spike lists of a layer's bands, with `fired` (bands,) spikes each."""
    if index == plan.layers.size - 1:
        return
    spikes, end = state.spikes, plan.spikes[index + 1] + fired[0]
    for band in range(1, fired.size):
        first = _list_of_band(index, band, fired.size, plan)
        for spike in range(first, first + fired[band]):
            spikes[end] = spikes[spike]
            end += 1
    state.ends[index + 1] = end


@njit(nogil=True, cache=True)
def finish(plan: Plan, state: StateArrays) -> None:
    """Finish a step: move the joints and sum the heatmaps."""
    layer, spikes, ends = plan.layers[-1], state.spikes, state.ends
    for number in range(len(plan.flow_maps)):
        source = plan.flow_maps[number]
        flow(spikes[plan.spikes[source]:ends[source]], plan.flow_weights[number], layer,
             state.peaks, state.offset)
    if len(plan.flow_maps):
        follow(layer, state)
    if plan.fed >= 0 or len(plan.flow_maps):
        integrate_to_peaks(layer, plan.leak, plan.drive, plan.held_leak, state.membranes,
                           state.held, state.heatmap, state.peaks)
    else:
        integrate(layer, plan.leak, plan.drive, plan.held_leak, state.membranes, state.held,
                  state.heatmap)


@njit(nogil=True, cache=True)
def advance(counts: np.ndarray, plan: Plan, state: StateArrays) -> None:
    """Advance a state by one time bin with events `counts` (2, H, W), uint8."""
    begin(counts, plan, state)
    for index in range(plan.layers.size):
        fired = advance_band(index, 0, 1, plan, state)
        if index < plan.layers.size - 1:
            state.ends[index + 1] = plan.spikes[index + 1] + fired
    finish(plan, state)
