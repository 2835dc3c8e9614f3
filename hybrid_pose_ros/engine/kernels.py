# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The loops of the engine, compiled by numba: list events, scatter spikes, fire, integrate.

Channels are innermost and padded to a multiple of LANES, so that every loop over channels is a
loop over whole SIMD vectors. The vector operations are spelled out in LLVM's language: the
compiler does not turn "which of these fire" into a mask by itself, which costs a factor of five.
All is one file, because numba's cache on disk notices changes of the file of a kernel only.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LANES = 16
"""Floats in one vector: one register of AVX-512, two of AVX2, four of NEON."""

EVENT_LANES = 64

STREAMS = 4
"""Searches for a peak that run side by side."""

TINY = 1e-30
"""Membranes that leaked to less than this are 0."""

_I32 = ir.IntType(32)
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_EVENTS = ir.VectorType(ir.IntType(8), EVENT_LANES)


def _pointer(context, builder, array, array_type, start, vector):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())


def _load(builder, pointer):
    value = builder.load(pointer)
    value.align = 4  # buffers are aligned to whole vectors, but nothing breaks if one is not
    return value


def _store(builder, value, pointer):
    builder.store(value, pointer).align = 4


def _splat(builder, scalar):
    undefined = ir.Constant(_FLOATS, ir.Undefined)
    zeros = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    first = builder.insert_element(undefined, scalar, ir.Constant(_I32, 0))
    return builder.shuffle_vector(first, undefined, zeros)


def _flush(builder, value):
    """Return 0 for what has leaked away: on many CPUs the tiniest floats are slow."""
    def constant(number):
        return ir.Constant(_FLOATS, [float(np.float32(number))] * LANES)

    tiny = builder.and_(builder.fcmp_ordered('<', value, constant(TINY)),
                        builder.fcmp_ordered('>', value, constant(-TINY)))
    return builder.select(tiny, constant(0), value)


