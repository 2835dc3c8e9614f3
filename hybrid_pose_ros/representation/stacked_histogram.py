# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Counts the events of a window by time bin, polarity and cell: the input frame of the ANN.

Source: stacked histogram of arXiv 2303.14176.
"""

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.representation.geometry import InputGeometry


def stacked_histogram(events: np.ndarray, geometry: InputGeometry, *, bins: int,
                      start_us: int | None = None, duration_us: int | None = None) -> np.ndarray:
    """Return counts (2 * bins, H, W) uint16: time bins of OFF events, then of ON events.

    Without start and duration, the bins divide the time from the first to the last event equally
    (constant count: pass the last N events); simultaneous events go to the newest bin. With both,
    the bins divide [start_us, start_us + duration_us) of sensor time (constant duration), and
    events outside it are ignored. Counts saturate at 65535.
    """
    span_us = None
    if start_us is not None and duration_us is not None:
        span_us = start_us, start_us + duration_us
    elif (start_us is None) != (duration_us is None):
        raise TypeError('start_us and duration_us belong together: pass both or neither')
    counts = np.zeros((2 * bins, geometry.height, geometry.width), np.uint16)
    if len(events) == 0:
        return counts
    t = events['t']
    begin_us, end_us = (int(t.min()), int(t.max())) if span_us is None else span_us
    _count_into(counts.reshape(2, bins, -1), t, events['x'], events['y'], events['p'],
                geometry.cell_of_px, begin_us, end_us, span_us is None)
    return counts


@njit(cache=True, nogil=True)
def _count_into(counts: np.ndarray, t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray,
                cell_of_px: np.ndarray, start_us: int, end_us: int, include_end: bool) -> None:
    """Count events of [start_us, end_us), optionally including the end, into (2, bins, H * W)."""
    bins = counts.shape[1]
    sensor_height, sensor_width = cell_of_px.shape
    for i in range(len(t)):
        if t[i] < start_us or t[i] > end_us or (t[i] == end_us and not include_end):
            continue
        if x[i] >= sensor_width or y[i] >= sensor_height:
            continue
        cell = cell_of_px[y[i], x[i]]
        if cell < 0:
            continue
        time_bin = bins - 1
        if t[i] < end_us:
            time_bin = bins * (t[i] - start_us) // (end_us - start_us)
        polarity = 1 if p[i] else 0
        if counts[polarity, time_bin, cell] < 65535:
            counts[polarity, time_bin, cell] += 1
