# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The loops of the engine, compiled by numba: list events, scatter spikes, fire, integrate.

Channels are innermost and padded to a multiple of LANES, so that every loop over channels is a
loop over whole SIMD vectors. The vector operations are spelled out in LLVM's language: the
compiler does not turn "which of these fire" into a mask by itself, which costs a factor of five.
Kernels are one file, because numba's cache on disk notices changes of the file of a kernel only.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from hybrid_pose_ros.engine.lanes import (
    FLOATS, INT, LANES, constant, load, pointer, raise_lanes, splat, store)

EVENT_LANES = 64

STREAMS = 4
"""Searches for a peak that run side by side."""

TINY = 1e-30
"""Membranes that leaked to less than this are 0."""

_EVENTS = ir.VectorType(ir.IntType(8), EVENT_LANES)


def _flush(builder, value):
    """Return 0 for what has leaked away: on many CPUs the tiniest floats are slow."""
    tiny = builder.and_(builder.fcmp_ordered('<', value, constant(TINY)),
                        builder.fcmp_ordered('>', value, constant(-TINY)))
    return builder.select(tiny, constant(0), value)


@intrinsic
def _add_weights(_, target, target_start, weights, weights_start, value):
    """Add `value` times LANES weights to LANES membranes."""
    signature = types.void(target, types.int64, weights, types.int64, types.float32)

    def generate(context, builder, signature, args):
        target, target_start, weights, weights_start, value = args
        out = pointer(context, builder, target, signature.args[0], target_start, FLOATS)
        source = pointer(context, builder, weights, signature.args[2], weights_start, FLOATS)
        charge = builder.fmul(load(builder, source), splat(builder, value))
        store(builder, builder.fadd(load(builder, out), charge), out)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def _fire_lanes(_, membranes, start, leak, drive, channel, threshold):
    """Fire, reset and leak LANES membranes; return one bit for each that fired."""
    signature = types.uint32(membranes, types.int64, leak, drive, types.int64, types.float32)

    def generate(context, builder, signature, args):
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


@intrinsic
def _integrate_lanes(_, heatmap, start, integrated, integrated_start, held, leak, drive, channel,
                     held_leak):
    """Write LANES sums of `integrated` and `held` to `heatmap`, then leak both."""
    signature = types.void(heatmap, types.int64, integrated, types.int64, held, leak, drive,
                           types.int64, types.float32)

    def generate(context, builder, signature, args):
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
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def _nonzero_lanes(_, counts, start):
    """Return one bit for each of EVENT_LANES counts that is not zero."""
    signature = types.uint64(counts, types.int64)

    def generate(context, builder, signature, args):
        value = builder.load(pointer(context, builder, args[0], signature.args[0], args[1],
                                     _EVENTS))
        value.align = 1
        nonzero = builder.icmp_unsigned('!=', value, ir.Constant(_EVENTS, None))
        return builder.bitcast(nonzero, ir.IntType(EVENT_LANES))

    return signature, generate


