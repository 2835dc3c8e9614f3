# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The motion error, on displacements that can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.evaluation.metrics import Truth
from hybrid_pose_ros.evaluation.motion import RIGHT_PX, motion_figures, motion_of

STEP_US = 10_000
STEPS_IN_WINDOW = 3


def truth_of(joints, step=None, counted=True):
    """Return a truth of steps of 10 ms; by default the only initialization is before the first."""
    shape = joints.shape[:2]
    step = np.arange(shape[0]) + 1 if step is None else np.array(step)
    none = np.zeros(shape, bool)
    return Truth(STEP_US * np.arange(shape[0]), joints, np.broadcast_to(counted, shape), none,
                 none, step)


def moving(px_per_step, steps=8, joints=2):
    """Return joints (T, J, 2) that move to the right."""
    x = px_per_step * np.arange(steps, dtype=float)
    return np.stack(np.broadcast_arrays(x[:, None], np.zeros((steps, joints))), axis=-1)


@given(st.floats(-7, 7), st.floats(0, 3))
def test_a_shift_that_stays_is_no_motion_error(shift, speed):
    truth = truth_of(moving(speed))
    motion = motion_of(truth.joints_px + [shift / 2, 0], truth)
    assert motion.error_px == pytest.approx([0, 0], abs=1e-9)
    assert motion.true_px == pytest.approx([STEPS_IN_WINDOW * speed] * 2)


def test_poses_that_do_not_move_have_the_error_of_zero_motion():
    truth = truth_of(moving(1.0))
    figures = motion_figures([motion_of(np.zeros_like(truth.joints_px), truth)])
    assert figures['medium'] == {'error_px': 3.0, 'zero_motion_px': 3.0,
                                 'standard_error_px': None, 'displacements': 2}
    assert figures['moving'] == figures['all'] == figures['medium']
    assert figures['rest']['displacements'] == 0 and figures['rest']['error_px'] is None


def test_half_of_the_motion_is_half_of_the_error():
    truth = truth_of(moving(2.0))
    motion = motion_of(moving(1.0), truth)
    assert motion.true_px == pytest.approx([6, 6]) and motion.error_px == pytest.approx([3, 3])


def test_only_joints_that_start_right_and_are_counted_are_followed():
    truth = truth_of(moving(1.0), counted=np.array([True, False]))
    assert len(motion_of(truth.joints_px, truth).error_px) == 1
    everywhere = truth_of(moving(1.0))
    found = everywhere.joints_px + np.array([[RIGHT_PX + 0.1, 0], [RIGHT_PX, 0]])
    assert len(motion_of(found, everywhere).error_px) == 1
    assert not len(motion_of(np.full_like(found, np.nan), everywhere).error_px)


def test_a_window_with_another_initialization_in_it_is_left_out():
    """Of the windows from steps 0, 2 and 5 only the last is complete and undisturbed."""
    truth = truth_of(moving(1.0, steps=9, joints=1), step=[1, 2, 1, 2, 3, 1, 2, 3, 4])
    assert len(motion_of(truth.joints_px, truth).true_px) == 1
    short = truth_of(moving(1.0, steps=3))
    assert not len(motion_of(short.joints_px, short).true_px)


def test_the_standard_error_is_that_of_the_means_of_recordings():
    truth = truth_of(moving(1.0))
    recordings = [motion_of(truth.joints_px * factor, truth) for factor in (0.0, 1.0)]
    figures = motion_figures(recordings)['all']
    assert figures['error_px'] == 1.5 and figures['standard_error_px'] == 1.5
