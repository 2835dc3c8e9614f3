# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The track that poses of the ANN correct. Cells are 2 px, time bins 1 ms."""

import numpy as np
import pytest

from hybrid_pose_ros.pose.fusion import DRIFT_CELLS2_S, FOLLOWED_CELLS, JointFusion
from hybrid_pose_ros.tasks.skeleton import JOINTS

CELL_PX = 2
SURE, DOUBTFUL = np.ones(len(JOINTS)), np.zeros(len(JOINTS))


def joints(x_px: float) -> np.ndarray:
    """Return all joints at one place."""
    return np.full((len(JOINTS), 2), x_px, np.float32)


def moved_from(px: float) -> np.ndarray:
    """Return joints that are so far from 50 px in x alone."""
    return joints(50) + np.float32([px, 0])


def started(kept_steps: int = 100, at_us: int = 10_000, x_px: float = 50.0) -> JointFusion:
    """Return a track that a first, certain pose has begun."""
    fusion = JointFusion(1_000, kept_steps)
    fusion.correct(at_us, joints(x_px), SURE, CELL_PX)
    fusion.remember(at_us, fusion.carry(joints(x_px)))
    return fusion


def test_the_first_pose_is_the_track():
    np.testing.assert_array_equal(started().carry(joints(50)), joints(50))


def test_the_track_moves_as_the_network_does():
    np.testing.assert_array_equal(started().carry(joints(53)), joints(53))


def test_of_two_equally_certain_poses_at_one_time_the_track_is_the_mean():
    fusion = started()
    fusion.correct(10_000, joints(54), SURE, CELL_PX)
    np.testing.assert_allclose(fusion.carry(joints(54)), joints(52))


def test_a_later_pose_weighs_more_as_the_track_has_drifted():
    """Variances are 1 cell2 of the pose and 1 + drift * time of the track."""
    fusion = started()
    fusion.remember(30_000, joints(50))
    fusion.correct(30_000, joints(54), SURE, CELL_PX)
    track = 1 + DRIFT_CELLS2_S * 0.02
    np.testing.assert_allclose(fusion.carry(joints(54)), joints(50 + 4 * track / (track + 1)))


def test_a_doubtful_joint_far_from_the_track_does_not_move_it_nor_does_the_network():
    fusion = started()
    fusion.correct(10_000, joints(150), DOUBTFUL, CELL_PX)
    np.testing.assert_allclose(fusion.carry(joints(150)), joints(50), atol=0.01)
    np.testing.assert_allclose(fusion.carry(joints(170)), joints(50), atol=0.01)


@pytest.mark.parametrize('apart_cells, share', ((0, 1), (FOLLOWED_CELLS, np.exp(-1)), (20, 0)))
def test_motion_counts_less_the_farther_the_pose_is_from_the_track(apart_cells, share):
    """Two equally certain poses at one time: the track is half of the way from the second."""
    fusion = started()
    seen_px = moved_from(2 * apart_cells * CELL_PX)
    fusion.correct(10_000, seen_px, SURE, CELL_PX)
    moved_px = fusion.carry(seen_px + 3) - fusion.carry(seen_px)
    np.testing.assert_allclose(moved_px, 3 * share, atol=1e-4)


def test_a_late_pose_corrects_the_track_of_its_own_time():
    """The track moved on by 8 px since, so 50 px is its prior then; the pose is 1 cell apart."""
    fusion = started()
    for step in range(1, 9):
        fusion.remember(10_000 + 1_000 * step, fusion.carry(joints(50 + step)))
    seen_px = moved_from(2 * CELL_PX)
    fusion.correct(10_000, seen_px, SURE, CELL_PX)
    expected = moved_from(CELL_PX) + 8 * np.exp(-(1 / FOLLOWED_CELLS) ** 2)
    np.testing.assert_allclose(fusion.carry(seen_px + 8), expected, rtol=1e-6)


def test_a_pose_from_between_two_bins_corrects_the_track_of_the_bin_before():
    fusion = started()
    fusion.remember(11_000, joints(60))
    fusion.correct(10_500, joints(54), SURE, CELL_PX)
    track = 1 + DRIFT_CELLS2_S * 0.0005
    np.testing.assert_allclose(fusion.carry(joints(54)), joints(50 + 4 * track / (track + 1)),
                               rtol=1e-5)


def test_without_a_track_of_that_time_a_pose_begins_another():
    fusion = started(kept_steps=5)
    for step in range(1, 20):
        fusion.remember(10_000 + 1_000 * step, joints(50))
    fusion.correct(9_000, joints(80), SURE, CELL_PX)
    np.testing.assert_array_equal(fusion.carry(joints(80)), joints(80))
