# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heatmaps to joints: the highest cell, then the center of mass of the 5x5 window round it."""

import math

import numpy as np
from numba import njit

RADIUS = 2
"""Of the window round the peak [cells]."""


def locate_joints(heatmap: np.ndarray, logits: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return where each joint is, below the size of a cell, and how sure that is.

    Values that are not finite count as absent. A joint without any finite value is put into
    the first cell with confidence 0.

    Args:
        heatmap: (H, W, J) float32.
        logits: True where the maps are logits of a spatial softmax, False where they are blobs
            of height 1.

    Returns:
        Heatmap coordinates (x, y), (J, 2) float32, whole numbers being centers of cells, and
        confidence, (J,) float32, 0 to 1: of logits the probability within the window, of blobs
        the height of the peak, clipped, which is not calibrated.
    """
    joints = heatmap.shape[2]
    located = np.zeros((joints, 2), np.float32)
    confidence = np.zeros(joints, np.float32)
    _locate(heatmap, logits, located, confidence)
    return located, confidence


@njit(nogil=True, cache=True, fastmath={'contract'})
def _exp(x):
    """Return e^x, to 3e-7 of it, for -80 < x <= 0, else 0. The compiler can do it for vectors."""
    clipped = max(x, np.float32(-80))
    power = np.floor(clipped * np.float32(1 / math.log(2)) + np.float32(0.5))
    rest = clipped - power * np.float32(0.693359375) + power * np.float32(2.12194440e-4)
    series = np.float32(1 / 720)
    for term in (1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0):
        series = series * rest + np.float32(term)
    scale = np.int32((np.int32(power) + np.int32(127)) << np.int32(23)).view(np.float32)
    return series * scale if np.float32(-80) < x <= np.float32(0) else np.float32(0)


@njit(nogil=True, cache=True, fastmath={'reassoc', 'contract'})
def _mass(row, peak):
    """Return the sum of e^(value - peak)."""
    total = np.float32(0)
    for x in range(row.size):
        total += _exp(row[x] - peak)
    return total


@njit(nogil=True, cache=True)
def _peaks(heatmap, logits, peaks, cells, masses):
    """Write height and cell of each peak, and the sum of e^(value - height) over its map.

    One pass, row by row: what was summed is scaled when a row brings a higher peak.
    """
    height, width, joints = heatmap.shape
    row = np.empty(width, np.float32)
    for y in range(height):
        for joint in range(joints):
            before = peak = peaks[joint]
            for x in range(width):
                value = heatmap[y, x, joint]
                if value > peak and value < np.inf:
                    peak = value
                    cells[joint] = y * width + x
                if logits:
                    row[x] = value
            peaks[joint] = peak
            if logits and peak > -np.inf:
                if peak > before:
                    masses[joint] *= _exp(before - peak)
                masses[joint] += _mass(row, peak)


@njit(nogil=True, cache=True)
def _center(heatmap, joint, x, y, height, logits):
    """Return the offset (x, y) from a peak of that height, and the sum of the window's weights.

    The lowest weight is taken off all, or the window would pull a broad blob to its own middle.
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
def _locate(heatmap, logits, located, confidence):
    width, joints = heatmap.shape[1:]
    peaks = np.full(joints, -np.inf, np.float32)
    cells = np.zeros(joints, np.int64)
    masses = np.zeros(joints, np.float32)
    _peaks(heatmap, logits, peaks, cells, masses)
    for joint in range(joints):
        if peaks[joint] > -np.inf:
            y, x = cells[joint] // width, cells[joint] % width
            offset_x, offset_y, total = _center(heatmap, joint, x, y, peaks[joint], logits)
            located[joint, 0], located[joint, 1] = x + offset_x, y + offset_y
            share = total / masses[joint] if logits else np.float64(peaks[joint])
            confidence[joint] = min(max(share, 0.0), 1.0)
