# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The event filters of DHP19, applied to a mosaic of the four images side by side.

Column 346 * channel + x of the mosaic is column x of a channel. Coordinates start at 0 here and at
1 in the dataset's own code. The filters run in this order: hot pixels, background activity, two
lamps.
"""

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.representation.geometry import DHP19_SENSOR

HOT_EVENTS = 10_000
"""A pixel with at least this many events in a recording is hot."""
BACKGROUND_US = 70_000
"""An event is kept if one of its 8 neighbors fired within this time."""
LAMPS = ((780, 809, 115, 144), (1252, 1258, 136, 143))
"""Regions of infrared lamps in the mosaic: first and end column, first and end row."""

_NEVER = -(1 << 62)


def filtered(t: np.ndarray, x: np.ndarray, y: np.ndarray, columns: int) -> np.ndarray:
    """Return the indices of the events that pass all filters, in order.

    Args:
        t: times [us], (N,), in file order.
        x: columns of the mosaic, (N,).
        y: rows, (N,).
        columns: width of the mosaic.
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
    """Return which events have a recent neighbor; the border of the mosaic does not count."""
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
