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
    with pytest.raises(InputError, match='346x260 px, but the packets are from 640x480'):
        load_lens(calibration, 640, 480)


@pytest.mark.parametrize('keys, equidistant', [
    ('', False), ('distortion_model: plumb_bob', False), ('distortion_model: equidistant', True),
    ('camera_model: fisheye', True), ('camera_model: pinhole', False),
    ('camera_model: fisheye\ndistortion_model: fisheye', True)])
def test_the_model_is_that_of_the_file(tmp_path, keys, equidistant):
    """Some versions of camera_calibration name a fisheye by `camera_model` alone."""
    path = tmp_path / 'camera.yaml'
    path.write_text(CALIBRATION.replace('0.1, 0, 0, 0]', '0.1, 0, 0]') + keys)
    assert load_lens(path, 346, 260).equidistant == equidistant


@pytest.mark.parametrize('keys, words', [
    ('distortion_model: double_sphere', "'double_sphere' is not supported: expected plumb_bob"),
    ('distortion_model: [a]', 'is not supported'),
    ('distortion_model: equidistant', 'equidistant has 4 distortion coefficients, not 5'),
    ('camera_model: fisheye\ndistortion_model: plumb_bob', 'contradicts'),
    ('camera_model: omni', "camera_model 'omni' is not supported: expected pinhole or fisheye"),
    ('image_width: .inf', 'an image side of inf px'),
    ('image_height: -260', 'an image side of -260 px'),
    (f'image_height: {"9" * 400}', 'an image side of 9999'),
    (f'distortion_coefficients: {{data: [{"9" * 400}, 0, 0, 0]}}', 'int too large'),
    ('camera_matrix: {data: [0, 0, 173, 0, 301, 130, 0, 0, 1]}', 'focal lengths must be positive'),
    ('distortion_coefficients: {data: [.nan, 0, 0, 0]}', 'are not finite')])
def test_a_value_that_is_not_one_of_a_camera_is_refused(tmp_path, keys, words):
    path = tmp_path / 'camera.yaml'
    path.write_text(CALIBRATION + keys)  # of a repeated key, the last value counts
    with pytest.raises(InputError, match=words):
        load_lens(path, 346, 260)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(InputError, match='no calibration at .*none.yaml: No such file'):
        load_lens(tmp_path / 'none.yaml', 346, 260)


@pytest.mark.parametrize('text, words', [
    ('', 'expected a mapping'), ('[1, 2]', 'expected a mapping'), ('{:', 'is not a YAML file'),
    ('image_width: 346', 'expected image_width, image_height'), ('a: 2001-99-99', 'month must be'),
    ('[' * 5000, 'nested too deeply'), ('a: !!timestamp b', 'is not a YAML file'),
    ('a: &a [*a]', 'aliases expand to more than'),
    (CALIBRATION.replace('301, ', ''), 'expected image_width')])
def test_a_file_that_is_not_a_calibration_is_refused(tmp_path, text, words):
    path = tmp_path / 'camera.yaml'
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        load_lens(path, 346, 260)


def test_a_file_whose_aliases_stand_for_more_than_its_size_is_refused(tmp_path):
    """Nine lines were an array of 7 GiB."""
    path = tmp_path / 'camera.yaml'
    names = 'abcdefghi'
    lines = ['a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]'] + [
        f'{name}: &{name} [{", ".join([f"*{before}"] * 10)}]'
        for before, name in zip(names, names[1:])]
    path.write_text('\n'.join([*lines, 'camera_matrix: {data: *i}']))
    with pytest.raises(InputError, match='aliases expand to more than 10000 values'):
        load_lens(path, 346, 260)
