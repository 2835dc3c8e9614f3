# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses that are held, extrapolated or filtered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.evaluation.baselines import (AnnPoses, KalmanSettings, constant_velocity,
                                                  held, kalman, kalman_grid)

SPEED = np.array([100.0, -40.0])  # px/s


def line(count=30, noise=0.0, seed=0):
    """Return poses 33 ms apart of two joints that go straight on, measured with noise."""
    stamps_us = 33_000 * np.arange(count)
    joints = stamps_us[:, None, None] * 1e-6 * SPEED + np.array([[10.0, 20.0], [30.0, 50.0]])
    return certain(stamps_us, joints + noise * np.random.default_rng(seed).normal(
        size=joints.shape))


def certain(stamps_us, joints):
    """Return poses of full confidence."""
    return AnnPoses(stamps_us, joints, np.ones(joints.shape[:2]))


def settings(wander, decay_s=np.inf, drift=0.0, span=0.0):
    """Return a grid of one setting."""
    return KalmanSettings(*(np.array([value]) for value in (wander, decay_s, drift, span)))


def test_a_held_pose_is_the_last_one():
    poses = line()
    np.testing.assert_array_equal(held(poses, np.array([0, 0, 2])),
                                  poses.joints_px[[0, 0, 2]])


@given(st.integers(1, 29), st.integers(0, 200_000))
def test_constant_velocity_is_right_about_all_that_goes_straight_on(last, ahead_us):
    poses = line()
    at_us = poses.stamps_us[last] + ahead_us
    found = constant_velocity(poses, np.array([last]), np.array([at_us]))
    np.testing.assert_allclose(found[0], poses.joints_px[0] + at_us * 1e-6 * SPEED, atol=1e-6)


def test_constant_velocity_holds_the_first_pose():
    poses = line()
    found = constant_velocity(poses, np.array([0]), np.array([20_000]))
    np.testing.assert_array_equal(found[0], poses.joints_px[0])


def test_a_kalman_filter_finds_the_velocity_of_all_that_goes_straight_on():
    poses = line()
    track = kalman(poses, settings(4e2))
    np.testing.assert_allclose(track.velocity[-1, 0], [SPEED, SPEED], rtol=0.02)
    ahead = track.at(0, np.array([29]), poses.stamps_us[-1:] + 50_000)
    np.testing.assert_allclose(ahead[0], poses.joints_px[-1] + 0.05 * SPEED, atol=0.2)


def test_a_kalman_filter_is_better_than_constant_velocity_where_poses_are_noisy():
    poses, exact = line(noise=2.0), line()
    last, at_us = np.arange(5, 30), exact.stamps_us[5:30] + 16_000
    truth = exact.joints_px[5:30] + 0.016 * SPEED
    track = kalman(poses, settings(4e3))

    def error(found):
        return np.linalg.norm(found - truth, axis=-1).mean()
    assert error(track.at(0, last, at_us)) < 0.7 * error(constant_velocity(poses, last, at_us))


def test_a_velocity_that_decays_leads_no_farther_than_its_time_constant():
    poses = line()
    track = kalman(poses, settings(4e5, decay_s=0.1))
    far = track.at(0, np.array([29]), poses.stamps_us[-1:] + 10_000_000)
    np.testing.assert_allclose(far[0], track.position[-1, 0] + 0.1 * track.velocity[-1, 0])


def test_the_gain_in_equilibrium_is_that_of_the_recursion_written_out():
    step_s, wander, noise = 0.033, 4e4, 4.0
    p00, p01, p11 = noise, 0.0, 300.0 ** 2
    for _ in range(200):
        a00 = p00 + 2 * step_s * p01 + step_s ** 2 * p11 + wander * step_s ** 3 / 3
        a01 = p01 + step_s * p11 + wander * step_s ** 2 / 2
        a11 = p11 + wander * step_s
        gain, gain_v = a00 / (a00 + noise), a01 / (a00 + noise)
        p00, p01, p11 = (1 - gain) * a00, (1 - gain) * a01, a11 - gain_v * a01
    stamps_us = 33_000 * np.arange(202)
    joints = np.zeros((202, 1, 2))
    joints[-1] = 1.0  # a surprise of 1 px
    track = kalman(certain(stamps_us, joints), settings(wander))
    assert track.position[-1, 0, 0, 0] == pytest.approx(gain, rel=1e-6)
    assert track.velocity[-1, 0, 0, 0] == pytest.approx(gain_v, rel=1e-6)


def test_the_settings_that_are_tried_end_where_the_filter_follows_every_pose():
    poses = line(noise=2.0)
    track = kalman(poses, kalman_grid())
    nearest = np.abs(track.position[10:] - poses.joints_px[10:, None]).mean(axis=(0, 2, 3))
    assert nearest.min() < 0.3 and nearest.max() > 1.0


def test_without_velocity_the_filter_averages_as_a_random_walk_says():
    """In equilibrium its variance p solves p^2 + q p = q r, for drift q and noise r."""
    drift, step_s, noise = 50.0, 0.033, 4.0
    q = drift * step_s
    after = (-q + np.sqrt(q ** 2 + 4 * q * noise)) / 2
    stamps_us = 33_000 * np.arange(202)
    joints = np.zeros((202, 1, 2))
    joints[-1] = 1.0
    track = kalman(certain(stamps_us, joints), settings(0.0, decay_s=0.0, drift=drift))
    assert track.position[-1, 0, 0, 0] == pytest.approx((after + q) / (after + q + noise))
    ahead = track.at(0, np.array([201]), stamps_us[-1:] + 50_000)
    np.testing.assert_array_equal(ahead[0], track.position[-1, 0])


def test_a_joint_of_low_confidence_moves_the_filter_less():
    """Halving the confidence from 1 with a span of ln 100 multiplies the deviation by 10."""
    stamps_us, joints = 33_000 * np.arange(2), np.zeros((2, 2, 2))
    joints[1] = 1.0
    confidence = np.ones((2, 2))
    confidence[1, 1] = 0.5
    track = kalman(AnnPoses(stamps_us, joints, confidence),
                   settings(0.0, decay_s=0.0, drift=0.0, span=np.log(100)))
    sure, unsure = track.position[1, 0, :, 0]
    assert sure == pytest.approx(4 / (4 + 4))  # as certain as what was known
    assert unsure == pytest.approx(4 / (4 + 400))
