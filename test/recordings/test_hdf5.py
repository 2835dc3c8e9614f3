# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import event_windows, pieces

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.recordings import hdf5
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.hdf5 import CameraPose, Hdf5Writer, Labels

EVENTS = event_array([1500, 1500, 3999, 4000], [0, 1, 2, 345], [0, 0, 0, 259], [0, 1, 0, 1])
CAMERA = CameraPose(np.diag([340.0, 340.0, 1.0]), np.eye(3), np.array([0.0, 1.0, 3.0]))


def write(path, *parts, start_us=None, camera=None):
    with Hdf5Writer(path, width=346, height=260, start_us=start_us, camera=camera) as writer:
        for part in parts:
            writer.append(part)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'a.h5'


@given(event_windows(width=346, height=260, start_us=10**15, duration_us=9000), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_events_written_in_any_pieces_are_read_back(path, monkeypatch, events, data):
    monkeypatch.setattr(hdf5, 'PIECE_EVENTS', 7)
    write(path, *(events[piece] for piece in data.draw(pieces(len(events)))))
    recording = open_recording(path)
    assert (recording.width, recording.height) == (346, 260)
    assert np.array_equal(recording.events(), events)


@given(event_windows(width=346, height=260, start_us=5000, duration_us=9000), st.data(),
       st.sampled_from([None, 0]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ms_to_idx_finds_the_first_event_of_each_millisecond(path, events, data, start_us):
    write(path, *(events[piece] for piece in data.draw(pieces(len(events)))), start_us=start_us)
    with h5py.File(path) as file:
        index, start_ms = file['ms_to_idx'][:], file['ms_to_idx'].attrs['start_ms']
    if len(events):
        assert start_ms == (events['t'][0] // 1000 if start_us is None else 0)
        assert len(index) == events['t'][-1] // 1000 - start_ms + 1
    for offset, first in enumerate(index):
        assert first == np.searchsorted(events['t'], (start_ms + offset) * 1000)


def test_labels_and_camera_are_read_back(path):
    labels = Labels(np.array([0, 1000]), np.ones((2, 13, 2)), np.full((2, 13, 3), 2.0),
                    np.zeros((2, 13), bool))
    with Hdf5Writer(path, width=346, height=260, encoding='simulated', camera=CAMERA) as writer:
        writer.append(EVENTS)
        for row in (slice(0, 1), slice(1, 2)):
            writer.append_labels(*(values[row] for values in labels),
                                 occluded=labels.visible[row])
    recording = open_recording(path)
    assert recording.encoding == 'simulated'
    for stored, original in ((recording.labels(), labels), (recording.camera, CAMERA)):
        assert all(np.array_equal(a, b) for a, b in zip(stored, original))
    with h5py.File(path) as file:
        assert file['labels/occluded'].shape == (2, 13)


def test_a_recording_may_have_neither_labels_nor_camera(path):
    recording = open_recording(write(path, EVENTS))
    assert recording.labels() is None and recording.camera is None


def test_other_hdf5_files_are_refused_by_what_they_lack(path):
    with h5py.File(path, 'w') as file:
        file['events/t'] = file['events/x'] = [1]
    with pytest.raises(RecordingError, match='it lacks events/y, events/p, width, height'):
        open_recording(path)


def test_fields_of_different_lengths_are_refused(path):
    write(path, EVENTS)
    with h5py.File(path, 'a') as file:
        file['events/p'].resize(3, axis=0)
    with pytest.raises(RecordingError, match='events/t, x, y and p have different lengths'):
        open_recording(path)


def test_events_outside_the_sensor_are_refused(path):
    write(path, event_array([5], [346], [0], [1]))
    with pytest.raises(RecordingError, match=r'events/x\[0\] is 346, .* from 0 to 345'):
        open_recording(path).events()


def test_a_file_that_is_cut_short_says_so(path):
    write(path, EVENTS)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(RecordingError, match='a.h5 is damaged'):
        open_recording(path)


def test_a_file_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(RecordingError, match='a.h5 cannot be written'):
        Hdf5Writer(tmp_path / 'missing' / 'a.h5', width=346, height=260)


def spoil(path, change):
    with h5py.File(write(path, EVENTS), 'a') as file:
        change(file)
    with pytest.raises(RecordingError, match='is damaged'):
        open_recording(path).events()


def replace(name, values):
    def change(file):
        del file[name]
        file[name] = values
    return change


@pytest.mark.parametrize('change', [
    lambda file: file.attrs.update(width='wide'), lambda file: file.attrs.update(width=[346, 346]),
    lambda file: file.attrs.update(height=h5py.Empty('i8')),
    replace('events/t', ['a', 'b', 'c', 'd']), replace('events/x', np.zeros((4, 2))),
    replace('events/y', np.zeros(4, [('a', 'i4')])), replace('events/p', 1),
    lambda file: (file.pop('events/t'), file.create_group('events/t'))])
def test_values_of_another_form_are_a_damaged_file(path, change):
    """They were TypeError or ValueError, some of NumPy's, some only with the first piece."""
    spoil(path, change)


def test_a_damaged_tree_of_names_is_a_damaged_file(path):
    """h5py tells it by a RuntimeError."""
    content = write(path, EVENTS).read_bytes()
    path.write_bytes(content.replace(b'SNOD', b'DONS'))
    with pytest.raises(RecordingError, match='is damaged'):
        open_recording(path)


def test_a_length_that_no_file_of_that_size_can_hold_is_refused(path):
    """2^50 events were read, a quarter of a million of zeros at a time: years."""
    spoil(path, lambda file: [file[f'events/{name}'].resize(2**50, axis=0)
                              for name in ('t', 'x', 'y', 'p')])


def test_text_of_variable_length_is_not_read(path):
    """Where its place in a file is damaged HDF5 2.0 never returns; our older files have it."""
    with h5py.File(write(path, EVENTS), 'a') as file:
        assert file.attrs.get_id('encoding').dtype.kind == 'S'
        file.attrs['encoding'] = 'simulated'
    assert open_recording(path).encoding == 'hdf5'


def replaced(path, name, values, **options):
    """Write EVENTS with ten labels of 13 joints, and other values at one name."""
    with Hdf5Writer(path, width=346, height=260) as writer:
        writer.append(EVENTS)
        writer.append_labels(1000 * np.arange(10), np.ones((10, 13, 2)), np.ones((10, 13, 3)),
                             np.ones((10, 13)), occluded=np.zeros((10, 13), bool))
    with h5py.File(path, 'a') as file:
        del file[name]
        file.create_dataset(name, data=values, **options)
    return open_recording(path)


@pytest.mark.parametrize('field, values, words', [
    ('t', EVENTS['t'] * 1e-6, r'events/t\[0\] is 0.0015, expected a whole number'),
    ('t', [1500.0, 1500.0, np.nan, 4000.0], r'events/t\[2\] is nan'),
    ('t', np.array([1, 2, 3, 2**63 + 5], np.uint64), r'events/t\[3\] is 9223372036854775813'),
    ('x', np.array([65541, 1, 2, 3], np.uint32), r'events/x\[0\] is 65541, .* from 0 to 345'),
    ('x', [0.0, 1.0, 2.5, 3.0], r'events/x\[2\] is 2.5'),
    ('y', [0, 0, -1, 0], r'events/y\[2\] is -1, expected a whole number from 0 to 259'),
    ('p', [1, 1, -1, 1], r'events/p\[2\] is -1, expected a whole number from 0 to 1'),
    ('p', np.array([1, 1, 2**32 - 1, 1], np.uint32), r'events/p\[2\] is 4294967295'),
    ('t', [0, 1, 100_000, 1_000], r't\[3\] = 1000 us comes after 100000 us: .* sort them')])
def test_a_value_that_a_cast_would_change_is_refused(path, field, values, words):
    """Seconds as floats became 0, column 65541 became 5."""
    with pytest.raises(RecordingError, match=words):
        replaced(path, f'events/{field}', values).events()


@pytest.mark.parametrize('kind', [np.uint16, np.int32, np.float32, np.float64, '>i8'])
def test_whole_numbers_of_any_type_are_read(path, kind):
    assert np.array_equal(replaced(path, 'events/t', EVENTS['t'].astype(kind)).events(), EVENTS)


@pytest.mark.parametrize('compression', ['Blosc', 'Zstd', 'LZ4'])
def test_files_compressed_by_common_filters_are_read(path, compression):
    hdf5plugin = pytest.importorskip('hdf5plugin')
    recording = replaced(path, 'events/t', EVENTS['t'], chunks=(4,),
                         compression=getattr(hdf5plugin, compression)())
    assert np.array_equal(recording.events(), EVENTS)


def test_a_filter_that_is_not_installed_is_named(path, monkeypatch):
    monkeypatch.setattr('h5py.h5z.filter_avail', lambda code: False)
    with pytest.raises(RecordingError, match='lzf .*is not installed: pip install hdf5plugin'):
        replaced(path, 'events/t', EVENTS['t'], chunks=(4,), compression='lzf')


@pytest.mark.parametrize('name, values, words', [
    ('joints_px', np.ones((10, 17, 2)), r'shape \(10, 17, 2\), expected \(10, 13, 2\)'),
    ('joints_px', np.ones((10, 13, 3)), r'shape \(10, 13, 3\), expected \(10, 13, 2\)'),
    ('joints_mm', np.ones((9, 13, 3)), r'shape \(9, 13, 3\), expected \(10, 13, 3\)'),
    ('visible', np.ones((10, 12)), r'shape \(10, 12\), expected \(10, 13\)'),
    ('visible', np.full((10, 13), 255, np.uint8), r'labels/visible\[0\] is 255, .* from 0 to 1'),
    ('visible', np.full((10, 13), 0.5), r'labels/visible\[0\] is 0.5'),
    ('t', [np.nan, *range(9)], r'labels/t\[0\] is nan')])
def test_labels_of_another_form_are_refused(path, name, values, words):
    with pytest.raises(RecordingError, match=words):
        replaced(path, f'labels/{name}', values).labels()


def test_occluded_joints_of_another_shape_are_refused(path):
    with pytest.raises(RecordingError, match=r'labels/occluded has the shape \(3, 13\)'):
        replaced(path, 'labels/occluded', np.zeros((3, 13), bool)).occluded()


@pytest.mark.parametrize('kind', [np.uint8, np.int64, np.float32, bool])
def test_visible_is_read_as_truth_values_whatever_its_type(path, kind):
    """As uint8, ~visible was 254 instead of False: no joint was counted."""
    visible = np.arange(130).reshape(10, 13) % 2
    labels = replaced(path, 'labels/visible', visible.astype(kind)).labels()
    assert labels.visible.dtype == bool and np.array_equal(labels.visible, visible == 1)
