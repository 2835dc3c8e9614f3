# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Maps sensor pixels to the network's input cells, and its heatmaps back to pixels.

The input is a region of the sensor: all of it, a crop, or a window around the person. Integer
coordinates are pixel centers. Cell i covers pixels [i * cell_px, (i + 1) * cell_px), counted from
the first pixel of the region. A heatmap element covers heatmap_stride cells in each direction.
Integer coordinates of cells and heatmap elements are also their centers.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.presets import Preset, heatmap_depth

DHP19_SENSOR = (346, 260)
DHP19_CROP_ORIGIN = (34, 2)
"""Origin of the paper's 256x256 crop: columns 34..289 and rows 2..257 of a DAVIS346."""

WINDOW_WIDTH_PX = 346
"""Width of the region to which a preset's number of events refers."""

MOST_SENSOR_PX = 4096
"""Maximum side of a sensor, three times that of event cameras; limits the size of pixel tables."""


class Lens(NamedTuple):
    """Camera intrinsics in OpenCV's model."""

    camera_matrix: np.ndarray  # (3, 3), [px]
    distortion: np.ndarray  # 4, 5, 8, 12 or 14 coefficients: k1, k2, p1, p2, k3 ...
    equidistant: bool = False  # fisheye: k1 to k4 of the angle