@intrinsic
def _add_weights(_, target, target_start, weights, weights_start, value):
    """Add `value` times LANES weights to LANES membranes."""
    signature = types.void(target, types.int64, weights, types.int64, types.float32)

    def generate(context, builder, signature, args):
        target, target_start, weights, weights_start, value = args
        out = _pointer(context, builder, target, signature.args[0], target_start, _FLOATS)
        source = _pointer(context, builder, weights, signature.args[2], weights_start, _FLOATS)
        charge = builder.fmul(_load(builder, source), _splat(builder, value))
        _store(builder, builder.fadd(_load(builder, out), charge), out)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def _fire_lanes(_, membranes, start, leak, drive, channel, threshold):
    """Fire, reset and leak LANES membranes; return one bit for each that fired."""
    signature = types.uint32(membranes, types.int64, leak, drive, types.int64, types.float32)

    def generate(context, builder, signature, args):
        membranes, start, leak, drive, channel, threshold = args
        pointer = _pointer(context, builder, membranes, signature.args[0], start, _FLOATS)
        leaks = _pointer(context, builder, leak, signature.args[2], channel, _FLOATS)
        drives = _pointer(context, builder, drive, signature.args[3], channel, _FLOATS)
        potential, level = _load(builder, pointer), _splat(builder, threshold)
        fired = builder.fcmp_ordered('>=', potential, level)
        kept = builder.select(fired, builder.fsub(potential, level), potential)
        leaked = builder.fmul(_load(builder, leaks), _flush(builder, kept))
        _store(builder, builder.fadd(leaked, _load(builder, drives)), pointer)
        return builder.zext(builder.bitcast(fired, ir.IntType(LANES)), _I32)

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
        integrated = _pointer(context, builder, integrated, types_[2], integrated_start, _FLOATS)
        held = _pointer(context, builder, held, types_[4], start, _FLOATS)
        leak = _pointer(context, builder, leak, types_[5], channel, _FLOATS)
        drive = _pointer(context, builder, drive, types_[6], channel, _FLOATS)
        out = _pointer(context, builder, heatmap, types_[0], start, _FLOATS)
        summed, kept = _load(builder, integrated), _load(builder, held)
        _store(builder, builder.fadd(summed, kept), out)
        leaked = builder.fmul(_flush(builder, summed), _load(builder, leak))
        _store(builder, builder.fadd(leaked, _load(builder, drive)), integrated)
        _store(builder, builder.fmul(_flush(builder, kept), _splat(builder, factor)), held)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def _raise_lanes(_, values, start, highest, cells, lane, cell):
    """Raise LANES of `highest` to the values that are higher, and note the cell of those."""
    signature = types.void(values, types.int64, highest, cells, types.int64, types.float32)

    def generate(context, builder, signature, args):
        values, start, highest, cells, lane, cell = args
        value = _load(builder, _pointer(context, builder, values, signature.args[0], start,
                                        _FLOATS))
        highest = _pointer(context, builder, highest, signature.args[2], lane, _FLOATS)
        cells = _pointer(context, builder, cells, signature.args[3], lane, _FLOATS)
        before, cells_before = _load(builder, highest), _load(builder, cells)
        higher = builder.fcmp_ordered('>', value, before)
        _store(builder, builder.select(higher, value, before), highest)
        _store(builder, builder.select(higher, _splat(builder, cell), cells_before), cells)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def _nonzero_lanes(_, counts, start):
    """Return one bit for each of EVENT_LANES counts that is not zero."""
    signature = types.uint64(counts, types.int64)

    def generate(context, builder, signature, args):
        pointer = _pointer(context, builder, args[0], signature.args[0], args[1], _EVENTS)
        value = builder.load(pointer)
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
def find_peaks(layer, heatmap, peaks):
    """Write row and column of the first highest cell of each joint to `peaks` (J, 2).

    Cells are searched in STREAMS that do not wait for each other's comparisons.
    """
    channels = layer.channels
    highest = np.full(STREAMS * channels, -np.inf, np.float32)
    cells = np.zeros(STREAMS * channels, np.float32)  # whole numbers up to 2 ** 24 are exact
    for cell in range(layer.height * layer.width):
        stream = cell % STREAMS * channels
        for lane in range(0, channels, LANES):
            _raise_lanes(heatmap, cell * channels + lane, highest, cells, stream + lane,
                         np.float32(cell))
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
def _shift(maps, start, layer, joint, down, right, scratch):
    """Move the map of a joint by whole cells; its borders are repeated."""
    height, width, channels = layer.height, layer.width, layer.channels
    for cell in range(height * width):
        scratch[cell] = maps[start + cell * channels + joint]
    for y in range(height):
        row = min(max(y - down, 0), height - 1) * width
        for x in range(width):
            column = min(max(x - right, 0), width - 1)
            maps[start + (y * width + x) * channels + joint] = scratch[row + column]


@njit(nogil=True, cache=True)
def follow(layer, state):
    """Let the maps of joints follow their offsets by whole cells."""
    for joint in range(len(state.offset)):
        right, down = round(state.offset[joint, 0]), round(state.offset[joint, 1])
        if right != 0 or down != 0:
            state.offset[joint, 0] -= right
            state.offset[joint, 1] -= down
            scratch = np.empty(layer.height * layer.width, np.float32)
            _shift(state.membranes, layer.membranes, layer, joint, down, right, scratch)
            _shift(state.held, 0, layer, joint, down, right, scratch)
            _shift(state.heatmap, 0, layer, joint, down, right, scratch)


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
            integrate(layer, plan.leak, plan.drive, plan.held_leak, state.membranes, state.held,
                      state.heatmap)
            for number in range(len(plan.flow_maps)):
                source = plan.flow_maps[number]
                flow(spikes[plan.spikes[source]:ends[source]], plan.flow_weights[number],
                     layer, state.peaks, state.offset)
            if len(plan.flow_maps):
                follow(layer, state)
            if plan.fed >= 0 or len(plan.flow_maps):
                find_peaks(layer, state.heatmap, state.peaks)
