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


@njit(nogil=True, cache=True)
def _exp(x):
    """Return e^x for x <= 0, to 3e-7 of it; below -80, 0. The compiler can do it for vectors."""
    clipped = max(x, np.float32(-80))
    power = np.floor(clipped * np.float32(1 / math.log(2)) + np.float32(0.5))
    rest = clipped - power * np.float32(0.693359375) + power * np.float32(2.12194440e-4)
    series = np.float32(1 / 720)
    for term in (1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0):
        series = series * rest + np.float32(term)
    scale = np.int32((np.int32(power) + np.int32(127)) << np.int32(23)).view(np.float32)
    return series * scale if x > np.float32(-80) else np.float32(0)


@njit(nogil=True, cache=True, fastmath={'reassoc'})
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
                    row[x] = value if abs(value) < np.inf else -np.inf
            peaks[joint] = peak
            if logits and peak > -np.inf:
                if peak > before:
                    masses[joint] *= _exp(before - peak)
                masses[joint] += _mass(row, peak)


@njit(nogil=True, cache=True)
def _locate(heatmap, logits, located, confidence):
    height, width, joints = heatmap.shape
    peaks = np.full(joints, -np.inf, np.float32)
    cells = np.zeros(joints, np.int64)
    masses = np.zeros(joints, np.float32)
    _peaks(heatmap, logits, peaks, cells, masses)
    for joint in range(joints):
        y, x = cells[joint] // width, cells[joint] % width
        located[joint, 0], located[joint, 1] = x, y
        if peaks[joint] == -np.inf:
            continue
        rows = range(max(0, y - RADIUS), min(height, y + RADIUS + 1))
        columns = range(max(0, x - RADIUS), min(width, x + RADIUS + 1))
        total, lowest, count = 0.0, np.inf, 0
        moment_x, moment_y, all_x, all_y = 0.0, 0.0, 0, 0
        for j in rows:
            for i in columns:
                value = np.float64(heatmap[j, i, joint])
                if not abs(value) < np.inf:
                    continue
                weight = math.exp(value - peaks[joint]) if logits else value
                lowest = min(lowest, weight)
                total += weight
                moment_x += weight * (i - x)
                moment_y += weight * (j - y)
                all_x += i - x
                all_y += j - y
                count += 1
        # The lowest weight is taken off all, or the window would pull towards its own center.
        above = total - lowest * count
        if above > 0:
            located[joint, 0] += (moment_x - lowest * all_x) / above
            located[joint, 1] += (moment_y - lowest * all_y) / above
        share = total / masses[joint] if logits else np.float64(peaks[joint])
        confidence[joint] = min(max(share, 0.0), 1.0)
