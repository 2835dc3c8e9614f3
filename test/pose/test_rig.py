# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hybrid_pose_ros.pose.rig import RigCamera, project, undistort

MATRIX = np.array([[330.0, 0.5, 172.0], [0.0, 331.0, 131.0], [0.0, 0.0, 1.0]])
PIXELS = np.stack(np.meshgrid(np.arange(0.0, 346.0, 23.0), np.arange(0.0, 260.0, 20.0)), axis=-1)
LENSES = [('plumb_bob', (-0.37, 0.16, 3e-4, -2e-4)), ('plumb_bob', (-0.3, 0.1, 1e-3, -1e-3, 0.0)),
          ('rational_polynomial', (0.5, 0.1, 1e-3, 1e-3, 0.01, 0.8, 0.2, 0.02)),
          ('equidistant', (-0.02, 0.01, 0.0, 0.0))]


def camera(model='plumb_bob', distortion=(0.0,) * 5):
    return RigCamera('a', 346, 260, MATRIX, np.eye(3), np.zeros(3), np.array(distortion), model)


@pytest.mark.parametrize('model, distortion', LENSES)
def test_the_distortion_of_an_ideal_pixel_is_the_pixel(model, distortion):
    lens = camera(model, distortion)
    ideal = undistort(lens, PIXELS)
    rays = (ideal - MATRIX[:2, 2]) @ np.linalg.inv(MATRIX[:2, :2]).T
    seen = project(lens, np.concatenate([rays, np.ones((*rays.shape[:-1], 1))], axis=-1))
    assert ideal.shape == PIXELS.shape
    assert np.abs(seen - PIXELS).max() < 1e-9
    assert np.abs(ideal - PIXELS).max() > 1.0


def test_the_radial_distortion_is_a_polynomial_of_the_distance_from_the_axis():
    x = 0.5 * (1.0 - 0.3 * 0.25 + 0.1 * 0.25 ** 2)
    seen = project(camera(distortion=(-0.3, 0.1, 0.0, 0.0)), np.array([1.0, 0.0, 2.0]))
    assert seen == pytest.approx([330.0 * x + 172.0, 131.0])


def test_the_equidistant_distortion_is_a_polynomial_of_the_angle():
    angle = np.arctan(0.5)
    seen = project(camera('equidistant', (0.1, 0.0, 0.0, 0.0)), np.array([1.0, 0.0, 2.0]))
    assert seen == pytest.approx([330.0 * angle * (1.0 + 0.1 * angle ** 2) + 172.0, 131.0])


def test_pixels_that_no_ray_is_distorted_to_are_nan():
    """With k1 = -1, no image point is farther than 2 / sqrt(27) = 0.385 from the axis."""
    lens = camera(distortion=(-1.0, 0.0, 0.0, 0.0))
    inside, outside = 172.0 + 330.0 * np.array([0.3, 0.4])
    ideal = undistort(lens, np.array([[inside, 131.0], [outside, 131.0]]))
    assert np.isfinite(ideal[0]).all() and np.isnan(ideal[1]).all()


def test_what_is_not_found_stays_nan_and_nothing_stays_nothing():
    for model, distortion in LENSES:
        lens = camera(model, distortion)
        assert np.isnan(undistort(lens, np.full((2, 2), np.nan))).all()
        assert undistort(lens, np.zeros((0, 2))).shape == (0, 2)
        assert np.isnan(project(lens, np.array([[0.0, 0.0, -1.0]]))).all()
