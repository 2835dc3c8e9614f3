# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A skeleton as ROS4HRI has it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.pose.ros4hri import POINTS, Presence, body_points, region
from hybrid_pose_ros.tasks.skeleton import JOINTS, Skeleton


def skeleton(**joints: tuple[float, float, float]) -> Skeleton:
    """Return a skeleton with some joints (x, y, confidence) and the others outside."""
    rows = np.array([joints.get(joint, (-9.0, -9.0, 0.5)) for joint in JOINTS], np.float32)
    return resting(rows[:, :2], rows[:, 2])


def resting(joints_px, confidence) -> Skeleton:
    """Return a skeleton that does not move."""
    return Skeleton(0, joints_px, confidence, np.zeros((13, 2), np.float32))


def test_points_are_shares_of_the_image_by_the_names_of_hri_msgs():
    points = body_points(skeleton(head=(319.5, 119.5, 0.9), footL=(639.0, 479.0, 0.3)), 640, 480)
    assert points[POINTS.index('nose')] == pytest.approx([0.5, 0.25, 0.9])
    assert points[POINTS.index('footL')] == pytest.approx([639.5 / 640, 479.5 / 480, 0.3])


def test_every_joint_but_none_twice_has_its_point():
    rows = np.column_stack([np.arange(13), np.zeros(13), np.ones(13)]).astype(np.float32)
    points = body_points(resting(rows[:, :2], rows[:, 2]), 13, 1)
    assert sorted(points[points[:, 2] > 0, 0] * 13 - 0.5) == pytest.approx(range(13))


@pytest.mark.parametrize('point', ('neck', 'eyeL', 'eyeR', 'earL', 'earR'))
def test_points_that_the_network_does_not_know_are_zero(point):
    everywhere = resting(np.full((13, 2), 5.0, np.float32), np.ones(13, np.float32))
    assert (body_points(everywhere, 10, 10)[POINTS.index(point)] == 0).all()


@given(x=st.floats(-50, 50, width=32), y=st.floats(-50, 50, width=32))
def test_what_lies_outside_the_image_is_not_there(x, y):
    point = body_points(skeleton(hipR=(x, y, 0.7)), 20, 10)[POINTS.index('hipR')]
    inside = 0 <= x + 0.5 <= 20 and 0 <= y + 0.5 <= 10
    assert point[2] == (np.float32(0.7) if inside else 0)
    assert (0 <= point).all() and (point <= 1).all()


def test_a_joint_that_is_no_number_is_not_there():
    assert not body_points(skeleton(hipR=(np.nan, 1.0, 0.7)), 20, 10).any()


def test_the_region_holds_what_is_seen():
    points = body_points(skeleton(head=(4.5, 1.5, 0.4), footL=(9.5, 7.5, 0.8)), 20, 10)
    assert region(points) == pytest.approx([0.25, 0.2, 0.5, 0.8, 0.6])
    assert not region(np.zeros((18, 3), np.float32)).any()


def test_a_body_that_comes_back_has_another_name():
    presence, seen = Presence(), []
    for look in (False, True, True, False, True):
        presence = presence.update(look)
        seen.append(presence.ids)
    assert seen == [[], ['event0001'], ['event0001'], [], ['event0002']]
