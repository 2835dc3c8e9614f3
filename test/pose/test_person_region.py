# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.pose.person_region import BORDER_PX, PersonRegion
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.tasks.skeleton import JOINTS

WHOLE = input_geometry(preset('edge'), 346, 260)  # 173 x 130 cells of 2 x 2 pixels
SURE = np.full(len(JOINTS), 0.9)


def person(x_px, y_px, width_px, height_px):
    """Return joints on the diagonal of a rectangle around a point, (J, 2)."""
    along = np.linspace(-0.5, 0.5, len(JOINTS))[:, None]
    return np.array([x_px, y_px]) + along * np.array([width_px, height_px])


def test_without_a_person_the_input_is_the_whole_sensor():
    assert PersonRegion(WHOLE).region is None


def test_a_region_is_the_person_times_the_margin_in_the_shape_of_the_input():
    """80 px high and 20 px of border: 100 px, times 1.5 are 150 of 260 rows."""
    follow = PersonRegion(WHOLE)
    follow.update(person(170, 130, 40, 80), SURE, margin=1.5)
    assert follow.region.height == 150
    assert follow.region.width == round(150 * 173 / 130)
    assert abs(follow.region.x + follow.region.width / 2 - 170) <= 1
    assert abs(follow.region.y + follow.region.height / 2 - 130) <= 1


def test_a_cell_is_at_least_a_pixel():
    follow = PersonRegion(WHOLE)
    follow.update(person(170, 130, 10, 30), SURE, margin=1.5)
    assert follow.region[2:] == (173, 130)


def test_a_large_person_is_seen_by_the_whole_sensor():
    """With 20 px of border, 180 rows are 0.69 of 260, 200 are 0.77, and 220 are 0.85."""
    follow = PersonRegion(WHOLE)
    for height, wanted in ((200, None), (180, 180), (200, 180), (220, None), (200, None)):
        follow.update(person(173, 130, 20, height / 1.5 - BORDER_PX), SURE, margin=1.5)
        assert wanted == (follow.region and follow.region.height)


@given(x=st.floats(-20, 366), y=st.floats(-20, 280), size=st.floats(5, 300),
       margin=st.floats(1.1, 4.0))
def test_a_region_is_always_inside_the_sensor(x, y, size, margin):
    follow = PersonRegion(WHOLE)
    follow.update(person(x, y, size, size), SURE, margin=margin)
    left, top, width, height = follow.region or WHOLE.region
    assert left >= 0 and top >= 0 and left + width <= 346 and top + height <= 260
    assert 173 <= width and 130 <= height


def test_a_region_is_kept_while_the_person_moves_a_little():
    follow = PersonRegion(WHOLE)
    follow.update(person(170, 130, 40, 60), SURE, margin=1.5)
    before = follow.region
    follow.update(person(170 + 0.1 * before.width, 130, 40, 60), SURE, margin=1.5)
    assert follow.region == before
    follow.update(person(170 + 0.2 * before.width, 130, 40, 60), SURE, margin=1.5)
    assert follow.region.x > before.x


def test_a_region_grows_when_the_person_comes_closer():
    follow = PersonRegion(WHOLE)
    follow.update(person(170, 130, 40, 80), SURE, margin=1.5)
    before = follow.region
    follow.update(person(170, 130, 40, 1.2 * (80 + BORDER_PX) - BORDER_PX), SURE, margin=1.5)
    assert follow.region == before
    follow.update(person(170, 130, 40, 1.3 * (80 + BORDER_PX) - BORDER_PX), SURE, margin=1.5)
    assert follow.region.width > before.width


def test_an_uncertain_person_is_lost():
    follow = PersonRegion(WHOLE)
    follow.update(person(170, 130, 40, 60), SURE, margin=1.5)
    follow.update(person(170, 130, 40, 60), np.full(len(JOINTS), 0.34), margin=1.5)
    assert follow.region is None


def test_joints_that_are_not_certain_do_not_count_as_the_person():
    joints_px, confidence = person(100, 130, 40, 60), SURE.copy()
    joints_px[0], confidence[0] = (300.0, 250.0), 0.1
    follow, without = PersonRegion(WHOLE), PersonRegion(WHOLE)
    follow.update(joints_px, confidence, margin=1.5)
    joints_px[0] = joints_px[1]
    without.update(joints_px, confidence, margin=1.5)
    assert follow.region == without.region
