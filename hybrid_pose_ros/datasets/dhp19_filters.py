# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The filters that DHP19 puts its events through, on a mosaic of the four images side by side.

Column 346 * channel + x of the mosaic is column x of a channel; all is counted from 0, which the
dataset's own code counts from 1. In their order: hot pixels, background activity, two lamps.
"""

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.representation.geometry import DHP19_SENSOR

HOT_EVENTS = 10_000
"""A pixel with so many events in a recording is hot."""
BACKGROUND_US = 70_000
"""An event stays where one of the 8 pixels around had an event no longer ago."""
LAMPS = ((780, 809, 115, 144), (1252, 1258, 136, 143))
"""Infrared lamps: columns from and up to (which is outside), then rows likewise."""

_NEVER = -(1 << 62)


def filtered(t: np.ndarray, x: np.ndarray, y: np.ndarray, columns: int) -> np.ndarray:
    """Return the indices of the events that all filters let through, in order.

    Args:
        t: times [us], (N,), in the order of the file.
        x: columns of the mosaic, (N,).
        y: rows, (N,).
        columns: of the whole mosaic.
    """
    counts = np.zeros((columns, DHP19_SENSOR[1]), np.int64)
    np.add.at(counts, (x, y), 1)
    kept = np.flatnonzero(counts[x, y] < HOT_EVENTS)
    latest = np.full(counts.shape, _NEVER)
    kept = kept[_supported(t[kept], x[kept], y[kept], latest, BACKGROUND_US)]
    for left, right, top, bottom in LAMPS:
        x_kept, y_kept = x[kept], y[kept]
        kept = kept[(x_kept < left) | (x_kept >= right) | (y_kept < top) | (y_kept >= bottom)]
    return kept


@njit(nogil=True, cache=True)
def _supported(t, x, y, latest, most_us):
    """Return which events follow one of a neighbor; the mosaic's outermost pixels support none."""
    supported = np.empty(len(t), np.bool_)
    width, height = latest.shape
    for i in range(len(t)):
        column, row, now = x[i], y[i], t[i]
        supported[i] = now - latest[column, row] <= most_us
        if 0 < column < width - 1 and 0 < row < height - 1:
            own = latest[column, row]
            latest[column - 1:column + 2, row - 1:row + 2] = now
            latest[column, row] = own
    return supported
