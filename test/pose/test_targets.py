# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hybrid_pose_ros.pose.targets import heatmap_target


def target(x, y, **options):
    """Return the map of one joint on a heatmap of 64x48."""
    return heatmap_target(np.array([[x, y]], float), 48, 64, **options)[0]


def test_the_published_sum_of_squares():
    assert np.square(target(30, 20).astype(float)).sum() == pytest.approx(12.5646, abs=5e-5)


def test_a_map_of_zeros_has_the_published_error():
    square = heatmap_target(np.array([[100.0, 90.0]]), 256, 256)[0].astype(float) ** 2
    assert square.mean() == pytest.approx(1.9172e-4, abs=5e-9)


def test_the_peak_is_one_and_at_the_joint_cut_to_integers():
    heatmap = target(30.9, 20.2)
    assert heatmap.max() == 1
    assert np.unravel_index(heatmap.argmax(), heatmap.shape) == (20, 30)


def test_the_gaussian_falls_off_and_ends_with_its_kernel():
    heatmap = target(30, 20)
    assert heatmap[20, 32] == pytest.approx(np.exp(-0.5))
    assert heatmap[25, 35] > 0
    assert not heatmap[26:].any()
    assert not heatmap[:, 36:].any()


def test_at_a_border_the_gaussian_is_mirrored_as_in_the_published_code():
    """A joint at x = 1 has a mirror image at -1: element 0, at distance 1 of both, is the peak."""
    row = target(1, 20)[20]
    assert row[0] == 1
    assert row[1] == pytest.approx((1 + np.exp(-0.5)) / (2 * np.exp(-0.125)))


def test_hidden_joints_and_joints_outside_have_no_peak():
    joints = np.array([[5, 5], [5, 5], [-1, 5], [5, -1], [64, 5], [5, 48]], float)
    heatmaps = heatmap_target(joints, 48, 64, visible=np.array([True, False, *[True] * 4]))
    assert heatmaps.any(axis=(1, 2)).tolist() == [True, False, False, False, False, False]


def test_joints_that_are_not_numbers_have_no_peak():
    assert not target(np.nan, 3).any()
