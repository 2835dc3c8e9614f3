# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.datasets import dhp19_calibration
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.simulation.camera import (
    CAMERAS, SwaySettings, camera, close_camera, look_at, random_camera, sway)

POINTS_M = np.array([[0.0, 0.0, 1.0], [0.2, -0.3, 1.5]])


@pytest.mark.parametrize('number', (1, 2, 3, 4))
def test_a_dhp19_camera_projects_as_the_published_matrices_do(number):
    published = dhp19_calibration.project(1000 * POINTS_M, number)
    assert np.allclose(camera(f'dhp19-{number}').project(POINTS_M), published, atol=1e-9)


def test_a_pixel_is_focal_length_times_slope_from_the_middle():
    view = look_at((0.0, -2.0, 1.0), (0.0, 0.0, 1.0), focal_px=300.0)
    # 2 m away, 0.1 m to the camera's right (+x) and 0.2 m up: 15 px right and 30 px up
    assert np.allclose(view.project(np.array([0.1, 0.0, 1.2])), (173.0 + 15.0, 130.0 - 30.0))


def test_the_persons_right_hand_is_on_the_left_of_a_front_image():
    assert camera('davis346-front').project(np.array([-0.5, 0.0, 1.0]))[0] < 173.0


def test_what_is_behind_the_camera_has_no_pixel_and_is_not_inside():
    view = camera('davis346-front')
    pixels = view.project(np.array([[0.0, -9.0, 1.0]]))
    assert np.isnan(pixels).all() and not view.contains(pixels).any()


def test_the_last_pixel_is_inside_and_its_far_edge_is_not():
    view = camera('davis346-front')
    assert view.contains(np.array([[345.9, 259.9], [346.0, 0.0], [0.0, 260.0], [-0.1, 0.0]])
                         ).tolist() == [True, False, False, False]


def test_an_unknown_camera_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match='dhp19-1'):
        camera('dhp19-5')


@given(st.integers(0, 2**32 - 1))
def test_a_random_camera_sees_the_persons_middle(seed):
    view = random_camera(np.random.default_rng(seed))
    assert view.contains(view.project(np.array([0.0, 0.0, 0.9])))


@given(st.integers(0, 2**32 - 1))
def test_a_camera_for_fronts_stands_before_the_person(seed):
    view = random_camera(np.random.default_rng(seed), front=True)
    to_side, to_front = view.center[0], -view.center[1]
    assert to_front > 0 and np.degrees(np.arctan2(abs(to_side), to_front)) < 65


@given(st.integers(0, 2**32 - 1))
def test_a_close_camera_sees_the_chest_from_the_front(seed):
    view = close_camera(np.random.default_rng(seed))
    assert view.contains(view.project(np.array([0.0, 0.0, 1.35])))
    assert view.center[1] < -0.4 and np.linalg.norm(view.center - [0, 0, 1.35]) < 2.2


def test_a_swaying_camera_begins_in_its_place_and_stays_near():
    view, settings = CAMERAS['dhp19-2'], SwaySettings(turn_deg=2.0, shift_m=0.05)
    path = sway(view, settings, np.linspace(0.0, 20.0, 500), seed=1)
    assert np.allclose(path.rotation[0], view.rotation)
    assert np.allclose(path.translation[0], view.translation)
    centers = -np.einsum('nji,nj->ni', path.rotation, path.translation)
    # two swings of half the amplitude, each from its phase to the other side
    assert 0.0 < np.abs(centers - view.center).max() <= 2.0 * 0.05


def test_a_path_projects_each_pose_by_its_own_camera():
    path = sway(CAMERAS['dhp19-2'], SwaySettings(turn_deg=5.0), np.array([0.0, 1.0]), seed=2)
    points = np.stack([POINTS_M, POINTS_M])
    second = path._replace(rotation=path.rotation[1], translation=path.translation[1])
    assert np.allclose(path.project(points)[1], second.project(POINTS_M))
