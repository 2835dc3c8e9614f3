# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import numpy as np
import pytest

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.pose.rig import project
from hybrid_pose_ros.recorded_runs.world_report import errors_mm

RIG = dhp19_rig(2)
POINTS_M = np.random.default_rng(0).uniform([-0.4, -0.4, 0.2], [0.4, 0.4, 1.7], (13, 3))


def truth(camera):
    x, y = project(camera, POINTS_M).T
    return SimpleNamespace(x_px=x, y_px=y, confidence=np.ones(13))


def pose(points_m, instant_us=4_000):
    x, y, z = np.asarray(points_m).T
    return SimpleNamespace(instant_us=instant_us, x_m=x, y_m=y, z_m=z)


def test_poses_are_compared_with_what_the_cameras_see_together():
    truths = [{4_000: truth(camera)} for camera in RIG.cameras]
    missed_mm = errors_mm(RIG, [pose(POINTS_M + [0.0, 0.003, 0.004])], truths)
    assert missed_mm == pytest.approx(np.full(13, 5.0), abs=1e-6)


def test_joints_without_a_point_or_outside_an_image_are_left_out():
    truths = [{4_000: truth(camera)} for camera in RIG.cameras]
    truths[0][4_000].confidence[:5] = 0
    found = POINTS_M.copy()
    found[10:] = np.nan
    assert len(errors_mm(RIG, [pose(found)], truths)) == 5


def test_instants_that_a_camera_knows_nothing_of_are_left_out():
    truths = [{4_000: truth(RIG.cameras[0])}, {}]
    assert not len(errors_mm(RIG, [pose(POINTS_M), pose(POINTS_M, 8_000)], truths))
