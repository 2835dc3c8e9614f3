# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Maps sensor pixels to the network's input cells, and its heatmaps back to pixels.

Integer coordinates are pixel centers. A cell of the pooled input covers the pixels
[i * pooling, (i + 1) * pooling) after the crop's origin, a heatmap element covers heatmap_stride
cells in each direction; their integer coordinates are centers, too.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.presets import Preset, heatmap_depth

DHP19_SENSOR = (346, 260)
DHP19_CROP_ORIGIN = (34, 2)
"""The paper's 256x256 crop: columns 34..289 and rows 2..257 of a DAVIS346."""

MOST_SENSOR_PX = 4096
"""Maximum sensor side, three times that of event cameras; limits the size of pixel tables."""


class Lens(NamedTuple):
    """Camera intrinsics in OpenCV's model."""

    camera_matrix: np.ndarray  # (3, 3), [px]
    distortion: np.ndarray  # 4, 5, 8, 12 or 14 coefficients: k1, k2, p1, p2, k3 ...
    equidistant: bool = False  # fisheye: k1 to k4 of the angle


@dataclass(frozen=True, eq=False)
class InputGeometry:
    """Maps each sensor pixel to the network's input. Created by `input_geometry`."""

    sensor_width: int  # [px]
    sensor_height: int
    pooling: int  # pixels along one side of a cell
    origin: tuple[int, int]  # x and y of the first cell's first pixel [px]
    width: int  # [cells]
    height: int
    heatmap_stride: int  # cells along one side of a heatmap element
    cell_of_px: np.ndarray  # (sensor_height, sensor_width) int32: y * width + x, -1 = outside

    def cells(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the cell (x, y) of each event and whether it is inside the input, each (N,).

        For events outside, x and y are undefined.
        """
        x, y = events['x'], events['y']
        on_sensor = (x < self.sensor_width) & (y < self.sensor_height)
        cell = np.full(len(events), -1, np.int32)
        cell[on_sensor] = self.cell_of_px[y[on_sensor], x[on_sensor]]
        return cell % self.width, cell // self.width, cell >= 0

    def to_px(self, xy_heatmap: np.ndarray) -> np.ndarray:
        """Return sensor pixels for heatmap coordinates (x, y), both (..., 2) float."""
        stride_px = self.pooling * self.heatmap_stride
        return (np.asarray(xy_heatmap) + 0.5) * stride_px - 0.5 + np.asarray(self.origin)

    def to_heatmap(self, xy_px: np.ndarray) -> np.ndarray:
        """Return heatmap coordinates for sensor pixels (x, y), both (..., 2) float."""
        stride_px = self.pooling * self.heatmap_stride
        return (np.asarray(xy_px) - np.asarray(self.origin) + 0.5) / stride_px - 0.5


def input_geometry(preset: Preset, width: int, height: int, *,
                   lens: Lens | None = None) -> InputGeometry:
    """Return the mapping from a sensor of width x height to the preset's input.

    With a lens, events are counted at their undistorted positions (same camera matrix), and those
    that leave the image are outside; joints are in undistorted pixels, too.

    Raises:
        InputError: the sensor is smaller than the preset's crop, or the lens is invalid.
    """
    if not (1 <= width <= MOST_SENSOR_PX and 1 <= height <= MOST_SENSOR_PX):
        raise InputError(f'a sensor of {width}x{height} pixels is not supported: expected 1x1 '
                         f'to {MOST_SENSOR_PX}x{MOST_SENSOR_PX}')
    pooling, origin, (cells_x, cells_y) = _window(preset, width, height)
    x, y = _undistorted(width, height, lens)
    cell_x, cell_y = (x - origin[0]) // pooling, (y - origin[1]) // pooling
    inside = (0 <= x) & (x < width) & (0 <= y) & (y < height)
    inside &= (0 <= cell_x) & (cell_x < cells_x) & (0 <= cell_y) & (cell_y < cells_y)
    cell_of_px = np.where(inside, cell_y * cells_x + cell_x, -1).astype(np.int32)
    cell_of_px.flags.writeable = False
    return InputGeometry(width, height, pooling, origin, cells_x, cells_y,
                         2 ** heatmap_depth(preset), cell_of_px)


def _window(preset: Preset, width: int, height: int):
    """Return pooling factor, origin [px] and size [cells] of the input."""
    crop_width, crop_height = preset.crop
    if crop_width:
        if width < crop_width or height < crop_height:
            raise InputError(f'preset {preset.name} needs a sensor of at least {crop_width}x'
                             f'{crop_height} pixels, but this one has {width}x{height}: '
                             'use a preset that covers the whole sensor, such as edge')
        centered = ((width - crop_width) // 2, (height - crop_height) // 2)
        origin = DHP19_CROP_ORIGIN if (width, height) == DHP19_SENSOR else centered
        return 1, origin, preset.crop
    pooling = max(-(-width // preset.max_width), -(-height // preset.max_height))
    return pooling, (0, 0), (-(-width // pooling), -(-height // pooling))


def _undistorted(width: int, height: int, lens: Lens | None):
    """Return the undistorted x and y of each pixel, rounded, each (height, width) int64."""
    y, x = np.mgrid[:height, :width]
    if lens is None:
        return x, y
    import cv2
    points = np.stack([x, y], axis=-1).reshape(-1, 1, 2).astype(np.float64)
    matrix = np.asarray(lens.camera_matrix, np.float64)
    try:
        undistort = cv2.fisheye.undistortPoints if lens.equidistant else cv2.undistortPoints
        points = undistort(points, matrix, np.asarray(lens.distortion, np.float64), P=matrix)
    except cv2.error as error:
        raise InputError('the lens is not supported by OpenCV: expected a 3x3 camera matrix '
                         'and 4, 5, 8, 12 or 14 coefficients, 4 if equidistant '
                         f'({error.err})') from error
    if not np.isfinite(points).all():
        raise InputError('the lens maps pixels to non-finite positions: is its focal length 0?')
    points = np.rint(np.clip(points, -1e6, 1e6)).astype(np.int64)
    return points[:, 0, 0].reshape(height, width), points[:, 0, 1].reshape(height, width)
