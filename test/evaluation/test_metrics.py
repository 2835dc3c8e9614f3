# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures of poses, on numbers that can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hybrid_pose_ros.evaluation.metrics import (Truth, counted, difference_error, distances,
                                                latest, mean_by_step, moving, pck, score,
                                                summary)

poses = arrays(np.float64, (5, 13, 2), elements=st.floats(-500, 500))


def truth_of(joints, **fields):
    """Return a truth of instants 10 ms apart, every joint counted, none hidden nor moving."""
    instants, joint_count = joints.shape[:2]
    none = np.zeros((instants, joint_count), bool)
    return Truth(10_000 * np.arange(instants), joints, ~none, none, none,
                 np.arange(instants) + 1)._replace(**fields)


def summary_of(truth, found, available=None):
    return summary(truth, score(truth, found, truth, found if available is None else available))


@given(poses)
def test_a_pose_has_no_error_against_itself(joints):
    figures = summary_of(truth_of(joints), joints)
    for name in ('mpjpe_px', 'median_px', 'mpjpe_px_latency_aware', 'velocity_error_px_s',
                 'acceleration_error_px_s2'):
        assert figures[name] == 0
    assert figures['pck_10px'] == figures['pck_half_head'] == 1


@given(poses, st.floats(0, 2 * np.pi), st.floats(0, 100))
def test_a_pose_shifted_by_d_is_off_by_d_and_moves_as_the_truth_does(joints, angle, d):
    found = joints + d * np.array([np.cos(angle), np.sin(angle)])
    figures = summary_of(truth_of(joints), found)
    assert figures['mpjpe_px'] == pytest.approx(d, abs=1e-3)
    assert figures['mpjpe_px_by_joint'] == pytest.approx([d] * 13, abs=1e-3)
    assert figures['velocity_error_px_s'] == pytest.approx(0, abs=1e-3)


def test_distances_are_of_joints_that_are_counted():
    found = np.array([[[3.0, 4.0], [100.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]]])
    errors = distances(found, np.zeros((2, 2, 2)), np.array([[True, False], [True, True]]))
    np.testing.assert_array_equal(errors, [[5, np.nan], [5, 1]])


def test_the_share_within_a_limit_counts_the_limit_itself_and_no_joint_that_is_left_out():
    assert pck(np.array([[9.0, 10.0, 11.0, np.nan]]), 10) == pytest.approx(2 / 3)
    assert np.isnan(pck(np.array([[np.nan]]), 10))


def test_half_a_head_is_half_the_way_from_the_head_to_between_the_shoulders():
    joints = np.zeros((1, 13, 2))
    joints[0, 1], joints[0, 2] = (-7, 20), (7, 20)  # head at (0, 0): 20 px above the middle
    found = joints + [9, 0]
    found[0, 5] += [2, 0]
    assert summary_of(truth_of(joints), found)['pck_half_head'] == pytest.approx(12 / 13, abs=1e-4)


def test_an_error_that_grows_1_px_in_10_ms_is_100_px_s_of_velocity():
    error = np.zeros((4, 1, 2))
    error[:, 0, 0] = [0, 1, 2, 4]
    seconds = 0.01 * np.arange(4)
    np.testing.assert_allclose(difference_error(error, seconds, order=1)[:, 0],
                               [np.nan, 100, 100, 200])
    np.testing.assert_allclose(difference_error(error, seconds, order=2)[:, 0],
                               [np.nan, np.nan, 0, 10_000])


def test_a_single_instant_has_neither_velocity_nor_acceleration():
    joints = np.zeros((1, 13, 2))
    figures = summary_of(truth_of(joints), joints + 1)
    assert figures['velocity_error_px_s'] is None and figures['acceleration_error_px_s2'] is None


def test_errors_by_step_are_means_of_the_instants_at_that_step():
    errors = np.array([[1.0, 3.0], [5.0, np.nan], [7.0, 9.0]])
    assert mean_by_step(errors, np.array([1, 3, 1])) == [5.0, None, 5.0]
    assert mean_by_step(np.empty((0, 2)), np.empty(0, np.int64)) == []


def test_the_last_output_that_is_available_may_be_of_that_very_time_but_not_of_later():
    available, asked = np.array([10, 20, 20, 30]), np.array([9, 10, 20, 29, 99])
    np.testing.assert_array_equal(latest(available, asked), [-1, 0, 2, 2, 3])
    np.testing.assert_array_equal(latest(np.array([], np.int64), np.array([5])), [-1])


def test_a_joint_moves_that_went_farther_than_6_px():
    before = np.zeros((1, 3, 2))
    now = np.array([[[6.0, 0.0], [6.1, 0.0], [4.0, 5.0]]])
    assert moving(now, before).tolist() == [[False, True, True]]


def test_moving_resting_hidden_and_late_poses_are_told_apart():
    joints = np.zeros((1, 13, 2))
    mask = np.zeros((1, 13), bool)
    first, second = mask.copy(), mask.copy()
    first[0, 0], second[0, 1] = True, True
    found = joints.copy()
    found[0, 0], found[0, 1] = (4, 0), (0, 9)
    figures = summary_of(truth_of(joints, moving=first, occluded=second), found, found + [30, 40])
    assert figures['mpjpe_px_moving'] == 4 and figures['mpjpe_px_resting'] == 0.75
    assert figures['mpjpe_px_occluded'] == 9
    assert figures['mpjpe_px_unoccluded'] == pytest.approx(4 / 12, abs=1e-4)
    assert figures['mpjpe_px'] == 1 and figures['mpjpe_px_latency_aware'] > 40


def test_what_is_left_out_is_counted():
    joints = np.zeros((2, 13, 2))
    inside = np.ones((2, 13), bool)
    inside[1, :3] = False
    facts = counted(truth_of(joints, counted=inside, occluded=~inside))
    assert facts == {'instants': 2, 'joints': 23, 'joints_outside_image': 3, 'joints_moving': 0,
                     'joints_occluded': 0}
