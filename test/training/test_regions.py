# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Regions of the sensor on the grid of the network."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labeled_clips import HEIGHT, WIDTH, circling_clip

from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.representation.stacked_histogram import stacked_histogram
from hybrid_pose_ros.tasks.skeleton import MIRRORED
from hybrid_pose_ros.training.regions import region, whole_sensor

CLIP = circling_clip()
SAME = input_geometry(preset('edge'), WIDTH, HEIGHT)
HALF = input_geometry(preset('edge'), WIDTH // 2, HEIGHT // 2)
POOLED = input_geometry(preset('edge'), 346, 260)
GRID = input_geometry(preset('edge'), 173, 130)
STAMPS = np.array([0, 250_000, 600_000])


def test_the_whole_of_a_sensor_as_large_as_the_grid_changes_nothing():
    seen = whole_sensor(SAME, CLIP)
    assert np.array_equal(seen.events(CLIP.events), CLIP.events)
    joints, visible = seen.joints(CLIP, STAMPS)
    assert np.allclose(joints, SAME.to_heatmap(CLIP.joints_at(STAMPS)[0]), atol=1e-4)
    assert visible.all()


def test_the_whole_of_a_pooled_sensor_is_what_the_nodes_count():
    """Cells and heatmap coordinates equal those of the pooled geometry, at every pixel."""
    events = np.zeros(346 * 260, CLIP.events.dtype)
    events['y'], events['x'] = np.divmod(np.arange(len(events)), 346)
    events['t'] = np.arange(len(events))
    clip = CLIP._replace(width=346, height=260, events=events)
    seen = whole_sensor(GRID, clip)
    assert np.array_equal(stacked_histogram(seen.events(events), GRID, bins=3),
                          stacked_histogram(events, POOLED, bins=3))
    assert np.allclose(seen.joints(clip, STAMPS)[0],
                       POOLED.to_heatmap(clip.joints_at(STAMPS)[0]), atol=1e-4)
    assert seen.pixels_per_cell == pytest.approx(2)


def test_a_mirrored_whole_is_flipped_and_exchanges_left_and_right():
    plain, mirrored = (whole_sensor(HALF, CLIP, mirrored=flag) for flag in (False, True))
    counts = [stacked_histogram(seen.events(CLIP.events), HALF, bins=2)
              for seen in (plain, mirrored)]
    assert np.array_equal(counts[1], counts[0][..., ::-1])
    (joints, _), (flipped, _) = (seen.joints(CLIP, STAMPS) for seen in (plain, mirrored))
    last = HALF.width / HALF.heatmap_stride - 1
    assert np.allclose(flipped[..., 0], last - joints[:, MIRRORED, 0], atol=1e-4)


@given(st.floats(0, WIDTH), st.floats(0, HEIGHT), st.floats(WIDTH / 2, 2 * WIDTH),
       st.floats(-0.5, 0.5), st.booleans())
def test_an_event_at_a_joint_is_counted_at_the_joint(x, y, width_px, roll, mirrored):
    """Within the half cell of rounding and the half pixel of the event's place, both scaled."""
    seen = region(HALF, np.array([x, y]), width_px, roll=roll, mirrored=mirrored)
    joints, visible, _ = CLIP.joints_at(STAMPS[:1])
    events = np.zeros(13, CLIP.events.dtype)
    events['x'], events['y'] = np.rint(joints[0]).T
    events['t'] = np.arange(13)
    kept = seen.events(events)
    order = list(MIRRORED) if mirrored else list(range(13))
    labels, inside = seen.joints(CLIP, STAMPS[:1])
    cells = (labels[0] + 0.5) * HALF.heatmap_stride - 0.5
    of = {order[place]: place for place in range(13)}
    for event in kept:
        at = cells[of[int(event['t'])]]
        assert np.hypot(*(at - [event['x'], event['y']])) <= np.sqrt(0.5) * 2 + 1e-3
    assert inside.sum() <= 13


def test_only_events_inside_a_region_count_for_its_window():
    left = region(HALF, np.array([WIDTH / 4 - 0.5, HEIGHT / 2 - 0.5]), WIDTH / 2)
    frame = left.frame(CLIP, 600_000, 200, 4)
    assert frame.sum() == 200
    inside = (CLIP.events['x'] < WIDTH / 2) & (abs(CLIP.events['y'] - (HEIGHT - 1) / 2)
                                               < HEIGHT / 4)
    assert left.events(CLIP.events).size == inside.sum()


def test_a_cell_is_never_smaller_than_a_pixel():
    assert region(GRID, np.zeros(2), 10.0).pixels_per_cell == pytest.approx(1)
