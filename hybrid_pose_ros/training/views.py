# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training views: input columns around the person, mirrored in half of the cases.

No parameter of the networks depends on the input size, so they can be trained on a part of the
input and run on all of it. The input is the whole sensor or a region around the person.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.pose.person_region import person_box, region_around
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.event_window import last_inside
from hybrid_pose_ros.representation.geometry import InputGeometry, Region
from hybrid_pose_ros.representation.stacked_histogram import stacked_histogram
from hybrid_pose_ros.tasks.skeleton import MIRRORED

WINDOW_REACH_US = 1_000_000
"""Maximum age of ANN events, as in `tracking.initializer_params.InitializerParams.reach_us`."""
MOST_EVENTS = 100_000
"""Maximum number of events before a moment that are searched for those in a region."""
REGION_MARGINS = 1.2, 2.0
"""Minimum and maximum size of a region relative to the person."""
REGION_SHIFT = 0.06
"""Standard deviation of a region's position, relative to its width."""
MIN_EVENTS = 500
"""Minimum ANN events, as in `tracking.initializer_params.InitializerParams.min_events`."""


class View(NamedTuple):
    """Columns of the input, optionally mirrored."""

    geometry: InputGeometry  # of the columns
    mirrored: bool
    whole: InputGeometry  # of all columns

    def frame(self, clip: LabeledRecording, end_us: int, events: int, bins: int) -> np.ndarray:
        """Return the ANN input, (2 * bins, H, W) uint16.

        Args:
            clip: the recording.
            end_us: end of the window.
            events: number of the last events before it, in all columns.
            bins: number of bins of the stacked histogram.
        """
        near = last_events(clip, end_us, MOST_EVENTS)
        window = last_inside(near, self.whole.cell_of_px, events=events,
                             start_us=end_us - WINDOW_REACH_US, end_us=end_us)
        return stacked_histogram(window, self.geometry, bins=bins)

    def counts(self, clip: LabeledRecording, start_us: int, step_us: int,
               steps: int) -> np.ndarray:
        """Return the SNN input for consecutive time bins from a start time, (T, 2, H, W)."""
        duration_us = steps * step_us
        events = clip.events_between(start_us, start_us + duration_us)
        counts = stacked_histogram(events, self.geometry, bins=steps, start_us=start_us,
                                   duration_us=duration_us)
        return counts.reshape(2, steps, *counts.shape[1:]).swapaxes(0, 1)

    def joints(self, clip: LabeledRecording,
               stamps_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the joints in heatmap coordinates (T, J, 2), and which are in view (T, J)."""
        joints, visible, _ = clip.joints_at(stamps_us)
        if self.mirrored:
            joints, visible = joints[:, MIRRORED], visible[:, MIRRORED]
            joints[..., 0] = clip.width - 1 - joints[..., 0]
        joints = self.geometry.to_heatmap(joints)
        size = (np.array([self.geometry.width, self.geometry.height])
                / self.geometry.heatmap_stride)
        inside = (joints > -0.5) & (joints < size - 0.5)
        return joints.astype(np.float32), visible & inside.all(axis=-1)


def last_events(clip: LabeledRecording, end_us: int, events: int) -> np.ndarray:
    """Return the last events before a time, at most WINDOW_REACH_US older than the newest."""
    last = int(np.searchsorted(clip.events['t'], end_us))
    window = clip.events[max(0, last - events):last]
    if not len(window):
        return window
    return window[window['t'] > window['t'][-1] - WINDOW_REACH_US]


def whole_view(geometry: InputGeometry) -> View:
    """Return a view of the whole, unmirrored input."""
    return View(geometry, mirrored=False, whole=geometry)


def view(geometry: InputGeometry, first_column: int, columns: int, mirrored: bool) -> View:
    """Return columns [first_column, first_column + columns) of the input [cells].

    Args:
        geometry: geometry of all columns, after mirroring.
        first_column: first column of the view in the input, after mirroring.
        columns: number of columns; even.
        mirrored: swap left and right of the sensor.
    """
    if mirrored:
        geometry = dataclasses.replace(
            geometry, cell_of_px=np.ascontiguousarray(geometry.cell_of_px[:, ::-1]))
    cells = geometry.cell_of_px
    column = cells % geometry.width - first_column
    inside = (cells >= 0) & (column >= 0) & (column < columns)
    cell_of_px = np.where(inside, cells // geometry.width * columns + column, -1)
    x, y, _, height = geometry.region
    region = Region(x + first_column * geometry.cell_px, y, columns * geometry.cell_px, height)
    return View(dataclasses.replace(geometry, region=region, width=columns,
                                    cell_of_px=np.ascontiguousarray(cell_of_px, np.int32)),
                mirrored, geometry)


def draw_view(rng: np.random.Generator, geometry: InputGeometry, clip: LabeledRecording,
              at_us: int, columns: int, *, regions: float = 0.0) -> View:
    """Return columns around the person, or the whole input if it is not wider.

    Args:
        rng: random generator.
        geometry: geometry of the largest region.
        clip: the recording.
        at_us: time at which the person is located.
        columns: number of columns.
        regions: fraction of views that show a region around the person.
    """
    mirrored = bool(rng.random() < 0.5)
    columns = min(columns, geometry.width)
    joints, visible, _ = clip.joints_at(np.array([at_us]))
    seen_px = joints[0, visible[0]]
    if mirrored:
        seen_px = seen_px * [-1, 1] + [clip.width - 1, 0]
    if rng.random() < regions and len(seen_px):
        box_px, needed_px = person_box(seen_px, geometry)
        width_px = int(np.clip(round(needed_px * rng.uniform(*REGION_MARGINS)), geometry.width,
                               geometry.region.width))
        geometry = geometry.within(region_around(
            geometry, box_px + rng.normal(0.0, REGION_SHIFT, 2) * width_px, width_px))
    middle_px = seen_px[:, 0].mean() if len(seen_px) else clip.width / 2
    middle = (middle_px - geometry.origin[0]) / geometry.cell_px + rng.normal(0, columns / 16)
    stride = geometry.heatmap_stride
    last = (geometry.width - columns) // stride
    first = int(np.clip(round((middle - columns / 2) / stride), 0, last)) * stride
    return view(geometry, first, columns, mirrored)
