# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of the input that training looks at."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from labeled_clips import HEIGHT, WIDTH, circling_clip

from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.representation.geometry import Region, input_geometry
from hybrid_pose_ros.tasks.skeleton import MIRRORED
from hybrid_pose_ros.training.views import draw_view, last_events, view, whole_view

GEOMETRY = input_geometry(preset('edge'), WIDTH, HEIGHT)
CLIP = circling_clip()


def enlarged(clip, factor):
    """Return a clip as a sensor of more pixels would record it, without more events."""
    events = clip.events.copy()
    events['x'], events['y'] = events['x'] * factor, events['y'] * factor
    return clip._replace(width=factor * clip.width, height=factor * clip.height, events=events,
                         joints_px=((clip.joints_px + 0.5) * factor - 0.5).astype(np.float32))


LARGE = enlarged(CLIP, 5)
LARGE_GEOMETRY = input_geometry(preset('edge'), LARGE.width, LARGE.height)  # cells of 2 x 2 px


@given(st.integers(0, 8).map(lambda half: 2 * half), st.sampled_from([16, 32, 48]))
def test_columns_are_those_of_the_whole_input(first, columns):
    whole = whole_view(GEOMETRY).counts(CLIP, 100_000, 5_000, 4)
    part = view(GEOMETRY, first, columns, mirrored=False).counts(CLIP, 100_000, 5_000, 4)
    assert np.array_equal(part, whole[..., first:first + columns])


def test_a_mirrored_view_is_the_flipped_input():
    whole = whole_view(GEOMETRY).frame(CLIP, 300_000, 1000, 10)
    mirrored = view(GEOMETRY, 0, WIDTH, mirrored=True).frame(CLIP, 300_000, 1000, 10)
    assert np.array_equal(mirrored, whole[..., ::-1])


def test_mirroring_exchanges_left_and_right_joints():
    stamps = np.array([100_000])
    whole, _ = whole_view(GEOMETRY).joints(CLIP, stamps)
    mirrored, _ = view(GEOMETRY, 0, WIDTH, mirrored=True).joints(CLIP, stamps)
    right_hand, left_hand = 7, 8
    last = WIDTH / GEOMETRY.heatmap_stride - 1
    assert np.allclose(mirrored[0, left_hand, 0], last - whole[0, right_hand, 0], atol=1e-4)
    assert np.allclose(mirrored[0, left_hand, 1], whole[0, right_hand, 1], atol=1e-4)


@given(st.booleans(), st.integers(0, 5).map(lambda half: 2 * half))
def test_events_and_joints_stay_together(mirrored, first):
    """The counts round a joint's place in the view have their middle where the label is."""
    seen = view(GEOMETRY, first, 48, mirrored)
    counts = seen.counts(CLIP, 0, 600_000, 1).sum(axis=(0, 1)).astype(float)
    joints, visible = seen.joints(CLIP, np.arange(1000, 600_000, 5000))
    cells = (joints[visible] + 0.5) * GEOMETRY.heatmap_stride - 0.5
    columns = np.arange(48)
    middle = (counts.sum(axis=0) * columns).sum() / counts.sum()
    assert abs(middle - cells[:, 0].mean()) < 3


def test_joints_outside_the_columns_are_out_of_sight():
    joints, visible = view(GEOMETRY, 0, 16, mirrored=False).joints(CLIP, np.array([0]))
    assert (visible[0] == (joints[0, :, 0] < 16 / GEOMETRY.heatmap_stride - 0.5)).all()
    assert 0 < visible.sum() < 13


def test_the_bins_of_a_segment_hold_all_its_events():
    counts = whole_view(GEOMETRY).counts(CLIP, 100_000, 1_000, 20)
    assert counts.sum() == len(CLIP.events_between(100_000, 120_000))


def test_the_ann_sees_only_events_before_the_moment():
    events = last_events(CLIP, 250_000, 700)
    assert len(events) == 700 and events['t'].max() < 250_000


@given(st.integers(0, 1000))
def test_a_drawn_view_lies_within_the_input(seed):
    seen = draw_view(np.random.default_rng(seed), GEOMETRY, CLIP, 300_000, 32)
    first = seen.geometry.origin[0]
    assert 0 <= first <= GEOMETRY.width - 32 and first % GEOMETRY.heatmap_stride == 0


@given(seed=st.integers(0, 1000), at_us=st.integers(0, 500_000))
def test_a_region_view_has_finer_cells_and_its_labels_lead_back_to_the_joints(seed, at_us):
    seen = draw_view(np.random.default_rng(seed), LARGE_GEOMETRY, LARGE, at_us, 48, regions=1.0)
    assert 1.0 <= seen.whole.cell_px <= LARGE_GEOMETRY.cell_px == 2.0
    stamps = np.array([at_us])
    joints, _ = seen.joints(LARGE, stamps)
    expected, _ = whole_view(LARGE_GEOMETRY).joints(LARGE, stamps)
    expected = LARGE_GEOMETRY.to_px(expected)
    if seen.mirrored:
        expected = expected[:, MIRRORED]
        expected[..., 0] = LARGE.width - 1 - expected[..., 0]
    np.testing.assert_allclose(seen.geometry.to_px(joints), expected, atol=1e-2)


@given(st.integers(0, 1000))
def test_events_in_a_region_are_where_its_labels_are(seed):
    """As without a region: the middle of the counts is that of the joints, within 3 cells."""
    rng = np.random.default_rng(seed)
    seen = draw_view(rng, LARGE_GEOMETRY, LARGE, 300_000, 64, regions=1.0)
    counts = seen.counts(LARGE, 290_000, 20_000, 1).sum(axis=(0, 1)).astype(float)
    joints, visible = seen.joints(LARGE, np.arange(290_000, 310_000, 1000))
    if visible.all():
        cells = (joints + 0.5) * seen.geometry.heatmap_stride - 0.5
        rows, columns = np.indices(counts.shape)
        middle = [(counts * at).sum() / counts.sum() for at in (columns, rows)]
        assert np.abs(middle - cells.mean(axis=(0, 1))).max() < 3


def test_the_anns_events_are_the_last_ones_inside_the_region():
    width, height = LARGE_GEOMETRY.width, LARGE_GEOMETRY.height
    seen = view(LARGE_GEOMETRY.within(Region(90, 60, width, height)), 0, width, mirrored=False)
    before = LARGE.events[LARGE.events['t'] < 300_000]
    inside = ((before['x'] >= 90) & (before['x'] < 90 + width)
              & (before['y'] >= 60) & (before['y'] < 60 + height))
    assert 100 < inside.sum() < len(before)
    assert seen.frame(LARGE, 300_000, 10**6, 10).sum() == inside.sum()
    assert seen.frame(LARGE, 300_000, 100, 10).sum() == 100