@intrinsic
def _trailing_zeros(_, bits):
    signature = types.int64(types.uint64)

    def generate(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return signature, generate


@njit(nogil=True, cache=True)
def _pack(y, x, channel, value):
    """Return a spike in one word: row and column 16 bits each, channel 16, value 8."""
    return y << 40 | x << 24 | channel << 8 | value


@njit(nogil=True, cache=True)
def list_events(counts, spikes):
    """Write the cells of counts (2, H, W) that are not zero to `spikes`; return how many."""
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
def _add_block(y, x, rows, columns, pitch, block, value, weights, layer, membranes):
    """Add a block of weights (rows, pitch, channels) at row y and column x, clipped to the map."""
    first_row, first_column = max(0, -y), max(0, -x)
    length = (min(columns, layer.width - x) - first_column) * layer.channels
    target = layer.membranes + ((y + first_row) * layer.width + x + first_column) * layer.channels
    source = block + (first_row * pitch + first_column) * layer.channels
    for _ in range(first_row, min(rows, layer.height - y)):
        for lane in range(0, length, LANES):
            _add_weights(membranes, target + lane, weights, source + lane, value)
        target += layer.width * layer.channels
        source += pitch * layer.channels


@njit(nogil=True, cache=True)
def _upsampling_weight(fine, coarse, size):
    """Return what row `coarse` of `size` gives to row `fine` of the map of twice that size."""
    near = 0.75 if fine >> 1 == coarse else 0.25
    outside = (fine == 0 and coarse == 0) or (fine == 2 * size - 1 and coarse == size - 1)
    return 1.0 if outside else near


@njit(nogil=True, cache=True)
def _add_at_border(y, x, channel, value, projection, weights, layer, membranes):
    """Add a spike whose bilinear footprint is cut by the border: upsample it, then convolve."""
    kernel = projection.border_kernel
    block = projection.border_weights + channel * kernel * kernel * layer.channels
    for row in range(max(0, 2 * y - 1), min(projection.fine_height, 2 * y + 3)):
        row_value = value * _upsampling_weight(row, y, projection.height)
        for column in range(max(0, 2 * x - 1), min(projection.fine_width, 2 * x + 3)):
            fine_value = row_value * _upsampling_weight(column, x, projection.width)
            _add_block(row - kernel // 2, column - kernel // 2, kernel, kernel, kernel, block,
                       np.float32(fine_value), weights, layer, membranes)


@njit(nogil=True, cache=True)
def scatter(spikes, projection, weights, layer, membranes):
    """Add the weights of each spike to the membranes of the layer that it projects to."""
    pitch = projection.pitch
    odd = projection.phases - 1
    block_size = pitch * pitch * layer.channels
    for spike in spikes:
        y, x = spike >> 40, spike >> 24 & 0xffff
        channel, value = spike >> 8 & 0xffff, np.float32(spike & 0xff)
        if projection.border_kernel > 0 and (
                y == 0 or x == 0 or y == projection.height - 1 or x == projection.width - 1
                or 2 * y + 3 > projection.fine_height or 2 * x + 3 > projection.fine_width):
            _add_at_border(y, x, channel, value, projection, weights, layer, membranes)
            continue
        phase_y, phase_x = y & odd, x & odd
        phase = phase_y * projection.phases + phase_x
        block = projection.weights + (phase * projection.channels + channel) * block_size
        _add_block((y * projection.expansion + projection.origin) >> odd,
                   (x * projection.expansion + projection.origin) >> odd,
                   projection.rows[phase_y], projection.rows[phase_x], pitch, block, value,
                   weights, layer, membranes)


@njit(nogil=True, cache=True)
def add_residual(spikes, layer, gain, membranes):
    """Add the charge of each spike of a map to the same neuron of a layer of the same size."""
    for spike in spikes:
        y, x, channel = spike >> 40, spike >> 24 & 0xffff, spike >> 8 & 0xffff
        neuron = layer.membranes + (y * layer.width + x) * layer.channels + channel
        membranes[neuron] += gain[layer.neurons + channel]


@njit(nogil=True, cache=True)
def fire(layer, leak, drive, threshold, membranes, spikes):
    """Fire, reset by subtraction, then leak for the next step; list the spikes, return how many.

    Leaking here, and not before the next step's charge, saves a second pass over the membranes.
    """
    listed = 0
    start = layer.membranes
    for y in range(layer.height):
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
def integrate(layer, leak, drive, held_leak, membranes, held, heatmap):
    """Sum up the heatmap, then leak what it consists of for the next step."""
    for start in range(0, heatmap.size, LANES):
        channel = layer.neurons + start % layer.channels
        _integrate_lanes(heatmap, start, membranes, layer.membranes + start, held, leak, drive,
                         channel, held_leak)


@njit(nogil=True, cache=True)
def integrate_to_peaks(layer, leak, drive, held_leak, membranes, held, heatmap, peaks):
    """Do what `integrate` and `find_peaks` do, in one pass."""
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
def find_peaks(layer, heatmap, peaks):
    """Write row and column of the first highest cell of each joint to `peaks` (J, 2)."""
    channels = layer.channels
    highest, cells = _no_peaks(channels)
    for cell in range(layer.height * layer.width):
        stream = cell % STREAMS * channels
        for lane in range(0, channels, LANES):
            raise_lanes(heatmap, cell * channels + lane, highest, cells, stream + lane,
                         np.float32(cell))
    _write_peaks(layer, highest, cells, peaks)


@njit(nogil=True, cache=True)
def _no_peaks(channels):
    """Return heights and cells of peaks, one of each joint in each of STREAMS.

    Streams do not wait for each other's comparisons.
    """
    return (np.full(STREAMS * channels, -np.inf, np.float32),
            np.zeros(STREAMS * channels, np.float32))  # whole numbers up to 2 ** 24 are exact


@njit(nogil=True, cache=True)
def _write_peaks(layer, highest, cells, peaks):
    """Write the first highest of the streams' peaks."""
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
def feed_back(peaks, plan, membranes):
    """Charge the neurons round each joint's peak."""
    layer, kernel = plan.layers[plan.fed], plan.feedback_kernel
    size = kernel * kernel * layer.channels
    for joint in range(len(peaks)):
        _add_block(peaks[joint, 0] - kernel // 2, peaks[joint, 1] - kernel // 2, kernel, kernel,
                   kernel, plan.feedback + joint * size, np.float32(1), plan.weights, layer,
                   membranes)


@njit(nogil=True, cache=True)
def _joints_near(peaks, axis, reach, length):
    """Return for each row (axis 0) or column (1) a bit for each joint within reach, (length,)."""
    near = np.zeros(length, np.uint64)
    for joint in range(len(peaks)):
        place = peaks[joint, axis]
        for index in range(max(0, place - reach), min(length, place + reach + 1)):
            near[index] |= np.uint64(1) << np.uint64(joint)
    return near


@njit(nogil=True, cache=True)
def flow(spikes, weights, layer, peaks, offset):
    """Move the joints by the spikes round them: adds to `offset` (J, 2), x and y [cells].

    Args:
        spikes: of one map.
        weights: of that map, (J, channels, k, k, 2).
        layer: of the heatmaps, which are as large as the map.
        peaks: row and column of each joint, (J, 2).
        offset: is changed.
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
def _shift(maps, start, layer, joint, down, right):
    """Move the map of a joint by whole cells, in place; its borders are repeated.

    Cells are taken in the order in which none is overwritten before it was read.
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
def follow(layer, state):
    """Let what the heatmaps of joints are made of follow their offsets by whole cells."""
    for joint in range(len(state.offset)):
        right, down = round(state.offset[joint, 0]), round(state.offset[joint, 1])
        if right != 0 or down != 0:
            state.offset[joint, 0] -= right
            state.offset[joint, 1] -= down
            _shift(state.membranes, layer.membranes, layer, joint, down, right)
            _shift(state.held, 0, layer, joint, down, right)


@njit(nogil=True, cache=True)
def advance(counts, plan, state):
    """Advance a state by one time bin, whose events are `counts` (2, H, W), uint8."""
    spikes, ends = state.spikes, state.ends
    if plan.fed >= 0:
        feed_back(state.peaks, plan, state.membranes)
    listed = list_events(counts, spikes)
    ends[0] = listed
    last = plan.layers.size - 1
    for index in range(plan.layers.size):
        layer = plan.layers[index]
        for number in range(layer.first_projection, layer.last_projection):
            projection = plan.projections[number]
            first = plan.spikes[projection.source]
            scatter(spikes[first:ends[projection.source]], projection, plan.weights, layer,
                    state.membranes)
        if layer.residual >= 0:
            first = plan.spikes[layer.residual]
            add_residual(spikes[first:ends[layer.residual]], layer, plan.gain, state.membranes)
        if index < last:
            first = plan.spikes[index + 1]
            ends[index + 1] = first + fire(layer, plan.leak, plan.drive, plan.threshold,
                                           state.membranes, spikes[first:])
        else:
            for number in range(len(plan.flow_maps)):
                source = plan.flow_maps[number]
                flow(spikes[plan.spikes[source]:ends[source]], plan.flow_weights[number],
                     layer, state.peaks, state.offset)
            if len(plan.flow_maps):
                follow(layer, state)
            if plan.fed >= 0 or len(plan.flow_maps):
                integrate_to_peaks(layer, plan.leak, plan.drive, plan.held_leak, state.membranes,
                                   state.held, state.heatmap, state.peaks)
            else:
                integrate(layer, plan.leak, plan.drive, plan.held_leak, state.membranes,
                          state.held, state.heatmap)
