# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joints without events round them stay where they were."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.pose.holding import JointHolder
from hybrid_pose_ros.representation.geometry import input_geometry

STEP_US, JOINTS = 1_000, 13
GEOMETRY = input_geometry(preset('edge'), 346, 260)  # 173 x 130 cells of 2 x 2 pixels
PLACES_PX = np.stack([np.linspace(20, 320, JOINTS), np.full(JOINTS, 100.0)], axis=1)


class Stream:
    """Bins with events at some joints, and a network that sees joints where a test says."""

    def __init__(self, quiet_events_per_s=300.0, geometry=GEOMETRY):
        self.holder = JointHolder(STEP_US, quiet_events_per_s)
        self.geometry = geometry

    def see(self, bins=1, *, at=PLACES_PX, active=(), offset=0, **how):
        """Return joints and held flags of the last bin; active joints have 5 events a bin."""
        counts = np.zeros((2, self.geometry.height, self.geometry.width), np.uint8)
        for x, y in PLACES_PX[list(active)].astype(int) // 2 + offset:
            counts[1, y, x] = 5
        for _ in range(bins):
            joints_px = np.array(at, np.float32)
            held = self.holder.hold_into(joints_px, counts, self.geometry, **how)
        return joints_px, held


def test_joints_with_events_are_where_the_network_sees_them():
    stream = Stream()
    for shift in range(50):
        joints_px, held = stream.see(at=PLACES_PX + 0.1 * shift, active=range(JOINTS))
        np.testing.assert_array_equal(joints_px, np.float32(PLACES_PX + 0.1 * shift))
        assert not held.any()


def test_a_joint_is_held_after_100_ms_without_events():
    stream = Stream()
    assert not stream.see(99)[1].any()
    assert stream.see(2)[1].all()


def test_a_held_joint_stays_where_it_was_and_the_others_go_on():
    stream = Stream()
    moving = [0, 5, 12]
    stream.see(500, active=moving)
    joints_px, held = stream.see(at=PLACES_PX + 2.0, active=moving)
    assert np.flatnonzero(~held).tolist() == moving
    np.testing.assert_array_equal(joints_px[held], np.float32(PLACES_PX)[held])
    np.testing.assert_array_equal(joints_px[~held], np.float32(PLACES_PX + 2.0)[~held])


def test_events_at_the_joint_let_it_go():
    stream = Stream()
    stream.see(500)
    joints_px, held = stream.see(20, at=PLACES_PX + 30.0, active=[3])
    assert np.flatnonzero(~held).tolist() == [3]
    np.testing.assert_array_equal(joints_px[3], np.float32(PLACES_PX[3] + 30.0))


@given(st.integers(-8, 8))
def test_events_count_within_a_twentieth_of_the_height(offset):
    stream = Stream()
    stream.see(500)
    _, held = stream.see(20, active=[3], offset=(0, offset))
    assert held[3] == (abs(offset) > 6)


def test_a_new_state_says_where_held_joints_are():
    stream = Stream()
    stream.see(500)
    elsewhere = PLACES_PX + 7.0
    joints_px, held = stream.see(at=elsewhere, moved=True)
    assert held.all()
    np.testing.assert_array_equal(joints_px, np.float32(elsewhere))
    np.testing.assert_array_equal(stream.see(at=PLACES_PX)[0], np.float32(elsewhere))


def test_a_few_more_events_than_quiet_ones_do_not_let_a_held_joint_flicker():
    holder = JointHolder(STEP_US, 1000.0)
    joints_px = np.float32(PLACES_PX)
    counts = np.zeros((2, GEOMETRY.height, GEOMETRY.width), np.uint8)
    for _ in range(300):
        holder.hold_into(joints_px, counts, GEOMETRY)
    counts[1] = 0
    counts[1, 50, PLACES_PX[:, 0].astype(int) // 2] = 1  # a little more than 1000 a second
    for _ in range(300):
        assert holder.hold_into(joints_px, counts, GEOMETRY).all()
    counts[1, 50, PLACES_PX[:, 0].astype(int) // 2] = 3
    for _ in range(300):
        held = holder.hold_into(joints_px, counts, GEOMETRY)
    assert not held.any()


@given(st.integers(1, 200), st.integers(1, 200))
def test_bins_that_are_left_out_pass_like_silent_ones(first, second):
    one, other = Stream(), Stream()
    one.see(first + second)
    other.see(steps=first)
    other.see(steps=second)
    np.testing.assert_allclose(other.holder._near, one.holder._near, rtol=1e-9)


def test_none_is_held_where_nobody_wants_it():
    assert not Stream(quiet_events_per_s=0.0).see(1000)[1].any()


@pytest.mark.parametrize('x, y', ((-50.0, -50.0), (1000.0, 1000.0), (0.0, 0.0), (345.0, 259.0)))
def test_joints_at_and_beyond_the_border_are_held_like_others(x, y):
    stream = Stream()
    assert stream.see(200, at=np.tile([x, y], (JOINTS, 1)))[1].all()


def test_the_papers_crop_is_taken_off_before_events_are_looked_for():
    geometry = input_geometry(preset('paper'), 346, 260)  # its first column is pixel 34
    holder = JointHolder(10_000, 300.0)
    counts = np.zeros((2, 256, 256), np.uint8)
    counts[0, 100 - 2, 200 - 34] = 100
    joints_px = np.tile(np.float32([200.0, 100.0]), (JOINTS, 1))
    joints_px[1:] += 40.0
    for _ in range(100):
        held = holder.hold_into(joints_px, counts, geometry)
    assert held.tolist() == [False] + [True] * 12
