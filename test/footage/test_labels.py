# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels of frames."""

import numpy as np
import pytest

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.footage.labels import FrameLabels, label_frames, smoothed
from hybrid_pose_ros.footage.video import Frame

TIMES_US = 33_333 * np.arange(9)


def labels(values, times_us=TIMES_US):
    """Return labels whose joints all have these coordinates."""
    values = np.asarray(values, float)
    return FrameLabels(times_us, np.tile(values[:, None, None], (1, 13, 2)))


def test_uniform_motion_stays_as_it_is():
    assert np.allclose(smoothed(labels(3.0 * np.arange(9)))[:, 0, 0], 3.0 * np.arange(9))


def test_a_single_mistake_is_removed():
    values = np.zeros(9)
    values[4] = 30.0
    assert not smoothed(labels(values)).any()


def test_jitter_is_reduced():
    values = np.random.default_rng(0).normal(size=(200, 13, 2))
    noisy = FrameLabels(33_333 * np.arange(200), values)
    assert smoothed(noisy).std() < 0.65 * values.std()


def test_unknown_joints_stay_unknown_and_hurt_no_other():
    values = np.arange(9.0)
    values[4] = np.nan
    result = smoothed(labels(values))[:, 0, 0]
    assert np.flatnonzero(np.isnan(result)).tolist() == [4]
    assert np.allclose(np.delete(result, 4), np.delete(values, 4))


def test_frames_far_apart_are_not_smoothed():
    values = np.random.default_rng(0).normal(size=9)
    slow = labels(values, 150_000 * np.arange(9))
    assert np.array_equal(smoothed(slow), slow.joints_px)


@pytest.mark.parametrize('count', [1, 2, 3, 4, 5])
def test_a_few_frames_are_enough(count):
    assert smoothed(labels(np.arange(count), TIMES_US[:count]))[:, 0, 0].tolist() == list(
        range(count))


def frames(count=3):
    return [Frame(40_000 * number, np.zeros((4, 4, 3), np.uint8)) for number in range(count)]


def test_each_frame_is_labeled_at_its_time():
    found = label_frames(frames(), lambda image: np.ones((13, 2)), source='v')
    assert found.t.tolist() == [0, 40_000, 80_000] and found.known_share == 1.0


def test_a_video_without_a_person_is_one_line():
    with pytest.raises(InputError, match='^v shows nobody: the teacher found no person in its 3'):
        label_frames(frames(), lambda image: np.full((13, 2), np.nan), source='v')
