# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Intrinsics from a calibration file."""

import numpy as np
import pytest

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.representation.lens import load_lens

CALIBRATION = """\
image_width: 346
image_height: 260
camera_matrix: {rows: 3, cols: 3, data: [300, 0, 173, 0, 301, 130, 0, 0, 1]}
distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0, 0, 0]}
"""


@pytest.fixture
def calibration(tmp_path):
    path = tmp_path / 'camera.yaml'
    path.write_text(CALIBRATION)
    return path


def test_matrix_and_coefficients_are_those_of_the_file(calibration):
    lens = load_lens(calibration, 346, 260)
    np.testing.assert_array_equal(lens.camera_matrix, [[300, 0, 173], [0, 301, 130], [0, 0, 1]])
    np.testing.assert_array_equal(lens.distortion, [-0.3, 0.1, 0, 0, 0])


def test_a_calibration_of_another_sensor_is_refused(calibration):
    with pytest.raises(InputError, match='346x260 px, but the packets are of 640x480'):
        load_lens(calibration, 640, 480)


def test_the_model_is_that_of_the_file(tmp_path):
    path = tmp_path / 'fisheye.yaml'
    path.write_text(CALIBRATION + 'distortion_model: equidistant\n')
    assert load_lens(path, 346, 260).equidistant
    path.write_text(CALIBRATION + 'distortion_model: double_sphere\n')
    with pytest.raises(InputError, match="'double_sphere': expected plumb_bob, rational_poly"):
        load_lens(path, 346, 260)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(InputError, match='no calibration at'):
        load_lens(tmp_path / 'none.yaml', 346, 260)


@pytest.mark.parametrize('text', ['', '[1, 2]', 'image_width: 346', '{:',
                                  CALIBRATION.replace('301, ', '')])
def test_a_file_that_lacks_something_is_refused(tmp_path, text):
    path = tmp_path / 'camera.yaml'
    path.write_text(text)
    with pytest.raises(InputError, match='is no calibration: expected'):
        load_lens(path, 346, 260)
