# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.pose.velocity import velocity_step

SURE = np.ones(2)


def velocities(poses, stamps_us, confidence=None):
    """Return the velocity at each pose."""
    state, found = None, []
    for index, (joints_px, stamp_us) in enumerate(zip(poses, stamps_us, strict=True)):
        sure = SURE if confidence is None else confidence[index]
        velocity, state = velocity_step(np.float32(joints_px), sure, stamp_us, state)
        found.append(velocity)
    return np.array(found)


@given(steps_us=st.lists(st.integers(100, 50_000), min_size=2, max_size=40),
       speed=st.tuples(*[st.floats(-2000, 2000)] * 4), start_us=st.integers(0, 2 ** 40))
def test_steady_motion_has_its_velocity_at_any_times(steps_us, speed, start_us):
    speed = np.reshape(speed, (2, 2))
    stamps_us = start_us + np.cumsum([0, *steps_us])
    poses = [(100, 50) + speed * (stamp - start_us) * 1e-6 for stamp in stamps_us.tolist()]
    found = velocities(poses, stamps_us.tolist())
    np.testing.assert_allclose(found[-1], speed, atol=1 + 0.01 * np.abs(speed).max())


def test_the_first_pose_and_one_joint_seen_once_have_velocity_0():
    poses = [[(1, 2), (3, 4)], [(2, 2), (30, 4)]]
    found = velocities(poses, [0, 1000], [(1, 0), (1, 1)])
    np.testing.assert_array_equal(found[0], 0)
    np.testing.assert_allclose(found[1], [(1000, 0), (0, 0)], rtol=1e-5)


def test_a_joint_at_rest_has_velocity_0():
    found = velocities([[(10, 20), (300, 200)]] * 1000, range(0, 1_000_000, 1000))
    np.testing.assert_allclose(found, 0, atol=1e-3)


def test_positions_without_confidence_are_left_out():
    stamps_us = range(0, 50_000, 1000)
    poses = [[(0.2 * step, 5), (0, 0)] for step in range(50)]
    poses[48] = [(999, 999), (0, 0)]
    confidence = [(float(step != 48), 1) for step in range(50)]
    found = velocities(poses, stamps_us, confidence)
    np.testing.assert_allclose(found[-1][0], (200, 0), atol=0.01)


def test_two_thirds_of_a_stop_are_seen_within_30_ms():
    poses = [[(min(step, 100), 0), (0, 0)] for step in range(130)]
    found = velocities(poses, range(0, 130_000, 1000))
    assert abs(found[100][0, 0] - 1000) < 1
    assert abs(found[129][0, 0]) < 333


def test_noise_of_one_pixel_becomes_less_than_100_px_s():
    """From pose to pose, 1 ms apart, it would be 1400 px/s."""
    noise = np.random.default_rng(0).normal(0, 1, (2000, 2, 2))
    found = velocities(noise, range(0, 2_000_000, 1000))
    assert found[100:].std() < 100


def test_time_that_goes_back_starts_anew():
    found = velocities([[(0, 0)] * 2, [(5, 5)] * 2, [(900, 900)] * 2, [(901, 900)] * 2],
                       [1000, 2000, 500, 1500])
    np.testing.assert_array_equal(found[2], 0)
    np.testing.assert_allclose(found[3], [(1000, 0)] * 2, atol=0.01)
