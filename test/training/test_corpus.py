# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings with labels, read for training."""

import numpy as np
import pytest

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.recordings.hdf5 import Hdf5Writer
from hybrid_pose_ros.recordings.labeled import load_labeled
from hybrid_pose_ros.training.corpus import load_clips, split


def record(path, *, labels=True, width=64):
    """Write a recording of two events; its joints go from 10 to 20 px in 2 ms, one is hidden."""
    joints = np.zeros((2, 13, 2), np.float32) + [[[10.0]], [[20.0]]]
    visible = np.ones((2, 13), bool)
    visible[1, 3] = False
    with Hdf5Writer(path, width=width, height=48) as writer:
        writer.append(event_array([100, 1900], [1, 2], [3, 4], [0, 1]))
        if labels:
            writer.append_labels([0, 2000], joints, np.zeros((2, 13, 3)), visible)
    return path


def test_labels_count_from_the_centers_of_pixels(tmp_path):
    clip = load_labeled(record(tmp_path / 'r.h5'))
    assert clip.joints_px[0, 0].tolist() == [9.5, 9.5]


def test_joints_between_labels_lie_on_a_straight_line(tmp_path):
    joints, *_ = load_labeled(record(tmp_path / 'r.h5')).joints_at(np.array([500, 2000]))
    assert joints[:, 0, 0].tolist() == [12.0, 19.5]


def test_a_joint_is_visible_only_between_two_labels_that_say_so(tmp_path):
    _, visible, _ = load_labeled(record(tmp_path / 'r.h5')).joints_at(np.array([500]))
    assert visible[0].sum() == 12 and not visible[0, 3]


def test_a_window_includes_its_start_and_not_its_end(tmp_path):
    clip = load_labeled(record(tmp_path / 'r.h5'))
    assert len(clip.events_between(100, 1900)) == 1


def test_a_recording_without_labels_is_refused(tmp_path):
    record(tmp_path / 'r.h5', labels=False)
    with pytest.raises(InputError, match='no labels'):
        load_clips(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match='no recordings'):
        load_clips(tmp_path)


def test_sensors_of_two_sizes_are_refused(tmp_path):
    record(tmp_path / 'a.h5')
    record(tmp_path / 'b.h5', width=80)
    with pytest.raises(InputError, match='several sensor sizes'):
        load_clips(tmp_path)


def names(folder, *given):
    """Make empty files; return the folder."""
    for name in given:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return folder


def test_folders_of_a_data_set_are_its_parts(tmp_path):
    parts = split(names(tmp_path, 'train/S14_a.h5', 'test/b.h5', 'c.h5'))
    assert [path.name for path in parts.train + parts.test] == ['S14_a.h5', 'b.h5']


def test_subjects_13_to_17_are_for_the_test_as_in_the_paper(tmp_path):
    folder = names(tmp_path, *(f'S{subject}_session1_mov1.h5' for subject in (1, 12, 13, 17)))
    parts = split(folder)
    assert [path.name[:3] for path in parts.train] == ['S12', 'S1_']
    assert [path.name[:3] for path in parts.test] == ['S13', 'S17']
    assert len(split(folder, test_subjects=[1]).train) == 3


def test_without_subjects_the_last_fifth_is_for_the_test(tmp_path):
    parts = split(names(tmp_path, *(f'clip_{number:02}.h5' for number in range(10))))
    assert [path.name for path in parts.test] == ['clip_08.h5', 'clip_09.h5']
    assert len(parts.train) == 8 and parts.rule.startswith('the last 2 of 10')


@pytest.mark.parametrize('name, fault', [('S1_a.h5', 'no recordings to test on'),
                                         ('S13_a.h5', 'no recordings to train on')])
def test_a_data_set_of_one_part_is_refused(name, fault, tmp_path):
    with pytest.raises(InputError, match=fault):
        split(names(tmp_path, name))
