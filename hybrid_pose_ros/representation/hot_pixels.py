# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detects and masks hot pixels from their events alone.

A hot pixel fires continuously at hundreds of hertz while its neighbors do not. Edges, in contrast,
move on, and around a flickering lamp all pixels flicker.
"""

import numpy as np

from hybrid_pose_ros.compiled import njit

WINDOW_US = 500_000
WINDOWS = 3
"""Number of consecutive hot windows after which a pixel is masked, and of consecutive normal
windows after which it is unmasked."""

LEAST_HZ = 100
NEIGHBORS = 20
"""A hot pixel fires at least at LEAST_HZ, and at this multiple of its 8 neighbors' mean rate."""


class HotPixels:
    """Monitors the events of one sensor."""

    def __init__(self, width: int, height: int):
        """Start without masked pixels."""
        self.mask = np.zeros((height, width), np.bool_)
        self.number = 0  # of masked pixels
        self._counts = np.zeros((height, width), np.int32)
        self._streak = np.zeros((height, width), np.int8)  # consecutive hot or normal windows
        self._window: int | None = None

    def masked(self, events: np.ndarray) -> np.ndarray:
        """Return the next events of the stream, without those of hot pixels.

        Masks change only at the end of a window, regardless of how the stream is split into
        pieces.
        """
        first = 0
        kept: list[np.ndarray] = []
        times_us = events['t']
        while first < len(events):
            window = int(times_us[first]) // WINDOW_US
            if self._window is not None and window != self._window:
                self._close(window == self._window + 1)
            self._window = window
            last = first + int(np.searchsorted(times_us[first:], (window + 1) * WINDOW_US))
            last = max(last, first + 1)
            kept.append(self._without_masked(events[first:last]))
            first = last
        return kept[0] if len(kept) == 1 else np.concatenate([events[:0], *kept])

    def _without_masked(self, events: np.ndarray) -> np.ndarray:
        """Count events of one window; return those of unmasked pixels."""
        _count_into(self._counts, events['x'], events['y'])
        if not self.number:
            return events
        return events[np.flatnonzero(_are_good(self.mask, events['x'], events['y']))]

    def _close(self, whole: bool) -> None:
        """End a window; if the stream was interrupted during the window, restart the window."""
        if whole:
            _judge(self._counts, self._streak, self.mask, LEAST_HZ * WINDOW_US // 1_000_000)
            self.number = int(self.mask.sum())
        else:
            self._streak[...] = 0
        self._counts[...] = 0


@njit(nogil=True, cache=True)
def _count_into(counts: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    height, width = counts.shape
    for i in range(len(x)):
        if x[i] < width and y[i] < height:
            counts[y[i], x[i]] += 1


@njit(nogil=True, cache=True)
def _judge(counts: np.ndarray, streak: np.ndarray, mask: np.ndarray, least: int) -> None:
    """Count, for each pixel, the consecutive windows that contradict its mask."""
    height, width = counts.shape
    for y in range(height):
        for x in range(width):
            hot = counts[y, x] >= least
            if hot:
                around, number = 0, 0
                for row in range(max(0, y - 1), min(height, y + 2)):
                    for column in range(max(0, x - 1), min(width, x + 2)):
                        if row != y or column != x:
                            around += counts[row, column]
                            number += 1
                hot = counts[y, x] * number >= NEIGHBORS * around
            if hot == mask[y, x]:
                streak[y, x] = 0
                continue
            streak[y, x] += 1
            if streak[y, x] >= WINDOWS:
                mask[y, x], streak[y, x] = hot, 0


@njit(nogil=True, cache=True)
def _are_good(mask: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return, for each event, whether its pixel is unmasked."""
    height, width = mask.shape
    good = np.ones(len(x), np.bool_)
    for i in range(len(x)):
        if x[i] < width and y[i] < height:
            good[i] = not mask[y[i], x[i]]
    return good
