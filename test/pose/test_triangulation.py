# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from hybrid_pose_ros.datasets import dhp19_calibration
from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.pose.rig import Rig, RigCamera, project
from hybrid_pose_ros.pose.triangulation import TriangulationParams, triangulate

SHEET = {  # pixels of a world point [mm] in the four cameras; pixel i covers [i, i + 1)
    (0.0, 0.0, 1000.0): ((234.719, 141.061), (159.145, 125.014), (164.930, 119.527),
                         (191.474, 132.923)),
    (200.0, -300.0, 1500.0): ((195.624, 81.585), (152.047, 79.136), (200.078, 66.109),
                              (228.906, 61.171))}
ALL = TriangulationParams(outlier_px=0.0)
RIG = dhp19_rig(4)
places = st.tuples(*[st.floats(-0.8, 0.8)] * 2, st.floats(0.1, 1.9))


def seen_by(rig, points_m):
    """Return exact pixels (C, N, 2) and full confidence (C, N)."""
    pixels = np.stack([project(camera, np.atleast_2d(points_m)) for camera in rig.cameras])
    return pixels, np.ones(pixels.shape[:2])


def pair(*numbers):
    return Rig(tuple(RIG.cameras[number - 1] for number in numbers))


def with_lens(model, *coefficients):
    return Rig(tuple(camera._replace(distortion=np.array(coefficients), model=model)
                     for camera in RIG.cameras))


@pytest.mark.parametrize('point_mm', SHEET)
def test_the_rig_sees_the_points_of_the_fact_sheet_to_its_last_digit(point_mm):
    pixels, _ = seen_by(RIG, np.array(point_mm) * 1e-3)
    assert np.round(pixels[:, 0] + 0.5, 3).tolist() == [list(seen) for seen in SHEET[point_mm]]


@pytest.mark.parametrize('numbers', [(2, 3), (1, 2, 3, 4)])
@pytest.mark.parametrize('point_mm', SHEET)
def test_pixels_of_the_fact_sheet_are_of_its_points(point_mm, numbers):
    """Its pixels are rounded to 0.001 px, which is 0.01 mm here."""
    pixels = np.array([SHEET[point_mm][number - 1] for number in numbers])[:, None] - 0.5
    found = triangulate(pair(*numbers), pixels, np.ones(pixels.shape[:2]))
    assert np.round(1e3 * found.points_m[0], 1).tolist() == list(point_mm)
    assert found.error_px < 1e-3


@given(places)
def test_what_the_papers_rays_meet_in_is_the_same_point(place):
    """Two exact rays: the nearest point to both is where they cross (fact sheet, 4.8)."""
    normal, right = np.zeros((3, 3)), np.zeros(3)
    pixels, confidence = seen_by(pair(2, 3), place)
    for number, (seen,) in zip((2, 3), pixels):
        matrix = dhp19_calibration.projection(number)
        center = dhp19_calibration.center_mm(number)
        onto = np.linalg.pinv(matrix) @ np.append(seen + 0.5, 1.0)
        ray = onto[:3] / onto[3] - center
        across = np.eye(3) - np.outer(ray, ray) / (ray @ ray)
        normal, right = normal + across, right + across @ center
    crossing_mm = np.linalg.solve(normal, right)
    found = triangulate(pair(2, 3), pixels, confidence)
    np.testing.assert_allclose(1e3 * found.points_m[0], crossing_mm, atol=1e-5)


@given(places, st.sampled_from([
    RIG, with_lens('plumb_bob', -0.35, 0.15, 1e-3, -2e-3, -0.02),
    with_lens('rational_polynomial', 0.1, 0.02, 1e-3, -1e-3, 0.0, 0.4, 0.05, 0.01),
    with_lens('equidistant', -0.03, 0.01, -0.004, 0.001)]))
def test_a_point_is_where_its_images_say(place, rig):
    found = triangulate(rig, *seen_by(rig, place))
    np.testing.assert_allclose(found.points_m[0], place, atol=1e-7)
    assert found.used.all() and found.error_px[0] < 1e-5


