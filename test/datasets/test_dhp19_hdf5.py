# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import shutil

import h5py
import numpy as np
import pytest
from dhp19_files import poses_mm, steady_events, write_hdf5_form
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import event_windows

from hybrid_pose_ros.datasets.dataset_recording import write
from hybrid_pose_ros.datasets.dhp19 import RecordingName, find
from hybrid_pose_ros.errors import InputError, RecordingError
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.labeled import load_labeled

NAME = 'S1_session2_mov3'
EVENTS = steady_events(200)  # of 100 ms


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a recording of channel 3."""
    write_hdf5_form(tmp_path, NAME, {3: EVENTS}, poses_mm(10), milliseconds=100)
    return tmp_path


def load(folder, channel=3):
    files, = find(folder)
    recording, = files.load([channel])
    return recording


def spoil(folder, name, values, of='events'):
    """Put other values at a name of the recording's file of events or labels."""
    with h5py.File(folder / f'{NAME}_{of}.h5', 'a') as file:
        del file[name]
        if values is not None:
            file[name] = values


@given(event_windows(width=346, height=260, start_us=0, duration_us=20_000),
       st.sampled_from([np.int64, np.uint16, np.float64, np.uint32]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_events_are_those_of_the_file_counted_from_zero(tmp_path, events, kind):
    write_hdf5_form(tmp_path, NAME, {0: events}, poses_mm(2), milliseconds=20, kind=kind)
    assert np.array_equal(load(tmp_path, 0).events, events)


def test_labels_are_the_poses_in_the_channels_image(folder):
    recording = load(folder)
    assert recording.name == f'{NAME}_cam3' and (recording.width, recording.height) == (346, 260)
    assert recording.labels.t.tolist() == list(range(0, 100_000, 10_000))
    assert np.allclose(recording.labels.joints_mm, poses_mm(10))
    assert np.allclose(recording.labels.joints_px[0, 0], (159.145, 125.014), atol=6e-4)


@pytest.mark.parametrize('milliseconds, labels, end_us', [(100, 10, 100_000), (47, 10, 47_000),
                                                          (100, 6, 60_000)])
def test_a_recording_ends_where_its_events_or_its_labels_do(tmp_path, milliseconds, labels,
                                                            end_us):
    write_hdf5_form(tmp_path, NAME, {3: EVENTS}, poses_mm(labels), milliseconds=milliseconds)
    recording = load(tmp_path)
    assert len(recording.events) == end_us / 500 and (recording.events['t'] < end_us).all()
    assert recording.labels.t[-1] == end_us // 10_000 * 10_000 - 10_000  # of whole 10 ms only


def test_our_form_of_a_recording_is_read_back(folder, tmp_path):
    recording = load(folder)
    write(recording, tmp_path / 'ours.h5', 'dhp19')
    file = open_recording(tmp_path / 'ours.h5')
    assert file.encoding == 'dhp19' and np.array_equal(file.events(), recording.events)
    for stored, original in ((file.labels(), recording.labels), (file.camera, recording.camera)):
        assert all(np.array_equal(a, b) for a, b in zip(stored, original))
    direct, read = recording.labeled(), load_labeled(tmp_path / 'ours.h5')
    assert all(np.array_equal(a, b) for a, b in zip(direct[1:], read[1:]))


def test_a_file_that_cannot_be_written_leaves_nothing(folder, tmp_path):
    (tmp_path / 'ours.h5').mkdir()
    with pytest.raises(RecordingError, match='ours.h5 cannot be written'):
        write(load(folder), tmp_path / 'ours.h5', 'dhp19')
    assert not (tmp_path / 'ours.h5.partial').exists()


def test_a_disk_without_room_for_a_recording_is_told_before_it_is_full(folder, tmp_path,
                                                                        monkeypatch):
    """On a full one the HDF5 library crashes."""
    recording = load(folder)
    usage = shutil.disk_usage(tmp_path)._replace(free=(32 << 20) + recording.events.nbytes - 1)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage)
    with pytest.raises(RecordingError, match='ours.h5 cannot be written: the disk has 32 MiB'):
        write(recording, tmp_path / 'ours.h5', 'dhp19')
    assert not list(tmp_path.glob('ours*'))


@pytest.mark.parametrize('split, subjects', [('train', [1, 12]), ('test', [13, 17]),
                                             ('all', [1, 12, 13, 17])])
def test_the_split_is_by_subject(tmp_path, split, subjects):
    for subject in (17, 13, 12, 1):
        write_hdf5_form(tmp_path, f'S{subject}_session1_mov1', {}, poses_mm(1), milliseconds=1)
    assert [files.name.subject for files in find(tmp_path, split)] == subjects


def test_recordings_are_in_the_order_of_their_numbers(tmp_path):
    for name in ('S10_session1_mov1', 'S2_session5_mov7', 'S2_session1_mov8'):
        write_hdf5_form(tmp_path, name, {}, poses_mm(1), milliseconds=1)
    assert [str(files.name) for files in find(tmp_path)] == [
        'S2_session1_mov8', 'S2_session5_mov7', 'S10_session1_mov1']


def test_the_dataset_has_17_times_33_recordings():
    assert sum(RecordingName(subject, session, movement).known for subject in range(20)
               for session in range(8) for movement in range(10)) == 17 * 33


@pytest.mark.parametrize('name', ['S18_session1_mov1', 'S1_session2_mov7', 'S1_session6_mov1',
                                  'S1_session1_mov1_old'])
def test_files_that_are_no_recordings_of_the_dataset_are_left_out(folder, name):
    (folder / f'{name}_events.h5').touch()
    assert len(find(folder)) == 1


@pytest.mark.parametrize('split, text', [
    ('validation', "unknown split 'validation': choose from train, test, all"),
    ('test', 'no recordings of the split test: its subjects are \\[1\\]')])
def test_a_split_that_is_not_there_is_refused(folder, split, text):
    with pytest.raises(InputError, match=text):
        find(folder, split)


def test_a_folder_without_recordings_is_refused_by_what_was_expected(tmp_path):
    with pytest.raises(InputError, match='expected files such as S1_session1_mov1_events.h5'):
        find(tmp_path)


def test_missing_labels_are_named(folder):
    (folder / f'{NAME}_events_label.h5').unlink()
    with pytest.raises(InputError, match=f'contains no labels: expected {NAME}_events_label.h5'):
        find(folder)


@pytest.mark.parametrize('of, name, values, text', [
    ('events', 'cam3_events/p', None, 'it lacks cam3_events/p'),
    ('events', 'cam3_ms_to_idx', None, 'it lacks cam3_ms_to_idx'),
    ('events_label', 'XYZ/timestamps', 10**6 + np.arange(10),
     'has no labels within the recording'),
    ('events', 'cam3_ms_to_idx', [3, 2], 'cam3_ms_to_idx is not a valid index of 200 events'),
    ('events', 'cam3_ms_to_idx', [201], 'cam3_ms_to_idx is not a valid index of 200 events'),
    ('events', 'cam3_events/x', np.zeros(200), r'cam3_events/x\[0\] is 0, expected 1 to 346'),
    ('events', 'cam3_events/y', np.full(200, 261), r'cam3_events/y\[0\] is 261, expected 1 to'),
    ('events', 'cam3_events/p', np.full(200, -1), r'cam3_events/p\[0\] is -1, expected 0 to 1'),
    ('events', 'cam3_events/x', np.full(200, 1.5), r'x\[0\] is 1.5, expected a whole number'),
    ('events', 'cam3_events/t', np.full(200, np.nan), r't\[0\] is nan, expected a whole number'),
    ('events', 'cam3_events/t', np.arange(200)[::-1],
     r't must be sorted and >= 0, but \[1\] = 198 follows \[0\] = 199'),
    ('events', 'cam3_events/t', np.arange(-1, 199), r't must be sorted.*, but \[0\] = -1'),
    ('events', 'cam3_events/t', np.arange(199), 'have different lengths'),
    ('events', 'cam3_events/t', np.zeros((200, 1)), 'is not a numeric dataset with 1 dim'),
    ('events_label', 'XYZ/timestamps', None, 'it lacks XYZ/timestamps'),
    ('events_label', 'XYZ/timestamps', [0], r'expected \(1, 3, 13\)'),
    ('events_label', 'XYZ/3d_poses', np.zeros((10, 13, 3)), r'expected \(10, 3, 13\)')])
def test_what_is_not_as_laid_down_is_told_with_file_and_key(folder, of, name, values, text):
    spoil(folder, name, values, of)
    with pytest.raises(RecordingError, match=f'{NAME}_{of}.h5.*{text}'):
        load(folder)


def test_a_channel_that_the_file_does_not_have_is_refused(folder):
    with pytest.raises(RecordingError, match='it lacks cam1_events/t'):
        load(folder, 1)


def test_a_file_that_is_no_hdf5_is_refused(folder):
    (folder / f'{NAME}_events.h5').write_bytes(b'no')
    with pytest.raises(RecordingError, match='is damaged or not a DHP19 event file'):
        load(folder)
