# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The teacher process, most of the time a fake one."""

import os

import fake_teachers
import numpy as np
import pytest
from fake_teachers import teacher
from rendered_videos import film

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.footage.teacher import (
    VARIABLE, WEIGHTS, Teacher, joints_of_landmarks, teacher_python)
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.simulation.scene_settings import OFFICE
from hybrid_pose_ros.tasks.skeleton import JOINTS, MIRRORED

IMAGE = np.zeros((40, 100, 3), np.uint8)


def joint(name):
    return JOINTS.index(name)


def test_every_joint_is_a_mean_of_landmarks():
    assert np.allclose(WEIGHTS.sum(axis=1), 1)


def test_the_mirror_image_of_the_landmarks_is_that_of_the_joints():
    """Landmarks come in pairs, left before right, after the nose."""
    mirrored = [0, 4, 5, 6, 1, 2, 3, *(index + (1 if index % 2 else -1) for index in range(7, 33))]
    assert np.array_equal(WEIGHTS[:, mirrored], WEIGHTS[list(MIRRORED)])


def test_joints_of_low_visibility_are_unknown():
    landmarks = np.ones((33, 3))
    landmarks[[14, 16], 2] = 0.49, 0.5  # the right elbow, and the wrist, half of the hand
    joints = joints_of_landmarks(landmarks)
    assert np.isnan(joints[joint('elbowR')]).all() and np.isfinite(joints[joint('handR')]).all()


def test_a_teacher_answers_each_frame(tmp_path):
    with Teacher(teacher(tmp_path / 'python')) as process:
        assert process.name == 'fake'
        for _ in range(3):
            joints = process.joints(IMAGE)
    assert np.isnan(joints[joint('handL')]).all()  # half of its visibility is the wrist's
    assert joints[joint('kneeR')] == pytest.approx([56, 20])  # landmark 26


def test_a_large_frame_is_reduced_and_its_joints_are_not(tmp_path):
    with Teacher(teacher(tmp_path / 'python')) as process:
        joints = process.joints(np.zeros((1600, 4000, 3), np.uint8))
    assert joints[joint('kneeR')] == pytest.approx([0.56 * 4000, 800])


def test_a_frame_without_a_person_has_no_known_joint(tmp_path):
    with Teacher(teacher(tmp_path / 'python', fake_teachers.SEES_NOBODY)) as process:
        assert np.isnan(process.joints(IMAGE)).all()


@pytest.mark.parametrize('source, message', [
    (fake_teachers.LACKS_MEDIAPIPE, "No module named 'mediapipe_is_not_installed'"),
    (fake_teachers.BABBLES, "answered b'hello")])
def test_a_teacher_that_is_not_installed_is_one_line_with_the_remedy(tmp_path, source, message):
    with pytest.raises(InputError, match=f'{message}.*pip install mediapipe==') as error:
        Teacher(teacher(tmp_path / 'python', source))
    assert '\n' not in str(error.value)


def test_an_interpreter_that_is_missing_is_one_line_with_the_remedy():
    with pytest.raises(InputError, match='nowhere/python cannot be started .*pip install'):
        Teacher('nowhere/python')


def test_a_teacher_that_dies_is_one_line_with_its_last_words(tmp_path):
    with Teacher(teacher(tmp_path / 'python', fake_teachers.DIES)) as process:
        with pytest.raises(InputError, match='^the teacher failed: out of memory$'):
            process.joints(IMAGE)


def test_the_command_line_goes_before_the_environment():
    assert teacher_python('a', {VARIABLE: 'b'}) == 'a'
    assert teacher_python(None, {VARIABLE: 'b'}) == 'b'
    with pytest.raises(InputError, match='no teacher for the labels: create its environment'):
        teacher_python(None, {})


@pytest.mark.slow
def test_mediapipe_finds_a_rendered_person():
    """It has no face, so left and right may be exchanged. The torso is 45 px long."""
    if VARIABLE not in os.environ:
        pytest.skip(f'{VARIABLE} names no environment with MediaPipe')
    images, _, truth = film(GeneratedMotion(0, ('wave',)), OFFICE, fps=30, duration_s=0.5)
    with Teacher(os.environ[VARIABLE]) as process:
        found = np.array([process.joints(np.stack(3 * [image], axis=-1)) for image in images])
    errors = [np.linalg.norm(found[:, order] - truth, axis=-1) / 2
              for order in (list(range(13)), list(MIRRORED))]
    assert np.isfinite(found).mean() > 0.8
    assert min(np.nanmedian(error) for error in errors) < 5.0
