# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.simulation.body import BODY_POINTS, MIRRORED_POINTS, joints_of
from hybrid_pose_ros.simulation.kinematics import ANGLES, forward_kinematics
from hybrid_pose_ros.simulation.motions import ACTIVITIES, GeneratedMotion, Style, posture

LIMBS = [('r_shoulder', 'r_elbow'), ('l_elbow', 'l_wrist'), ('r_hip', 'r_knee'),
         ('l_knee', 'l_ankle'), ('neck', 'head')]
TIMES_S = np.arange(0.0, 4.0, 0.01)
STYLE = Style(pace=1.0, reach=1.0, side='r_', phase=0.0)


def point(points, name):
    return points[:, BODY_POINTS.index(name)]


@pytest.mark.parametrize('activity', ACTIVITIES)
def test_limbs_keep_their_length(activity):
    points = forward_kinematics(posture(activity, TIMES_S, STYLE))
    for first, second in LIMBS:
        lengths = np.linalg.norm(point(points, first) - point(points, second), axis=-1)
        assert np.ptp(lengths) < 1e-9


@pytest.mark.parametrize('activity', ACTIVITIES)
def test_nobody_sinks_into_the_floor(activity):
    points = forward_kinematics(posture(activity, TIMES_S, STYLE))
    assert points[..., 2].min() > -0.08  # a toe that points down


def test_somebody_at_rest_faces_the_front_and_stands_as_tall_as_told():
    points = forward_kinematics(np.zeros((1, len(ANGLES))), stature_m=1.9)
    assert point(points, 'r_hand')[0, 0] < 0.0 < point(points, 'l_hand')[0, 0]
    assert point(points, 'r_toe')[0, 1] < point(points, 'r_ankle')[0, 1]
    assert abs(point(points, 'head_top')[0, 2] - 1.9) < 0.06


def test_a_raised_arm_points_forward():
    angles = np.zeros((1, len(ANGLES)))
    angles[0, ANGLES.index('r_shoulder_flex')] = np.pi / 2
    points = forward_kinematics(angles)
    arm = (point(points, 'r_wrist') - point(points, 'r_shoulder'))[0]
    assert np.allclose(arm, [0.0, -0.535, 0.0], atol=1e-9)


def test_a_waving_hand_is_above_its_elbow():
    points = forward_kinematics(posture('wave', TIMES_S, STYLE))
    assert (point(points, 'r_hand')[:, 2] > point(points, 'r_elbow')[:, 2]).all()


def test_a_squat_brings_the_pelvis_down_to_the_knees():
    points = forward_kinematics(posture('squat', TIMES_S, STYLE))
    height = point(points, 'pelvis')[:, 2]
    assert height.max() > 0.9 and height.min() < 0.65


def test_a_turn_goes_all_the_way_round():
    points = forward_kinematics(posture('turn', TIMES_S, STYLE))
    right = point(points, 'r_hip') - point(points, 'l_hip')
    turned = np.unwrap(np.arctan2(right[:, 1], right[:, 0]))
    assert abs(abs(turned[-1] - turned[0]) - 2.0 * np.pi) < 0.1


def test_a_long_sequence_has_no_jump():
    times_s = np.arange(0.0, 60.0, 0.002)
    points = GeneratedMotion(4, tuple(ACTIVITIES)).sample(times_s)
    speed = np.linalg.norm(np.diff(points, axis=0), axis=-1) / 0.002
    assert speed.max() < 15.0  # m/s, a fast kick


def test_a_sequence_does_not_depend_on_how_it_is_asked_for():
    times_s = np.linspace(0.0, 30.0, 200)
    whole = GeneratedMotion(1).sample(times_s)
    motion = GeneratedMotion(1)
    pieces = np.concatenate([motion.sample(part) for part in np.split(times_s, 8)])
    assert np.array_equal(whole, pieces)


def test_an_unknown_activity_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match='jumping_jack'):
        GeneratedMotion(0, ('yodel',))


def test_mirroring_points_swaps_right_and_left():
    points = forward_kinematics(posture('wave', TIMES_S[:1], STYLE))
    mirrored = points[:, MIRRORED_POINTS]
    assert np.array_equal(point(mirrored, 'l_hand'), point(points, 'r_hand'))
    assert np.array_equal(point(mirrored, 'spine'), point(points, 'spine'))


def test_a_hand_joint_lies_between_wrist_and_knuckles():
    points = forward_kinematics(posture('wave', TIMES_S[:1], STYLE))
    middle = 0.5 * (point(points, 'l_wrist') + point(points, 'l_hand'))
    assert np.allclose(joints_of(points)[:, 8], middle)
