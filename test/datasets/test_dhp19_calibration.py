# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.datasets.dhp19_calibration import (
    CAMERA_OF_CHANNEL, FRONT_CHANNELS, PROJECTIONS, center_mm, pinhole, project, projection)

POINTS_MM = np.array([[0.0, 0.0, 1000.0], [200.0, -300.0, 1500.0]])
PIXELS = {  # of the two points, worked out from the matrices apart from this code
    1: ((234.719, 141.061), (195.624, 81.585)), 2: ((159.145, 125.014), (152.047, 79.136)),
    3: ((164.930, 119.527), (200.078, 66.109)), 4: ((191.474, 132.923), (228.906, 61.171))}
CENTERS_MM = {  # as the dataset lists its cameras
    1: (2270.63, -181.44, 2003.32), 2: (2231.35, -2487.25, 1954.92),
    3: (-2101.65, -2318.52, 2063.28), 4: (-2312.73, -89.10, 2150.29)}
LAST_DIGIT = 0.5 + 1e-2  # of a printed one, and what rounding of the matrices may add

cameras = pytest.mark.parametrize('camera', PROJECTIONS)


@cameras
def test_points_are_seen_where_the_matrices_put_them_to_the_last_printed_digit(camera):
    error_px = np.abs(project(POINTS_MM, camera) - PIXELS[camera])
    assert (error_px <= LAST_DIGIT * 1e-3).all()


@cameras
def test_a_camera_stands_where_the_dataset_lists_it_to_the_last_printed_digit(camera):
    assert (np.abs(center_mm(camera) - CENTERS_MM[camera]) <= LAST_DIGIT * 1e-2).all()


@cameras
def test_the_center_of_a_camera_has_no_pixel(camera):
    assert np.allclose(projection(camera) @ [*center_mm(camera), 1.0], 0.0, atol=1e-9)


@cameras
def test_intrinsics_rotation_and_translation_are_the_matrix(camera):
    intrinsics, rotation, translation = pinhole(camera)
    matrix = intrinsics @ np.column_stack([rotation * 1e-3, translation])  # of millimetres
    assert np.allclose(matrix / matrix[2, 3], projection(camera), rtol=1e-12, atol=1e-12)
    assert np.allclose(rotation @ rotation.T, np.eye(3)) and np.linalg.det(rotation) > 0
    assert np.allclose(np.tril(intrinsics, -1), 0) and (np.diag(intrinsics) > 0).all()


@cameras
def test_the_person_is_in_front_of_the_camera(camera):
    _, rotation, translation = pinhole(camera)
    assert (rotation @ [0.0, 0.0, 1.0] + translation)[2] > 2.0  # metres


@given(st.lists(st.floats(-500, 500), min_size=3, max_size=3), st.sampled_from(list(PROJECTIONS)))
def test_what_is_higher_is_seen_in_a_higher_row(point, camera):
    raised = np.add(point, [0.0, 0.0, 50.0])
    assert project(raised, camera)[1] < project(np.array(point), camera)[1]


def test_the_persons_right_is_on_the_left_of_the_front_cameras():
    for channel in FRONT_CHANNELS:
        right, left = project(np.array([[-300.0, 0, 1000], [300.0, 0, 1000]]),
                              CAMERA_OF_CHANNEL[channel])
        assert right[0] < left[0]


def test_the_table_in_the_docs_is_that_of_the_matrices():
    text = (Path(__file__).parents[2] / 'docs' / 'datasets.md').read_text().replace('−', '-')
    rows = [[float(number) for number in re.findall(r'-?\d+(?:\.\d+)?', line)]
            for line in text.splitlines() if re.match(r'\| [1-4] \| [0-3] \|', line)]
    assert [row[0] for row in rows] == list(PROJECTIONS)
    for camera, channel, *printed in rows:
        assert CAMERA_OF_CHANNEL[int(channel)] == camera
        pixels, center = np.split(np.array(printed), [4])
        assert (np.abs(project(POINTS_MM, camera).ravel() - pixels) <= LAST_DIGIT * 1e-3).all()
        assert (np.abs(center_mm(camera) - center) <= LAST_DIGIT * 1e-2).all()


def test_every_channel_has_a_camera_of_its_own():
    assert sorted(CAMERA_OF_CHANNEL) == sorted(PROJECTIONS)


def test_a_point_that_is_missing_has_no_pixel():
    assert np.isnan(project(np.array([np.nan, 0.0, 0.0]), 1)).all()