@given(places, st.integers(0, 2 ** 31))
def test_of_unsharp_images_the_weighted_error_in_pixels_is_least(place, seed):
    rng = np.random.default_rng(seed)
    pixels, _ = seen_by(RIG, place)
    pixels += rng.normal(0.0, 3.0, pixels.shape)
    confidence = rng.uniform(0.2, 1.0, (4, 1))

    def misses(point):
        seen = np.stack([project(camera, point) for camera in RIG.cameras])
        return (np.sqrt(confidence) * (seen - pixels[:, 0])).ravel()
    best = least_squares(misses, place, xtol=1e-12, ftol=1e-12, gtol=1e-12)
    found = triangulate(RIG, pixels, confidence, ALL)
    np.testing.assert_allclose(found.points_m[0], best.x, atol=1e-5)
    rms_px = np.sqrt((np.linalg.norm(misses(best.x).reshape(4, 2) / np.sqrt(confidence),
                                     axis=1) ** 2).mean())
    assert found.error_px[0] == pytest.approx(rms_px, abs=1e-4)


@given(places, st.integers(0, 3), st.tuples(st.floats(60, 200), st.floats(0, 2 * np.pi)))
def test_of_four_cameras_a_wrong_one_is_left_out(place, wrong, aside):
    pixels, confidence = seen_by(RIG, place)
    pixels[wrong, 0] += aside[0] * np.array([np.cos(aside[1]), np.sin(aside[1])])
    found = triangulate(RIG, pixels, confidence)
    np.testing.assert_allclose(found.points_m[0], place, atol=1e-6)
    assert np.flatnonzero(~found.used[:, 0]).tolist() == [wrong]


@given(places, st.integers(0, 3))
def test_a_camera_that_sees_nothing_is_as_one_that_is_not_there(place, blind):
    pixels, confidence = seen_by(RIG, place)
    pixels += np.random.default_rng(0).normal(0.0, 2.0, pixels.shape)
    others = [camera for camera in range(4) if camera != blind]
    without = triangulate(Rig(tuple(RIG.cameras[camera] for camera in others)), pixels[others],
                          confidence[others])
    for nothing in (np.nan, 0.0):
        pixels[blind], confidence[blind] = np.nan if np.isnan(nothing) else -50.0, nothing or 0.0
        found = triangulate(RIG, pixels, confidence)
        np.testing.assert_array_equal(found.points_m, without.points_m)
        assert not found.used[blind].any() and found.used.sum() == without.used.sum()


@given(places)
def test_of_two_cameras_a_wrong_one_shows_in_the_error_alone(place):
    pixels, confidence = seen_by(pair(2, 3), place)
    pixels[1, 0, 1] += 60.0  # across the lines that the other camera's rays are seen as
    found = triangulate(pair(2, 3), pixels, confidence)
    assert found.used.all() and found.error_px[0] > 15.0


def test_one_camera_makes_no_point():
    pixels, confidence = seen_by(RIG, (0.0, 0.0, 1.0))
    confidence[1:] = 0.01  # below least_confidence
    found = triangulate(RIG, pixels, confidence)
    assert np.isnan(found.points_m).all() and np.isnan(found.error_px).all()
    assert not found.used.any() and found.confidence == 0


def test_two_cameras_in_one_place_make_no_point():
    twice = Rig((RIG.cameras[0], RIG.cameras[0]))
    pixels, confidence = seen_by(twice, (0.0, 0.0, 1.0))
    assert np.isnan(triangulate(twice, pixels, confidence).points_m).all()


def test_a_point_behind_the_cameras_is_none():
    """The lines of sight meet there, but nobody looks back."""
    matrix = np.array([[300.0, 0.0, 172.5], [0.0, 300.0, 129.5], [0.0, 0.0, 1.0]])
    rig = Rig(tuple(RigCamera(name, 346, 260, matrix, np.eye(3), np.array([shift, 0.0, 0.0]))
                    for name, shift in (('left', 0.2), ('right', -0.2))))
    pixels = np.array([[[150.0, 130.0]], [[190.0, 130.0]]])  # each sees it outward
    assert np.isnan(triangulate(rig, pixels, np.ones((2, 1))).points_m).all()
    assert np.isfinite(triangulate(rig, pixels[::-1], np.ones((2, 1))).points_m).all()


def test_points_are_found_each_by_itself():
    rng = np.random.default_rng(1)
    points = rng.uniform([-0.5, -0.5, 0.2], [0.5, 0.5, 1.8], (13, 3))
    pixels, confidence = seen_by(RIG, points)
    pixels += rng.normal(0.0, 8.0, pixels.shape)
    confidence[:] = rng.uniform(0.0, 1.0, confidence.shape)
    together = triangulate(RIG, pixels, confidence)
    for joint in range(13):
        alone = triangulate(RIG, pixels[:, joint:joint + 1], confidence[:, joint:joint + 1])
        np.testing.assert_array_equal(alone.points_m[0], together.points_m[joint])
