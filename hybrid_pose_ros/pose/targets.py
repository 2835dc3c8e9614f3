# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Target heatmaps for training, as in the paper."""

import numpy as np

SIGMA = 2.0
KERNEL = 11


def heatmap_target(joints: np.ndarray, height: int, width: int, *,
                   visible: np.ndarray | None = None, sigma: float = SIGMA,
                   kernel: int = KERNEL) -> np.ndarray:
    """Return heatmaps (J, height, width) float32 with a Gaussian of peak 1 at each joint.

    Args:
        joints: joints (J, 2), x and y in heatmap coordinates; truncated to integers.
        height: rows of the heatmap.
        width: columns of the heatmap.
        visible: (J,) bool; the map of a joint that is not visible or outside is zero.
        sigma: standard deviation of the Gaussian.
        kernel: odd length of the truncated Gaussian; it is mirrored at borders.

    Source: arXiv 2303.14176 and its published code.
    """
    x, y = np.trunc(joints[:, 0]), np.trunc(joints[:, 1])
    shown = (0 <= x) & (x < width) & (0 <= y) & (y < height)
    if visible is not None:
        shown &= visible
    targets = np.zeros((len(joints), height, width), np.float32)
    for joint in np.flatnonzero(shown):
        target = np.outer(_blurred_dot(int(y[joint]), height, sigma, kernel),
                          _blurred_dot(int(x[joint]), width, sigma, kernel))
        targets[joint] = target / target.max()
    return targets


def blurred_dots(length: int, *, sigma: float = SIGMA, kernel: int = KERNEL) -> np.ndarray:
    """Return the 1-D target of a joint at each position, (length, length) float32.

    The outer product of the rows for a joint's y and x is its map in `heatmap_target`.
    """
    dots = np.stack([_blurred_dot(position, length, sigma, kernel) for position in range(length)])
    return (dots / dots.max(axis=1, keepdims=True)).astype(np.float32)


def _blurred_dot(position: int, length: int, sigma: float, kernel: int) -> np.ndarray:
    """Return a row of zeros with a one at `position`, convolved with a Gaussian."""
    reach = kernel // 2
    gaussian = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    dot = np.zeros(length)
    dot[position] = 1
    return np.convolve(np.pad(dot, reach, mode='reflect'), gaussian / gaussian.sum(), 'valid')