class Region(NamedTuple):
    """A rectangle of the sensor [px]; it may extend beyond the last row and column.

    The values are integers, except for columns of a region in training.
    """

    x: float  # of the first pixel
    y: float
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class InputGeometry:
    """Maps each sensor pixel to the network's input. Created by `input_geometry`."""

    sensor_width: int  # [px]
    sensor_height: int
    region: Region  # covered by the input
    width: int  # [cells]
    height: int
    heatmap_stride: int  # cells along one side of a heatmap element
    cell_of_px: np.ndarray  # (sensor_height, sensor_width) int32: y * width + x, -1 = outside
    undistorted_px: np.ndarray | None = None  # x and y of each pixel, (2, height, width) int64

    @property
    def cell_px(self) -> float:
        """Edge length of a cell [px]."""
        return self.region.width / self.width

    @property
    def origin(self) -> tuple[float, float]:
        """X and y of the first cell's first pixel [px]."""
        return self.region[:2]

    def cells(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return x and y of each event's cell, and whether it is inside the input, each (N,).

        For events outside, x and y are undefined.
        """
        x, y = events['x'], events['y']
        on_sensor = (x < self.sensor_width) & (y < self.sensor_height)
        cell = np.full(len(events), -1, np.int32)
        cell[on_sensor] = self.cell_of_px[y[on_sensor], x[on_sensor]]
        return cell % self.width, cell // self.width, cell >= 0

    def to_px(self, xy_heatmap: np.ndarray) -> np.ndarray:
        """Return sensor pixels for heatmap coordinates (x, y), both (..., 2) float."""
        stride_px = self.cell_px * self.heatmap_stride
        px: np.ndarray = ((np.asarray(xy_heatmap) + 0.5) * stride_px - 0.5
                          + np.asarray(self.origin))
        return px

    def to_heatmap(self, xy_px: np.ndarray) -> np.ndarray:
        """Return heatmap coordinates for sensor pixels (x, y), both (..., 2) float."""
        stride_px = self.cell_px * self.heatmap_stride
        xy: np.ndarray = (np.asarray(xy_px) - np.asarray(self.origin) + 0.5) / stride_px - 0.5
        return xy

    def within(self, region: Region) -> 'InputGeometry':
        """Return the mapping of a region to the same cells.

        The height follows from the width, since cells are square.
        """
        return replace(self, region=region, cell_of_px=_cell_of_px(
            self.sensor_width, self.sensor_height, region, (self.width, self.height),
            self.undistorted_px))


def input_geometry(preset: Preset, width: int, height: int, *,
                   lens: Lens | None = None) -> InputGeometry:
    """Return the mapping from a sensor of width x height to the preset's input.

    With a lens, events are counted at their undistorted positions (with the same camera matrix);
    those that leave the image are outside. Joints are then also in undistorted pixels.

    Raises:
        InputError: the sensor is smaller than the preset's crop, or the lens is invalid.
    """
    if not (1 <= width <= MOST_SENSOR_PX and 1 <= height <= MOST_SENSOR_PX):
        raise InputError(f'a sensor of {width}x{height} pixels is not supported: expected 1x1 '
                         f'to {MOST_SENSOR_PX}x{MOST_SENSOR_PX}')
    region, cells = _whole(preset, width, height)
    undistorted_px = None if lens is None else _undistorted(width, height, lens)
    return InputGeometry(width, height, region, *cells, 2 ** heatmap_depth(preset),
                         _cell_of_px(width, height, region, cells, undistorted_px),
                         undistorted_px)


def window_events(preset: Preset, geometry: InputGeometry) -> int:
    """Return the number of events in the ANN's input for a region.

    It is proportional to the width of the region, like the length of the edges in it. For a preset
    with a crop the number is fixed.
    """
    if preset.crop != (0, 0):
        return preset.ann.window_events
    return round(preset.ann.window_events * geometry.region.width / WINDOW_WIDTH_PX)


class RegionGeometries:
    """Mappings of the regions of a sensor; the last few are cached."""

    def __init__(self, whole: InputGeometry):
        """Start with the mapping of the largest region only."""
        self.whole = whole
        self._within = lru_cache(maxsize=4)(whole.within)

    def of(self, region: Region | None) -> InputGeometry:
        """Return the mapping of a region; None: the largest region."""
        return self.whole if region in (None, self.whole.region) else self._within(region)

    def read(self, tensor: npt.ArrayLike) -> InputGeometry:
        """Return the mapping of the region in a state; zeros denote the largest region.

        Raises:
            InputError: the region is not valid for the sensor.
        """
        values = np.asarray(tensor, np.float64)
        if not np.isfinite(values).all():
            raise InputError(f'the region {values.tolist()} of a state is not finite')
        region = Region(*(int(value) for value in values))
        if not any(region):
            return self.whole
        whole = self.whole.region
        smallest = self.whole.width, self.whole.height
        fits = all(
            first <= start and start + length <= first + most and (
                length >= least or length == most)
            for first, start, length, most, least in zip(
                whole[:2], region[:2], region[2:], whole[2:], smallest))
        if not fits:
            raise InputError(f'the region {tuple(region)} of a state is not one of '
                             f'{tuple(whole)}, or smaller than {smallest} px')
        return self.of(region)


def _cell_of_px(width: int, height: int, region: Region, cells: tuple[int, int],
                undistorted_px: np.ndarray | None) -> np.ndarray:
    """Return the cell of each pixel, (height, width) int32: y * width + x, -1 = outside."""
    cell_x = (np.arange(width) - region.x) * cells[0] // region.width
    cell_y = (np.arange(height) - region.y) * cells[0] // region.width
    cell_x[cell_x >= cells[0]] = -1
    cell_y[cell_y >= cells[1]] = -1
    if undistorted_px is None:
        x, y = cell_x[None, :], cell_y[:, None]
    else:
        cell_x, cell_y = np.append(cell_x, -1), np.append(cell_y, -1)  # the last: outside
        x, y = (cell[np.where((0 <= at) & (at < len(cell) - 1), at, len(cell) - 1)]
                for cell, at in zip((cell_x, cell_y), undistorted_px))
    cell_of_px = np.where((x >= 0) & (y >= 0), y * cells[0] + x, -1).astype(np.int32)
    cell_of_px.flags.writeable = False
    return cell_of_px


def _whole(preset: Preset, width: int, height: int) -> tuple[Region, tuple[int, int]]:
    """Return the largest region and the input size [cells]."""
    crop_width, crop_height = preset.crop
    if crop_width:
        if width < crop_width or height < crop_height:
            raise InputError(f'preset {preset.name} needs a sensor of at least {crop_width}x'
                             f'{crop_height} pixels, but this one has {width}x{height}: '
                             'use a preset that covers the whole sensor, such as edge')
        centered = ((width - crop_width) // 2, (height - crop_height) // 2)
        origin = DHP19_CROP_ORIGIN if (width, height) == DHP19_SENSOR else centered
        return Region(*origin, *preset.crop), preset.crop
    pooling = max(-(-width // preset.max_width), -(-height // preset.max_height))
    cells = -(-width // pooling), -(-height // pooling)
    return Region(0, 0, pooling * cells[0], pooling * cells[1]), cells


def _undistorted(width: int, height: int, lens: Lens) -> np.ndarray:
    """Return the rounded undistorted x and y of each pixel, (2, height, width) int64."""
    import cv2
    y, x = np.mgrid[:height, :width]
    distorted = np.stack([x, y], axis=-1).reshape(-1, 1, 2).astype(np.float64)
    matrix = np.asarray(lens.camera_matrix, np.float64)
    try:
        undistort = cv2.fisheye.undistortPoints if lens.equidistant else cv2.undistortPoints
        points = undistort(distorted, matrix, np.asarray(lens.distortion, np.float64), P=matrix)
    except cv2.error as error:
        raise InputError('the lens is not supported by OpenCV: expected a 3x3 camera matrix '
                         'and 4, 5, 8, 12 or 14 coefficients, 4 if equidistant '
                         f'({error.err})') from error
    if not np.isfinite(points).all():
        raise InputError('the lens maps pixels to non-finite positions: is its focal length 0?')
    xy: np.ndarray = np.rint(np.clip(points, -1e6, 1e6)).astype(np.int64)[:, 0].T
    return xy.reshape(2, height, width)
