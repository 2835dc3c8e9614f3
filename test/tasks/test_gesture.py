# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hybrid_pose_ros.simulation.motions import ACTIVITIES
from hybrid_pose_ros.tasks.gesture import GESTURES, Gesture, probabilities


def test_every_gesture_is_a_motion_of_the_simulator():
    assert set(GESTURES) <= set(ACTIVITIES) and len(set(GESTURES)) == len(GESTURES)


@given(arrays.arrays(np.float32, (3, 4, len(GESTURES)), elements=st.floats(-50, 50, width=32)),
       st.floats(-50, 50))
def test_probabilities_sum_to_1_and_do_not_change_with_all_maps(maps, more):
    found = probabilities(maps)
    assert found.sum() == pytest.approx(1, abs=1e-5) and (found >= 0).all()
    np.testing.assert_allclose(probabilities(maps + np.float32(more)), found, atol=1e-4)


def test_the_gesture_whose_map_is_high_anywhere_is_the_likeliest():
    maps = np.zeros((3, 4, 16), np.float32)
    maps[2, 1, 2] = 12
    maps[..., 12] = 99  # channels beyond the gestures only pad
    gesture = Gesture(5, probabilities(maps))
    assert gesture.name == GESTURES[2] and gesture.confidence > 0.99


def test_maps_without_a_finite_value_say_nothing():
    np.testing.assert_allclose(probabilities(np.full((2, 2, 8), np.nan)), 1 / len(GESTURES))
