# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import h5py
import numpy as np
import pytest
from h36m_files import sequence_folder, write_images, write_sequence
from hypothesis import HealthCheck, given, settings
from strategies import event_windows

from hybrid_pose_ros.datasets.h36m import find
from hybrid_pose_ros.datasets.h36m_frames import frames_at
from hybrid_pose_ros.datasets.h36m_labels import JOINTS_OF_32, crop_start, event_pixels
from hybrid_pose_ros.errors import InputError, RecordingError
from hybrid_pose_ros.events.event_array import event_array

EVENTS = event_array(500 * np.arange(400), np.arange(400) % 320, np.arange(400) % 256,
                     np.arange(400) % 2)  # of 200 ms
JOINTS = np.tile(np.array([100.0, 50.0]), (11, 13, 1)) + np.arange(13)[:, None]


@pytest.fixture
def folder(tmp_path):
    write_sequence(tmp_path, 'S9', 'Walking 1', 2, EVENTS, JOINTS, milliseconds=200)
    return tmp_path


def load(folder):
    files, = find(folder)
    recording, = files.load()
    return recording


@given(event_windows(width=320, height=256, start_us=0, duration_us=40_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_events_are_those_of_the_file_in_microseconds(tmp_path_factory, events):
    folder = tmp_path_factory.mktemp('h36m')
    write_sequence(folder, 'S1', 'Walking', 0, events, JOINTS, milliseconds=40)
    assert np.array_equal(load(folder).events, events)


def test_labels_are_told_as_ours_are_half_a_pixel_further(folder):
    recording = load(folder)
    assert recording.name == 'S9_Walking_1_cam2'
    assert (recording.width, recording.height) == (320, 256)
    assert recording.labels.t.tolist() == list(range(0, 200_001, 20_000))
    assert np.array_equal(recording.labels.joints_px, (JOINTS + 0.5).astype(np.float32))
    assert np.isnan(recording.labels.joints_mm).all() and recording.camera is None
    clip = recording.labeled()  # in memory whole numbers are the middles of pixels
    assert np.array_equal(clip.joints_px, JOINTS.astype(np.float32)) and clip.visible.all()


@pytest.mark.parametrize('u, v, visible', [
    (-0.4, 0.0, True), (-0.6, 0.0, False), (319.4, 255.4, True), (319.6, 0.0, False),
    (0.0, 255.6, False), (0.0, -0.6, False), (np.nan, 5.0, False)])
def test_a_joint_is_visible_where_its_nearest_pixel_is_in_the_image(tmp_path, u, v, visible):
    joints = JOINTS.copy()
    joints[3, 7] = u, v
    write_sequence(tmp_path, 'S1', 'Eating', 1, EVENTS, joints, milliseconds=200)
    assert load(tmp_path).labels.visible[3, 7] == visible
    assert load(tmp_path).labels.visible.sum() == 11 * 13 - (not visible)


@pytest.mark.parametrize('milliseconds, labels, end_ms', [(200, 11, 200), (150, 11, 150),
                                                          (200, 6, 100)])
def test_a_recording_ends_where_its_events_or_its_labels_do(tmp_path, milliseconds, labels,
                                                            end_ms):
    write_sequence(tmp_path, 'S1', 'Eating', 1, EVENTS, JOINTS[:labels],
                   milliseconds=milliseconds)
    recording = load(tmp_path)
    assert len(recording.events) == 2 * end_ms
    assert recording.labels.t[-1] == 20_000 * (end_ms // 20)


@pytest.mark.parametrize('split, subjects', [('train', ['S1', 'S8']), ('test', ['S9', 'S11']),
                                             ('all', ['S1', 'S8', 'S9', 'S11'])])
def test_the_split_is_by_subject(tmp_path, split, subjects):
    for subject in ('S11', 'S9', 'S8', 'S1'):
        write_sequence(tmp_path, subject, 'Posing', 0, EVENTS, JOINTS, milliseconds=1)
    assert [files.subject for files in find(tmp_path, split)] == subjects


def test_whole_sessions_foreign_folders_and_a_corrupted_action_are_left_out(tmp_path):
    for subject, action in (('S11', 'Directions'), ('S11', 'Directions 1'), ('S9', 'Directions'),
                            ('S9', '_ALL'), ('S9', '_ALL 1')):
        write_sequence(tmp_path, subject, action, 3, EVENTS, JOINTS, milliseconds=1)
    other = sequence_folder(tmp_path, 'S9', 'Posing', 0).with_name('Posing.12345678')
    other.mkdir()
    (other / 'events.h5').touch()
    assert [files.name for files in find(tmp_path)] == ['S9_Directions_cam3',
                                                        'S11_Directions_1_cam3']


def test_a_folder_without_labels_is_refused(tmp_path):
    with pytest.raises(InputError, match='is not Event-Human3.6M: expected labels.h5 in it'):
        find(tmp_path)


@pytest.mark.parametrize('split, text', [
    ('validation', "unknown split 'validation': choose from train, test, all"),
    ('train', 'expected files such as S1/upsample/Walking_1.54138969/events.h5')])
def test_a_split_that_is_not_there_is_refused(folder, split, text):
    with pytest.raises(InputError, match=text):
        find(folder, split)


@pytest.mark.parametrize('of, name, values, text', [
    ('events', 'cam_view', 1, 'cam_view is 1, expected 2, the camera 58860488 of its folder'),
    ('events', 'cam_view', None, 'it lacks cam_view'),
    ('events', 'cam_view', 'two', 'is not a numeric dataset with 0 dim'),
    ('events', 'ms_to_idx', None, 'it lacks ms_to_idx'),
    ('events', 'events/x', np.full(400, 320), r'events/x\[0\] is 320, expected 0 to 319'),
    ('events', 'events/y', np.full(400, 256), r'events/y\[0\] is 256, expected 0 to 255'),
    ('labels', 'S9/Walking 1/cam_view_2', None, 'it lacks S9/Walking 1/cam_view_2'),
    ('labels', 'S9/Walking 1/cam_view_2', np.zeros((11, 13, 2)), r'expected \(11, 2, 13\)'),
    ('labels', 'S9/Walking 1/timestamps_ms', None, 'it lacks S9/Walking 1/timestamps_ms'),
    ('labels', 'S9/Walking 1/timestamps_ms', -np.arange(11), r'must be sorted and >= 0')])
def test_what_is_not_as_laid_down_is_told_with_file_and_key(folder, of, name, values, text):
    path = (folder / 'labels.h5' if of == 'labels' else
            sequence_folder(folder, 'S9', 'Walking 1', 2) / 'events.h5')
    with h5py.File(path, 'a') as file:
        del file[name]
        if values is not None:
            file[name] = values
    with pytest.raises(RecordingError, match=f'{of}.h5.*{text}'):
        load(folder)


@pytest.mark.parametrize('name', ['cam_view', 'events/x', 'ms_to_idx'])
def test_what_is_no_data_where_data_belong_is_damage(folder, name):
    """A type of the name cam_view was an AttributeError: found by fuzzing."""
    with h5py.File(sequence_folder(folder, 'S9', 'Walking 1', 2) / 'events.h5', 'a') as file:
        del file[name]
        file[name] = np.dtype('i4')
    with pytest.raises(RecordingError, match='events.h5 is damaged or not a file with events of'):
        load(folder)


def test_the_joints_of_a_video_become_labels_as_the_paper_makes_them():
    joints = np.stack([np.arange(32.0) * 30 + 40, np.arange(32.0) * 6 + 234], axis=-1)
    labels = event_pixels(joints, (65, 300), 0)  # clamped to 40 and 1002 - 768
    assert np.array_equal(labels, np.array([[10.0 * j, 2.0 * j] for j in JOINTS_OF_32]))
    assert crop_start((65, 300), 1) == (40, 232) and crop_start((31, 15), 2) == (31, 15)


def images_of(shape):
    return np.random.default_rng(3).integers(0, 256, shape, np.uint8)


def test_gray_frames_are_the_images_of_their_times_unscaled(folder):
    images = images_of((4, 256, 320))
    write_images(sequence_folder(folder, 'S9', 'Walking 1', 2), images, (0, 0.0333, 0.1, 0.2))
    files, = find(folder)
    frames = frames_at(files, [0, 100, 200], 'grayscale')
    assert frames.dtype == np.float32 and np.array_equal(frames[:, 0], images[[0, 2, 3]])
    with pytest.raises(RecordingError, match='timestamps.txt has no image at 40 ms'):
        frames_at(files, [40], 'grayscale')


def test_color_frames_are_red_green_blue_from_0_to_1(folder, tmp_path):
    images = images_of((6, 256, 320, 3))
    files, = find(folder)
    videos = tmp_path / 'videos'
    write_images(videos / 'S9' / 'Videos' / files.folder.name, images)
    frames = frames_at(files, [0, 100], 'rgb', videos)
    assert np.allclose(frames.transpose(0, 2, 3, 1) * 255, images[[0, 5]], atol=1e-4)
    for stamp_ms in (10, 120):
        with pytest.raises(RecordingError, match=f'has no image at {stamp_ms} ms'):
            frames_at(files, [stamp_ms], 'rgb', videos)
    with pytest.raises(InputError, match='name the video folder'):
        frames_at(files, [0], 'rgb')


def test_counted_frames_are_the_last_events_before_their_time_in_ten_bins(tmp_path):
    events = event_array(10 * np.arange(20_000), np.arange(20_000) % 320,
                         np.zeros(20_000, int), np.arange(20_000) % 2)
    write_sequence(tmp_path, 'S1', 'Eating', 0, events, JOINTS, milliseconds=200)
    files, = find(tmp_path)
    frames = frames_at(files, [0, 50, 100, 200], 'count')
    assert frames.shape == (4, 20, 256, 320) and frames.dtype == np.float32
    assert frames.sum(axis=(1, 2, 3)).tolist() == [0, 5000, 7500, 7500]
    assert frames[2].sum(axis=(1, 2)).tolist() == [375.0] * 20  # 10 bins, OFF and ON in turns
    assert frames[2, :10, 0, 1::2].sum() == 0  # OFF events are in even columns


@pytest.mark.parametrize('spoil, text', [
    (lambda folder: (folder / 'timestamps.txt').write_text('now'), 'is not a list of times'),
    (lambda folder: (folder / 'timestamps.txt').write_text('0'), 'has 1 times for 2 images'),
    (lambda folder: (folder / 'timestamps.txt').unlink(), 'is not a list of times in seconds'),
    (lambda folder: (folder / 'imgs' / '00000000.png').write_bytes(b'no'),
     'expected an image of 320x256 px, found none')])
def test_images_that_cannot_be_used_are_told(folder, spoil, text):
    place = sequence_folder(folder, 'S9', 'Walking 1', 2)
    write_images(place, images_of((2, 256, 320)), (0, 0.1))
    spoil(place)
    with pytest.raises(RecordingError, match=text):
        frames_at(find(folder)[0], [0], 'grayscale')


def test_frames_of_another_kind_are_refused(folder):
    with pytest.raises(InputError, match="unknown frames 'depth': choose from rgb, grayscale"):
        frames_at(find(folder)[0], [0], 'depth')
