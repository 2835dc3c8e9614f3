# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_pose_ros.pose.heatmaps import locate_joints

HEIGHT, WIDTH = 24, 31


def blobs(centers, sigma=1.0, logits=False):
    """Return maps (H, W, J) of Gaussian blobs of height 1, or their logarithms."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    logarithm = np.stack([-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma ** 2)
                          for cx, cy in centers], axis=2)
    return (logarithm if logits else np.exp(logarithm)).astype(np.float32)


both = pytest.mark.parametrize('logits', [True, False])
POINTS = st.tuples(st.floats(4, WIDTH - 5), st.floats(4, HEIGHT - 5))
VALUES = st.sampled_from([0, -1, 1, 1e30, -3e38, 3e38, np.nan, np.inf, -np.inf])


@both
def test_a_blob_on_a_cell_is_located_there(logits):
    joints, _ = locate_joints(blobs([(7, 5), (20, 11)], logits=logits), logits)
    np.testing.assert_allclose(joints, [(7, 5), (20, 11)], atol=1e-5)


@both
@given(center=POINTS)
def test_a_blob_between_cells_is_located_below_the_size_of_a_cell(logits, center):
    joints, _ = locate_joints(blobs([center], logits=logits), logits)
    np.testing.assert_allclose(joints[0], center, atol=0.06)


@both
@given(center=POINTS)
def test_a_blob_twice_as_broad_is_located_nearer_than_its_peak_s_cell(logits, center):
    """Without taking off the lowest weight of the window, errors reach 0.3 cells."""
    joints, _ = locate_joints(blobs([center], sigma=2, logits=logits), logits)
    np.testing.assert_allclose(joints[0], center, atol=0.2)


@both
@given(seed=st.integers(0, 2 ** 31), dx=st.integers(0, 6), dy=st.integers(0, 6))
def test_a_shifted_blob_moves_its_joint_as_much(logits, seed, dx, dy):
    blob = np.random.default_rng(seed).normal(0, 2, (9, 9)).astype(np.float32)
    blob[4, 4] = 9  # the whole window lies in the blob
    heatmap = np.full((HEIGHT, WIDTH, 2), -9, np.float32)
    heatmap[3:12, 2:11, 0] = blob
    heatmap[3 + dy:12 + dy, 2 + dx:11 + dx, 1] = blob
    joints, confidence = locate_joints(heatmap, logits)
    np.testing.assert_allclose(joints[1] - joints[0], (dx, dy), atol=1e-5)
    assert confidence[0] == pytest.approx(confidence[1], rel=1e-5)


@given(seed=st.integers(0, 2 ** 31), scale=st.floats(0.1, 30))
def test_confidence_of_logits_is_the_softmax_s_share_of_the_window(seed, scale):
    logits = np.random.default_rng(seed).normal(0, scale, (11, 12, 3)).astype(np.float32)
    _, confidence = locate_joints(logits, logits=True)
    for joint in range(3):
        chances = np.exp(np.float64(logits[..., joint]) - logits[..., joint].max())
        y, x = np.unravel_index(chances.argmax(), chances.shape)
        window = chances[max(0, y - 2):y + 3, max(0, x - 2):x + 3]
        assert confidence[joint] == pytest.approx(window.sum() / chances.sum(), rel=1e-4)


def test_confidence_of_a_blob_is_its_height_clipped():
    heatmap = blobs([(9, 9)] * 3) * np.float32([0.25, 1.5, -1])
    _, confidence = locate_joints(heatmap, logits=False)
    np.testing.assert_allclose(confidence, [0.25, 1, 0])


def test_equal_logits_give_the_window_s_share_of_the_cells():
    """Nothing is known: the first of all equal peaks is taken, 9 cells of the window exist."""
    joints, confidence = locate_joints(np.zeros((10, 9, 1), np.float32), logits=True)
    np.testing.assert_allclose(joints, [(0, 0)])
    assert confidence[0] == pytest.approx(0.1)


@both
def test_values_that_are_not_finite_count_as_absent(logits):
    heatmap = blobs([(7, 5)], logits=logits)
    expected, sure = locate_joints(heatmap, logits)
    heatmap[12, 20] = np.nan
    heatmap[13, 21] = np.inf
    heatmap[14, 22] = -np.inf
    joints, confidence = locate_joints(heatmap, logits)
    np.testing.assert_array_equal(joints, expected)
    assert confidence[0] == pytest.approx(sure[0], rel=1e-5)


@both
@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_a_joint_without_finite_values_has_no_confidence(logits, value):
    joints, confidence = locate_joints(np.full((6, 7, 1), value, np.float32), logits)
    assert (joints.tolist(), confidence.tolist()) == ([[0, 0]], [0])


@both
@settings(deadline=None)
@given(values=st.lists(VALUES, min_size=12, max_size=12))
def test_any_map_gives_finite_joints_inside_it(logits, values):
    joints, confidence = locate_joints(np.float32(values).reshape(3, 4, 1), logits)
    assert ((joints >= 0) & (joints <= (3, 2))).all()
    assert ((confidence >= 0) & (confidence <= 1)).all()


@both
def test_a_view_of_padded_maps_is_read_like_a_copy(logits):
    padded = np.random.default_rng(0).normal(0, 1, (HEIGHT, WIDTH, 16)).astype(np.float32)
    view = padded[:, :, :13]
    for found, wanted in zip(locate_joints(view, logits), locate_joints(view.copy(), logits),
                             strict=True):
        np.testing.assert_array_equal(found, wanted)
