# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The place of a video on the sensor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.footage.interpolation import averaged
from hybrid_pose_ros.footage.placement import LINEAR, Box, PictureFinder, placed


@pytest.mark.parametrize('source, target', [
    (Box(0, 0, 692, 520), Box(0, 0, 346, 260)),
    (Box(0, 0, 720, 1280), Box(100, 0, 146, 260)),  # portrait
    (Box(0, 0, 1920, 1080), Box(0, 32, 346, 195)),
    (Box(10, 20, 34, 26), Box(3, 0, 340, 260))])  # enlarged
def test_a_picture_fills_the_middle_of_the_sensor(source, target):
    assert placed(source, 346, 260).target == target


@given(st.integers(8, 3000), st.integers(8, 3000))
def test_every_picture_fits_and_its_corners_are_those_of_its_place(width, height):
    placement = placed(Box(5, 7, width, height), 346, 260)
    left, top, across, down = placement.target
    assert 0 <= left and left + across <= 346 and 0 <= top and top + down <= 260
    corners = np.array([[5, 7], [5 + width, 7 + height]], float)
    assert np.allclose(placement.to_sensor(corners), [[left, top], [left + across, top + down]])
    assert placement.contains(placement.to_sensor(corners)).tolist() == [True, False]


def test_an_unknown_joint_is_not_inside():
    assert not placed(Box(0, 0, 8, 8), 8, 8).contains(np.full(2, np.nan))


def test_brightness_is_linear_light():
    """Of 8-bit sRGB 188 half; gray has the luminance of its value."""
    light = placed(Box(0, 0, 8, 8), 4, 4).brightness(np.full((8, 8, 3), 188, np.uint8))
    assert light.shape == (8, 8) and light == pytest.approx(0.503, abs=1e-3)


def test_light_is_averaged_after_it_became_linear():
    image = np.zeros((8, 8, 3), np.uint8)
    image[::2] = 255
    light = averaged(placed(Box(0, 0, 8, 8), 4, 4).brightness(image))
    assert light == pytest.approx(0.5, abs=1e-5)
    assert LINEAR[0] == 0 and LINEAR[255] == 1


def finder(frames):
    """Return the picture found in frames."""
    found = PictureFinder()
    for frame in frames:
        found.update(frame)
    return found.picture()


def test_black_bars_are_left_out():
    frame = np.full((100, 200, 3), 8, np.uint8)
    frame[10:90, 30:190] = 100
    assert finder([frame, frame]) == Box(30, 10, 160, 80)


def test_what_is_bright_once_is_no_bar():
    frame = np.full((100, 200, 3), 8, np.uint8)
    frame[10:90, 30:190] = 100
    later = frame.copy()
    later[99, 0] = 200
    assert finder([frame, later]) == Box(0, 10, 190, 90)


@pytest.mark.parametrize('level', [0, 8, 200])
def test_a_dark_or_plain_picture_has_no_bars(level):
    assert finder([np.full((50, 60, 3), level, np.uint8)]) == Box(0, 0, 60, 50)


def test_a_small_light_in_the_dark_is_not_the_picture():
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[70:75, 20:25] = 255
    assert finder([frame]) == Box(20, 0, 80, 75)
