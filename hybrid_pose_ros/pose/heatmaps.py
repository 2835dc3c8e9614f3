# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From heatmaps to joints: the maximum, refined by the centroid of the 5x5 window around it."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.typing.templates import Signature

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.lanes import (
    FLOATS, INTS, LANES, NOTHING, Generator, constant, intrinsic, load, nothing, pointer,
    raise_lanes, store)

RADIUS = 2
"""Radius of the window around the peak [cells]."""

STREAMS = 4
"""Number of independent searches and sums computed in parallel."""

LN2 = math.log(2)
ROUNDER = 1.5 * 2 ** 23
"""At this magnitude a float32 has no fraction bits, so adding it rounds to an integer."""

SERIES = np.polynomial.Chebyshev.interpolate(np.exp, 4, (-LN2 / 2, LN2 / 2)).convert(
    kind=np.polynomial.Polynomial).coef
"""Coefficients of a polynomial for e^x near 0, lowest power first."""


def locate_joints(heatmap: np.ndarray, logits: bool, joints: int | None = None
                  ) -> tuple[np.ndarray, np.ndarray]:
    """Return the subpixel position and confidence of each joint.

    Non-finite values are ignored. A joint without finite values is placed in the first cell, with
    confidence 0.

    Args:
        heatmap: heatmaps, (H, W, C) float32.
        logits: True: the maps are logits of a spatial softmax; False: they are Gaussians with peak
            1.
        joints: number J of leading channels that are joint maps; None: all. A contiguous heatmap
            whose C is a multiple of 16 is not copied.

    Returns:
        Heatmap coordinates (x, y), (J, 2) float32, with cell centers at integers, and confidence,
        (J,) float32, 0 to 1. For logits the confidence is the probability within the window;
        otherwise it is the clipped peak value, which is not calibrated.
    """
    channels = heatmap.shape[2]
    joints = channels if joints is None else joints
    located = np.zeros((joints, 2), np.float32)
    confidence = np.zeros(joints, np.float32)
    if channels % LANES or not heatmap.flags.c_contiguous:
        heatmap = np.pad(heatmap, ((0, 0), (0, 0), (0, -channels % LANES)))
    _locate(heatmap, logits, located, confidence)
    return located, confidence


@intrinsic(NOTHING)
def _add_exp_lanes(_: BaseContext, values: Any, start: Any, peaks: Any, masses: Any,
                   lane: Any) -> tuple[Signature, Generator]:
    """Add e^(value - peak) of LANES finite values to LANES of `masses`.

    The relative error is 2e-6; values below e^-80 count as 0.
    """
    signature = types.void(values, types.int64, peaks, masses, types.int64)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 args: Sequence[ir.Value]) -> ir.Value:
        values, start, peaks, masses, lane = args
        kinds, fused = signature.args, ('contract',)
        value = load(builder, pointer(context, builder, values, kinds[0], start, FLOATS))
        peak = load(builder, pointer(context, builder, peaks, kinds[2], lane, FLOATS))
        masses = pointer(context, builder, masses, kinds[3], lane, FLOATS)
        x = builder.fsub(value, peak)
        power = builder.fadd(builder.fmul(x, constant(1 / LN2), flags=fused),
                             constant(ROUNDER), flags=fused)
        rest = builder.fadd(x, builder.fmul(builder.fsub(power, constant(ROUNDER)),
                                            constant(-LN2), flags=fused), flags=fused)
        series = constant(SERIES[-1])
        for factor in SERIES[-2::-1]:
            series = builder.fadd(builder.fmul(series, rest, flags=fused), constant(factor),
                                  flags=fused)
        # The last bits of `power` contain the power of two and are moved to the exponent.
        exponent = builder.shl(builder.bitcast(power, INTS), ir.Constant(INTS, [23] * LANES))
        mass = builder.bitcast(builder.add(builder.bitcast(series, INTS), exponent), FLOATS)
        counts = builder.and_(builder.fcmp_ordered('>', x, constant(-80)),
                              builder.fcmp_ordered('<=', x, constant(0)))
        mass = builder.select(counts, mass, constant(0))
        store(builder, builder.fadd(load(builder, masses), mass), masses)
        return nothing(context)

    return signature, generate


