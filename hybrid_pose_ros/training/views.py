# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training views: input columns around the person, mirrored half of the time.

The networks have no parameters that depend on the input size, so they can be trained on a part of
the input and run on the whole.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry
from hybrid_pose_ros.representation.stacked_histogram import stacked_histogram
from hybrid_pose_ros.tasks.skeleton import MIRRORED

WINDOW_REACH_US = 1_000_000
"""Reach of the ANN's window, as in `tracking.initializer_params.InitializerParams.reach_us`."""
MIN_EVENTS = 500
"""Minimum events of the ANN, as in `tracking.initializer_params.InitializerParams.min_events`."""


class View(NamedTuple):
    """Columns of the input, optionally mirrored."""

    geometry: InputGeometry  # of the columns
    mirrored: bool

    def frame(self, clip: LabeledRecording, end_us: int, events: int, bins: int) -> np.ndarray:
        """Return the ANN's input for the last events before a time, (2 * bins, H, W) uint16."""
        window = last_events(clip, end_us, events)
        return stacked_histogram(window, self.geometry, bins=bins)

    def counts(self, clip: LabeledRecording, start_us: int, step_us: int,
               steps: int) -> np.ndarray:
        """Return the SNN's input in consecutive time bins from a start time, (T, 2, H, W)."""
        duration_us = steps * step_us
        events = clip.events_between(start_us, start_us + duration_us)
        counts = stacked_histogram(events, self.geometry, bins=steps, start_us=start_us,
                                   duration_us=duration_us)
        return counts.reshape(2, steps, *counts.shape[1:]).swapaxes(0, 1)

    def joints(self, clip: LabeledRecording,
               stamps_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return joints in heatmap coordinates (T, J, 2), and which are in view (T, J)."""
        joints, visible, _ = clip.joints_at(stamps_us)
        if self.mirrored:
            joints, visible = joints[:, MIRRORED], visible[:, MIRRORED]
            joints[..., 0] = clip.width - 1 - joints[..., 0]
        joints = self.geometry.to_heatmap(joints)
        columns = self.geometry.width / self.geometry.heatmap_stride
        inside = (joints[..., 0] > -0.5) & (joints[..., 0] < columns - 0.5)
        return joints.astype(np.float32), visible & inside


def last_events(clip: LabeledRecording, end_us: int, events: int) -> np.ndarray:
    """Return the last events before a time, none older than WINDOW_REACH_US before the newest."""
    last = int(np.searchsorted(clip.events['t'], end_us))
    window = clip.events[max(0, last - events):last]
    if not len(window):
        return window
    return window[window['t'] > window['t'][-1] - WINDOW_REACH_US]


def whole_view(geometry: InputGeometry) -> View:
    """Return the unchanged whole input."""
    return View(geometry, mirrored=False)


def view(geometry: InputGeometry, first_column: int, columns: int, mirrored: bool) -> View:
    """Return columns [first_column, first_column + columns) of the input [cells].

    Args:
        geometry: geometry of the whole input.
        first_column: column in the input, after mirroring.
        columns: number of columns, even.
        mirrored: swap left and right of the sensor.
    """
    cells = geometry.cell_of_px[:, ::-1] if mirrored else geometry.cell_of_px
    column = cells % geometry.width - first_column
    inside = (cells >= 0) & (column >= 0) & (column < columns)
    cell_of_px = np.where(inside, cells // geometry.width * columns + column, -1)
    origin = (geometry.origin[0] + first_column * geometry.pooling, geometry.origin[1])
    return View(dataclasses.replace(geometry, origin=origin, width=columns,
                                    cell_of_px=np.ascontiguousarray(cell_of_px, np.int32)),
                mirrored)


def draw_view(rng: np.random.Generator, geometry: InputGeometry, clip: LabeledRecording,
              at_us: int, columns: int) -> View:
    """Return columns around the person, or the whole input if it is not wider."""
    mirrored = bool(rng.random() < 0.5)
    columns = min(columns, geometry.width)
    joints, visible, _ = clip.joints_at(np.array([at_us]))
    middle_px = joints[0, visible[0], 0].mean() if visible.any() else clip.width / 2
    if mirrored:
        middle_px = clip.width - 1 - middle_px
    middle = (middle_px - geometry.origin[0]) / geometry.pooling + rng.normal(0, columns / 16)
    stride = geometry.heatmap_stride
    last = (geometry.width - columns) // stride
    first = int(np.clip(round((middle - columns / 2) / stride), 0, last)) * stride
    return view(geometry, first, columns, mirrored)
