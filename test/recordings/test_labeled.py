# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels between and at the times of a recording's own."""

import errno

import h5py
import numpy as np
import pytest

from hybrid_pose_ros.errors import InputError, RecordingError
from hybrid_pose_ros.events.event_array import event_array, no_events
from hybrid_pose_ros.recordings.hdf5 import Labels
from hybrid_pose_ros.recordings.labeled import LabeledRecording, labeled, load_labeled

LABEL_US = np.array([0, 10_000, 20_000, 30_000, 40_000])
VISIBLE = np.array([True, False, True, True, False])


def recording(visible=VISIBLE, occluded=~VISIBLE):
    """Return a recording whose joints move 1 px a millisecond, all of them alike."""
    joints = np.zeros((5, 13, 2), np.float32) + np.arange(0, 50, 10)[:, None, None]
    return LabeledRecording('five', 64, 48, no_events(), LABEL_US, joints,
                            np.tile(visible[:, None], 13), np.tile(occluded[:, None], 13))


def test_a_recording_that_this_user_may_not_read_is_named_without_flags_of_hdf5(monkeypatch,
                                                                                tmp_path):
    """Root may read everything, so the library's answer is that of another user."""
    def refuse(path):
        raise PermissionError(errno.EACCES, "Unable to determine ... errno = 13, o_flags = 0")

    (tmp_path / 'a.h5').touch()
    monkeypatch.setattr(h5py, 'is_hdf5', refuse)
    with pytest.raises(RecordingError, match='a.h5 cannot be read: Permission denied$'):
        load_labeled(tmp_path / 'a.h5')


def test_at_the_time_of_a_label_only_that_label_counts():
    """A joint that reappears is visible at its first label already."""
    joints, visible, occluded = recording().joints_at(LABEL_US)
    assert visible[:, 0].tolist() == VISIBLE.tolist()
    assert occluded[:, 0].tolist() == (~VISIBLE).tolist()
    assert joints[:, 0, 0].tolist() == [0, 10, 20, 30, 40]


@pytest.mark.parametrize('at_us, expected', [(1, False), (9_999, False), (19_999, False),
                                             (20_001, True), (29_999, True), (30_001, False)])
def test_between_labels_a_joint_is_visible_if_it_is_in_both(at_us, expected):
    joints, visible, occluded = recording().joints_at(np.array([at_us]))
    assert visible.all() == visible.any() == expected
    assert occluded.all() == occluded.any() == (not expected)
    assert joints[0, 0, 0] == pytest.approx(1e-3 * at_us)


@pytest.mark.parametrize('at_us, expected', [
    (0, True), (5_000, False), (10_000, False), (15_000, False), (20_000, True), (35_000, True)])
def test_a_joint_is_known_if_it_is_in_both_labels_inside_the_image_or_not(at_us, expected):
    """The second label is NaN; the last one is outside of the image."""
    clip = recording()
    clip.joints_px[1] = np.nan
    known, (joints, visible, _) = (method(np.array([at_us])) for method in (
        clip.known_at, clip.joints_at))
    assert known.all() == known.any() == expected
    assert np.isfinite(joints).all() and not (visible & ~known).any()


def test_the_label_beside_an_unknown_one_keeps_its_place():
    clip = recording()
    clip.joints_px[1] = np.nan
    assert clip.joints_at(np.array([20_000]))[0][0, 0, 0] == 20


def test_unknown_joints_of_a_file_stay_unknown():
    joints = np.full((2, 13, 2), 5.0)
    joints[:, 4] = np.nan
    labels = Labels(np.array([0, 1000]), joints, np.zeros((2, 13, 3)), np.ones((2, 13), bool))
    clip = labeled('one', 64, 48, no_events(), labels, source='one')
    assert np.flatnonzero(~clip.known_at(np.array([500]))[0]).tolist() == [4]
    assert np.flatnonzero(~clip.visible[0]).tolist() == [4]


def test_outside_the_labels_the_nearest_one_counts():
    joints, visible, _ = recording().joints_at(np.array([-5_000, 45_000]))
    assert visible[:, 0].tolist() == [True, False] and joints[:, 0, 0].tolist() == [0, 40]


@pytest.mark.parametrize('shift_us', [-1_000_000, 1_000_000])
def test_labels_on_another_clock_than_the_events_are_refused(shift_us):
    labels = Labels(LABEL_US + shift_us, np.ones((5, 13, 2), np.float32),
                    np.ones((5, 13, 3), np.float32), np.ones((5, 13), bool))
    events = event_array([0, 40_000], [1, 1], [1, 1], [1, 1])
    with pytest.raises(InputError, match='expected both on one clock'):
        labeled('five', 64, 48, events, labels, source='five.h5')