@njit(nogil=True, cache=True)
def _peaks(maps, peaks, cells):
    """Write the value and cell of the first finite maximum of each channel."""
    height, width, channels = maps.shape
    values = maps.reshape(-1)
    highest = np.full(STREAMS * channels, -np.inf, np.float32)
    places = np.zeros(STREAMS * channels, np.float32)  # integers up to 2 ** 24 are exact
    for cell in range(height * width):
        stream = cell % STREAMS * channels
        for lane in range(0, channels, LANES):
            raise_lanes(values, cell * channels + lane, highest, places, stream + lane,
                        np.float32(cell))
    for channel in range(channels):
        best = channel
        for other in range(channel + channels, STREAMS * channels, channels):
            if highest[other] > highest[best] or (highest[other] == highest[best]
                                                  and places[other] < places[best]):
                best = other
        peaks[channel], cells[channel] = highest[best], np.int64(places[best])


@njit(nogil=True, cache=True)
def _masses(maps, peaks, masses):
    """Write the sum of e^(value - peak) over the map of each channel."""
    height, width, channels = maps.shape
    values = maps.reshape(-1)
    partial = np.zeros(STREAMS * channels, np.float32)
    all_peaks = np.empty(STREAMS * channels, np.float32)
    for index in range(STREAMS * channels):
        all_peaks[index] = peaks[index % channels]
    for cell in range(height * width):
        stream = cell % STREAMS * channels
        for lane in range(0, channels, LANES):
            _add_exp_lanes(values, cell * channels + lane, all_peaks, partial, stream + lane)
    for index in range(STREAMS * channels):
        masses[index % channels] += partial[index]


@njit(nogil=True, cache=True)
def _center(heatmap, joint, x, y, height, logits):
    """Return the offset (x, y) from a peak and the sum of the window's weights.

    The lowest weight is subtracted; otherwise broad blobs would be biased toward the window
    center.
    """
    total, lowest, count = 0.0, np.inf, 0
    moment_x, moment_y, count_x, count_y = 0.0, 0.0, 0, 0
    for j in range(max(0, y - RADIUS), min(heatmap.shape[0], y + RADIUS + 1)):
        for i in range(max(0, x - RADIUS), min(heatmap.shape[1], x + RADIUS + 1)):
            value = np.float64(heatmap[j, i, joint])
            if abs(value) < np.inf:
                weight = math.exp(value - height) if logits else value
                lowest = min(lowest, weight)
                total += weight
                moment_x += weight * (i - x)
                moment_y += weight * (j - y)
                count += 1
                count_x += i - x
                count_y += j - y
    above = total - lowest * count
    if above > 0:
        return (moment_x - lowest * count_x) / above, (moment_y - lowest * count_y) / above, total
    return 0.0, 0.0, total


@njit(nogil=True, cache=True)
def _locate(maps, logits, located, confidence):
    width, channels = maps.shape[1:]
    peaks = np.empty(channels, np.float32)
    cells = np.empty(channels, np.int64)
    masses = np.zeros(channels, np.float32)
    _peaks(maps, peaks, cells)
    if logits:
        _masses(maps, peaks, masses)
    for joint in range(len(located)):
        if peaks[joint] > -np.inf:
            y, x = cells[joint] // width, cells[joint] % width
            offset_x, offset_y, total = _center(maps, joint, x, y, peaks[joint], logits)
            located[joint, 0], located[joint, 1] = x + offset_x, y + offset_y
            share = total / masses[joint] if logits else np.float64(peaks[joint])
            confidence[joint] = min(max(share, 0.0), 1.0)
