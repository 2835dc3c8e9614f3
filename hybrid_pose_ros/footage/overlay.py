# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A contact sheet of frames and events with their labels, for inspection before training."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.outputs import check_space
from hybrid_pose_ros.recordings.hdf5 import LABEL_CENTER_PX
from hybrid_pose_ros.tasks.skeleton import Skeleton
from hybrid_pose_ros.visualization.overlay import draw_events, draw_skeleton, draw_text

TILES, COLUMNS = 12, 3
EVENTS_US = 20_000
"""Time span of the events shown, centered on a frame."""
TILE_HEIGHT_PX = 260


def sheet_numbers(frames: int) -> np.ndarray:
    """Return the indices of the frames on the sheet, spread evenly over all frames."""
    return np.unique(np.linspace(0, frames - 1, TILES + 2)[1:-1].round().astype(int))


class Sheet:
    """Collects tiles, each with a frame and its events, and writes them as one image."""

    def __init__(self, width: int, height: int):
        """Start an empty sheet for a sensor of this size [px]."""
        self._width, self._height = width, height
        self._tiles: list[np.ndarray] = []

    def add(self, image: np.ndarray, image_joints_px: np.ndarray, events: np.ndarray,
            joints_px: np.ndarray, t_us: int) -> None:
        """Add a tile of a frame and its events, each with joints; pixel i covers [i, i + 1).

        Args:
            image: frame, (H, W, 3) uint8 BGR.
            image_joints_px: joints in the frame, (13, 2); NaN: unknown.
            events: events around the time of the frame.
            joints_px: joints on the sensor, (13, 2).
            t_us: time of the frame.
        """
        seen = draw_events(events, self._width, self._height)
        tile = np.hstack([_drawn(image, image_joints_px), _drawn(seen, joints_px)])
        draw_text(tile, f'{1e-6 * t_us:.2f} s')
        self._tiles.append(tile)

    def write(self, path: Path) -> None:
        """Write the image.

        Raises:
            RecordingError: it cannot be written.
        """
        check_space(path.parent)
        empty = np.zeros_like(self._tiles[0])
        tiles = self._tiles + [empty] * (-len(self._tiles) % COLUMNS)
        rows = [np.hstack(row) for row in _groups(tiles, COLUMNS)]
        if not cv2.imwrite(str(path), np.vstack(rows)):
            raise RecordingError(f'{path} cannot be written')


def _drawn(image: np.ndarray, joints_px: np.ndarray) -> np.ndarray:
    """Return the image scaled to the height of a tile, with the skeleton drawn on it."""
    scale = TILE_HEIGHT_PX / image.shape[0]
    tile = cv2.resize(image, (round(scale * image.shape[1]), TILE_HEIGHT_PX),
                      interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    draw_skeleton(tile, Skeleton(0, scale * joints_px - LABEL_CENTER_PX,
                                 np.ones(len(joints_px)), np.zeros_like(joints_px)))
    return tile


def _groups(tiles: Sequence[np.ndarray], size: int) -> Iterator[Sequence[np.ndarray]]:
    for first in range(0, len(tiles), size):
        yield tiles[first:first + size]
