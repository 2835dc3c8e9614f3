# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.pose.alignment import TimedPose
from hybrid_pose_ros.pose.rig import Rig, project
from hybrid_pose_ros.pose.triangulator import (
    Triangulator, TriangulatorParams, check_tracker_sizes)

PARAMS = TriangulatorParams(rig='rig.yaml')
START_M = np.random.default_rng(0).uniform([-0.4, -0.4, 0.2], [0.4, 0.4, 1.7], (13, 3))


def joints_m(stamp_us):
    """Return where the joints are: they go to the right at 1 m/s."""
    return START_M + np.array([1e-6 * stamp_us, 0, 0])


def pose(camera, stamp_us):
    return TimedPose(stamp_us, project(camera, joints_m(stamp_us)), np.ones(13))


def played(rig, phases_us, *, until_us=100_000, params=PARAMS, change=lambda number, pose: pose):
    """Return the triangulator and its poses of cameras that step at phases of their own."""
    triangulator, found = Triangulator(rig, params), []
    for start_us in range(0, until_us, 4_000):  # a packet is 4 ms
        for number, camera in enumerate(rig.cameras):
            poses = [change(number, pose(camera, start_us + phases_us[number] + step_us))
                     for step_us in range(0, 4_000, 1_000)]
            found += triangulator.update(number, [one for one in poses if one is not None])
    return triangulator, found


def dead(camera):
    """Return a change that takes a camera's poses after 60 ms."""
    return lambda number, pose: None if number == camera and pose.stamp_us > 60_000 else pose


def worst_mm(found):
    return 1e3 * max(np.nanmax(np.abs(one.joints_m - joints_m(one.stamp_us))) for one in found)


def test_cameras_out_of_step_see_a_moving_person_where_it_is():
    """1 m/s and 0.7 ms would be 0.7 mm, were the poses taken as they come."""
    triangulator, found = played(dhp19_rig(4), (0, 700, 350, 120))
    found = [one for one in found if not one.missing.any()]
    assert len(found) > 90 and worst_mm(found) < 0.01
    assert all((one.cameras == 4).all() and one.compute_ns > 0 for one in found)
    assert triangulator.poses >= len(found) and triangulator.out_of_order == 0


def test_a_camera_that_dies_leaves_the_pose_to_the_others():
    _, found = played(dhp19_rig(4), (0, 700, 350, 120), until_us=200_000, change=dead(2))
    late = [one for one in found if one.stamp_us > 100_000]
    assert len(late) > 70 and all(one.missing.tolist() == [False, False, True, False]
                                  for one in late)
    assert worst_mm(late) < 0.01


def test_without_a_second_camera_there_is_a_pose_without_joints():
    triangulator, found = played(dhp19_rig(2), (0, 0), until_us=200_000, change=dead(1))
    late = [one for one in found if one.stamp_us > 100_000]
    assert late and all(np.isnan(one.joints_m).all() and not one.cameras.any() for one in late)
    assert triangulator.missing[1] >= len(late) and not triangulator.missing[0]


def test_a_camera_that_was_pushed_is_left_out_and_counted():
    def pushed(number, pose):
        return pose._replace(joints_px=pose.joints_px + 80.0) if number == 1 else pose
    triangulator, found = played(dhp19_rig(4), (0,) * 4, change=pushed)
    assert worst_mm(found) < 0.01
    assert triangulator.left_out.tolist() == [0, 13 * len(found), 0, 0]


def test_joints_that_are_undistorted_already_are_not_bent_again():
    straight = dhp19_rig(2)
    bent = Rig(tuple(camera._replace(distortion=np.array([-0.3, 0.1, 0.0, 0.0, 0.0]))
                     for camera in straight.cameras))
    triangulator = Triangulator(bent, TriangulatorParams(rig='rig.yaml', undistorted=True))
    found = []
    for number, camera in enumerate(straight.cameras):
        found += triangulator.update(number, [pose(camera, stamp) for stamp in (0, 1_000)])
    assert worst_mm(found) < 1e-3


def test_a_tracker_of_another_sensor_is_told():
    check_tracker_sizes(dhp19_rig(2), 0, 346, 260)
    with pytest.raises(InputError, match='dhp19_2 is calibrated for a sensor of 346x260 px, but'):
        check_tracker_sizes(dhp19_rig(2), 0, 640, 480)
