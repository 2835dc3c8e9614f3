# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Regions of the sensor, mapped to the network's grid of cells.

A region can be translated, pooled, rolled and mirrored: one affine map transforms pixels to cells.
Its events then look like those of a small sensor whose pixels are the cells, so that counting,
heatmap coordinates and networks do not depend on the region.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.events.event_array import EVENT_DTYPE
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry
from hybrid_pose_ros.representation.stacked_histogram import stacked_histogram
from hybrid_pose_ros.tasks.skeleton import MIRRORED
from hybrid_pose_ros.training.views import MOST_EVENTS, last_events

class Region(NamedTuple):
    """An affine map from pixels to cells; integers are centers of pixels and of cells."""

    geometry: InputGeometry  # of the grid, as for a sensor whose pixels are the cells
    affine: np.ndarray  # (2, 3) float64: cell = affine[:, :2] @ pixel + affine[:, 2]
    mirrored: bool  # left and right are swapped

    @property
    def pixels_per_cell(self) -> float:
        """Edge length of a cell on the sensor [px]."""
        return float(abs(np.linalg.det(self.affine[:, :2])) ** -0.5)

    def events(self, events: np.ndarray) -> np.ndarray:
        """Return the events inside the region, with x and y in cells."""
        out = np.empty(len(events), EVENT_DTYPE)
        return out[:_map_events(events, self.affine, self.geometry.width, self.geometry.height,
                                out)]

    def frame(self, clip: LabeledRecording, end_us: int, events: int, bins: int) -> np.ndarray:
        """Return the ANN input for the last events in the region, (2 * bins, H, W) uint16."""
        inside = self.events(last_events(clip, end_us, MOST_EVENTS))
        return stacked_histogram(inside[-events:], self.geometry, bins=bins)

    def joints(self, clip: LabeledRecording,
               stamps_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the joints in heatmap coordinates (T, J, 2), and which are in view (T, J)."""
        joints, visible, _ = clip.joints_at(stamps_us)
        if self.mirrored:
            joints, visible = joints[:, MIRRORED], visible[:, MIRRORED]
        cells = joints @ self.affine[:, :2].T + self.affine[:, 2]
        inside = (cells > -0.5) & (cells < np.array([self.geometry.width,
                                                     self.geometry.height]) - 0.5)
        return (self.geometry.to_heatmap(cells).astype(np.float32),
                visible & inside.all(axis=-1))

    def known(self, clip: LabeledRecording, stamps_us: np.ndarray) -> np.ndarray:
        """Return which joints are known, in view or not, (T, J) bool."""
        known = clip.known_at(stamps_us)
        return known[:, MIRRORED] if self.mirrored else known


@njit(cache=True, nogil=True)
def _map_events(events, affine, width, height, out):
    """Write the events inside the region to `out`; return their number."""
    count = 0
    for i in range(len(events)):
        x, y = float(events[i].x), float(events[i].y)
        u = np.floor(affine[0, 0] * x + affine[0, 1] * y + affine[0, 2] + 0.5)
        v = np.floor(affine[1, 0] * x + affine[1, 1] * y + affine[1, 2] + 0.5)
        if 0 <= u < width and 0 <= v < height:
            out[count].t, out[count].p = events[i].t, events[i].p
            out[count].x, out[count].y = int(u), int(v)
            count += 1
    return count


def region(geometry: InputGeometry, center_px: np.ndarray, width_px: float, *,
           roll: float = 0.0, mirrored: bool = False) -> Region:
    """Return a region of the sensor.

    Args:
        geometry: geometry of the cell grid.
        center_px: (x, y) of the center.
        width_px: width on the sensor, at least one pixel per cell.
        roll: rotation of the region on the sensor, from x to y [rad].
        mirrored: swap left and right.
    """
    scale = min(geometry.width / width_px, 1.0)
    cosine, sine = np.cos(roll), np.sin(roll)
    linear = scale * np.array([[cosine, sine], [-sine, cosine]])
    if mirrored:
        linear[0] *= -1.0
    middle = 0.5 * np.array([geometry.width - 1, geometry.height - 1])
    shift = middle - linear @ np.asarray(center_px, np.float64)
    return Region(geometry, np.column_stack([linear, shift]), mirrored)


def whole_sensor(geometry: InputGeometry, clip: LabeledRecording, *,
                 mirrored: bool = False) -> Region:
    """Return the whole sensor, pooled by an integer, as the nodes use it without a region."""
    pooling = max(-(-clip.width // geometry.width), -(-clip.height // geometry.height))
    scale = 1.0 / pooling
    affine = np.array([[scale, 0.0, 0.5 * scale - 0.5], [0.0, scale, 0.5 * scale - 0.5]])
    if mirrored:
        affine[0] = -scale, 0.0, (clip.width - 0.5) * scale - 0.5
    return Region(geometry, affine, mirrored)
