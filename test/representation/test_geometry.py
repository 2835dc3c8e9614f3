# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import event_array, no_events
from hybrid_pose_ros.model.layout import heatmap_shape
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.representation.geometry import Lens, input_geometry

EDGE, PAPER = preset('edge'), preset('paper')


@pytest.mark.parametrize('sensor, pooling, cells', [
    ((346, 260), 2, (173, 130)), ((240, 180), 2, (120, 90)), ((128, 128), 1, (128, 128)),
    ((640, 480), 4, (160, 120)), ((1280, 720), 7, (183, 103)), ((200, 150), 1, (200, 150)),
    ((201, 150), 2, (101, 75)), ((1, 1), 1, (1, 1))])
def test_edge_pools_a_sensor_until_it_fits(sensor, pooling, cells):
    geometry = input_geometry(EDGE, *sensor)
    assert (geometry.cell_px, geometry.width, geometry.height) == (pooling, *cells)


@given(width=st.integers(1, 2000), height=st.integers(1, 1200))
def test_the_pooling_factor_is_the_smallest_that_fits(width, height):
    factor = next(f for f in range(1, 99) if -(-width // f) <= 200 and -(-height // f) <= 150)
    geometry = input_geometry(EDGE, width, height)
    assert geometry.cell_px == factor
    assert geometry.cell_of_px.max() == geometry.width * geometry.height - 1


def test_pixels_of_one_cell_share_it():
    geometry = input_geometry(EDGE, 346, 260)
    events = event_array([0] * 5, [0, 1, 2, 345, 344], [0, 1, 1, 259, 258], [1] * 5)
    x, y, inside = geometry.cells(events)
    assert x.tolist() == [0, 0, 1, 172, 172]
    assert y.tolist() == [0, 0, 0, 129, 129]
    assert inside.all()


def test_the_papers_crop_of_a_davis346():
    geometry = input_geometry(PAPER, 346, 260)
    events = event_array([0] * 6, [34, 289, 33, 290, 100, 100], [2, 257, 100, 100, 1, 258],
                         [0] * 6)
    x, y, inside = geometry.cells(events)
    assert inside.tolist() == [True, True, False, False, False, False]
    assert x[:2].tolist() == [0, 255]
    assert y[:2].tolist() == [0, 255]


def test_other_sensors_are_cropped_in_the_middle():
    assert input_geometry(PAPER, 640, 480).origin == (192, 112)


def test_a_sensor_smaller_than_the_crop_is_refused():
    with pytest.raises(InputError, match='at least 256x256 pixels, but this one has 240x180'):
        input_geometry(PAPER, 240, 180)


def test_events_off_the_sensor_are_outside():
    events = event_array([0, 0, 0], [346, 0, 65535], [0, 260, 65535], [1, 1, 1])
    assert not input_geometry(EDGE, 346, 260).cells(events)[2].any()


def test_no_events_have_no_cells():
    assert [len(part) for part in input_geometry(EDGE, 346, 260).cells(no_events())] == [0, 0, 0]


def test_the_center_of_a_heatmap_element_is_the_center_of_its_pixels():
    """Edge on a DAVIS346: 4 pixels a side, so the first element covers 0..3, its center is 1.5."""
    geometry = input_geometry(EDGE, 346, 260)
    np.testing.assert_allclose(geometry.to_px([[0, 0], [1, 2]]), [[1.5, 1.5], [5.5, 9.5]])
    assert geometry.width / heatmap_shape(EDGE, geometry.width, geometry.height)[2] <= 2


def test_the_papers_heatmap_is_its_crop():
    geometry = input_geometry(PAPER, 346, 260)
    np.testing.assert_allclose(geometry.to_px([0.0, 255.0]), [34, 257])


@given(st.tuples(st.floats(-50, 400), st.floats(-50, 400)), st.sampled_from([EDGE, PAPER]))
def test_pixels_to_heatmap_and_back_is_identity(xy_px, chosen):
    geometry = input_geometry(chosen, 346, 260)
    np.testing.assert_allclose(geometry.to_px(geometry.to_heatmap(np.array(xy_px))), xy_px,
                               atol=1e-9)


CAMERA_MATRIX = np.array([[200, 0, 173], [0, 200, 130], [0, 0, 1]], float)


def test_a_lens_without_distortion_changes_nothing():
    plain = input_geometry(EDGE, 346, 260)
    lens = input_geometry(EDGE, 346, 260, lens=Lens(CAMERA_MATRIX, np.zeros(5)))
    np.testing.assert_array_equal(lens.cell_of_px, plain.cell_of_px)


def test_a_pincushion_lens_moves_events_inwards_and_keeps_the_center():
    """At radius 1 a coefficient k1 of 0.2 shows at 1.2 what lies at 1: 240 px become 200."""
    geometry = input_geometry(EDGE, 500, 260, lens=Lens(CAMERA_MATRIX, np.array([0.2, 0, 0, 0])))
    x, y, inside = geometry.cells(event_array([0, 0], [173, 413], [130, 130], [1, 1]))
    pooling = geometry.cell_px
    assert inside.all()
    assert x.tolist() == [173 // pooling, 373 // pooling]
    assert y.tolist() == [130 // pooling, 130 // pooling]


def test_events_that_a_barrel_lens_moves_out_of_the_image_are_outside():
    geometry = input_geometry(EDGE, 346, 260,
                              lens=Lens(CAMERA_MATRIX, np.array([-0.2, 0.03, 0, 0])))
    inside = geometry.cells(event_array([0, 0], [0, 173], [0, 130], [1, 1]))[2]
    assert inside.tolist() == [False, True]


def test_a_fisheye_sees_an_angle_where_a_pinhole_sees_its_tangent():
    """35 px beside the center, at a focal length of 100 px, are 0.35 rad."""
    matrix = np.array([[100.0, 0, 250], [0, 100.0, 130], [0, 0, 1]])
    fisheye = input_geometry(EDGE, 500, 260, lens=Lens(matrix, np.zeros(4), equidistant=True))
    plain = input_geometry(EDGE, 500, 260)
    there = 250 + round(100 * np.tan(0.35))
    assert there != 250 + 35
    assert fisheye.cell_of_px[130, 250 + 35] == plain.cell_of_px[130, there]


@pytest.mark.parametrize('lens', [
    Lens(CAMERA_MATRIX, np.zeros(3)), Lens(np.eye(2), np.zeros(4)),
    Lens(np.zeros((3, 3)), np.zeros(4))])
def test_a_lens_that_is_none_is_refused(lens):
    with pytest.raises(InputError, match='lens'):
        input_geometry(EDGE, 346, 260, lens=lens)
