# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.datasets.dhp19_calibration import CAMERA_OF_CHANNEL, project
from hybrid_pose_ros.datasets.dhp19_labels import channel_camera, channel_labels, crop_landmarks

POINTS_MM = np.array([[0.0, 0.0, 1000.0], [200.0, -300.0, 1500.0]])
LANDMARKS = {  # int(u - 34), int(v - 2) of the two points' published pixels
    0: ((157, 130), (194, 59)), 1: ((200, 139), (161, 79)),
    2: ((130, 117), (166, 64)), 3: ((125, 123), (118, 77))}


def point_seen_at(u, v, channel):
    """Return a point in the plane y = 0 [mm] that a channel sees at a pixel of the whole image."""
    camera, point = CAMERA_OF_CHANNEL[channel], np.array([0.0, 0.0, 1000.0])
    for _ in range(20):  # Newton's method
        here = project(point, camera)
        slope = np.stack([project(point + step, camera) - here
                          for step in ((1.0, 0, 0), (0, 0, 1.0))], axis=1)
        point[[0, 2]] += np.linalg.solve(slope, (u, v) - here)
    return point


@pytest.mark.parametrize('channel', LANDMARKS)
def test_landmarks_are_the_whole_pixels_of_the_papers_crop(channel):
    assert np.array_equal(crop_landmarks(POINTS_MM, channel), LANDMARKS[channel])


@pytest.mark.parametrize('pixel, inside', [
    ((34.01, 2.01), True), ((289.99, 257.99), True), ((33.99, 100.0), False),
    ((290.01, 100.0), False), ((100.0, 1.99), False), ((100.0, 258.01), False)])
def test_a_joint_outside_the_crop_has_no_landmark_but_may_be_visible_in_the_image(pixel, inside):
    point = point_seen_at(*pixel, channel=3)
    assert np.isfinite(crop_landmarks(point, 3)).all() == inside
    labels = channel_labels(np.tile(point, (1, 13, 1)), np.array([0]), 3)
    assert labels.visible.all() and np.allclose(labels.joints_px, pixel, atol=1e-3)


def test_a_joint_that_vicon_lost_is_neither_visible_nor_a_landmark():
    joints = np.tile(POINTS_MM[0], (1, 13, 1))
    joints[0, 4, 1] = np.nan
    labels = channel_labels(joints, np.array([0]), 2)
    assert not labels.visible[0, 4] and labels.visible.sum() == 12
    assert np.isnan(crop_landmarks(joints, 2)[0, 4]).all()


@given(st.lists(st.floats(-400, 400), min_size=2, max_size=2), st.floats(100, 1900),
       st.integers(0, 3))
def test_labels_are_where_the_recordings_camera_sees_the_joints(xy, z, channel):
    joints = np.tile([*xy, z], (1, 13, 1))
    labels, camera = channel_labels(joints, np.array([0]), channel), channel_camera(channel)
    u, v, w = camera.intrinsics @ (camera.rotation @ (1e-3 * joints[0, 0]) + camera.translation)
    assert np.allclose(labels.joints_px[0, 0], (u / w, v / w), atol=1e-3)
