# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import shutil

import h5py
import numpy as np
import pytest
from dhp19_files import SPECIAL, address, poses_mm, steady_events, write_hdf5_form, write_raw_form
from h36m_files import write_sequence

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.datasets.dhp19 import find
from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.evaluation.takes import find_takes
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.playback.due_packets import due_packets
from hybrid_pose_ros.playback.player_params import PlayerParams
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.labeled import load_labeled
from hybrid_pose_ros.training.corpus import split

NAMES = ('S1_session1_mov1', 'S13_session2_mov3')


@pytest.fixture
def source(tmp_path):
    """Return a folder with a recording of 400 ms of a subject of either split."""
    folder = tmp_path / 'dhp19'
    folder.mkdir()
    for name in NAMES:
        write_hdf5_form(folder, name, {channel: steady_events(8000, 50, channel)
                                       for channel in range(4)}, poses_mm(40), milliseconds=400)
    return folder


def convert(capsys, *arguments, dataset='dhp19', workers=1):
    """Return what the verb prints for machines."""
    assert main(['convert', dataset, *map(str, arguments), '--workers', str(workers), '--json']
                ) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def refused(capsys, *arguments, dataset='dhp19'):
    """Return the last line on stderr."""
    assert main(['convert', dataset, *map(str, arguments), '--workers', '1']) == 1
    return capsys.readouterr().err.splitlines()[-1]


def test_a_recording_becomes_a_file_for_each_channel(source, tmp_path, capsys):
    result = convert(capsys, source, '--output', tmp_path / 'out', '--split', 'test')
    paths = sorted((tmp_path / 'out').iterdir())
    assert [path.name for path in paths] == [f'{NAMES[1]}_cam{i}.h5' for i in range(4)]
    assert result | {'output': ''} == {
        'dataset': 'dhp19', 'output': '', 'recordings': 1, 'present': 0, 'files': 4,
        'events': 4 * 8000, 'labels': 160, 'duration_s': pytest.approx(4 * 0.39), 'refused': []}
    assert np.array_equal(open_recording(paths[2]).events(), steady_events(8000, 50, 2))
    assert np.allclose(open_recording(paths[3]).labels().joints_px[0, 0], (159.145, 125.014),
                       atol=6e-4)


def test_what_is_there_is_not_made_again(source, tmp_path, capsys):
    arguments = source, '--output', tmp_path / 'out', '--channels', 3
    assert convert(capsys, *arguments)['files'] == 2
    first, second = sorted((tmp_path / 'out').iterdir())
    first.unlink()
    stamp_ns = second.stat().st_mtime_ns
    again = convert(capsys, *arguments)
    assert (again['present'], again['files']) == (1, 1)
    assert first.exists() and second.stat().st_mtime_ns == stamp_ns


def test_a_recording_that_cannot_be_read_does_not_stop_the_others(source, tmp_path, capsys):
    (source / f'{NAMES[0]}_events.h5').write_bytes(b'no')
    result = convert(capsys, source, '--output', tmp_path / 'out', '--channels', 2)
    assert result['files'] == 1 and f'{NAMES[0]}_events.h5 is damaged' in result['refused'][0]
    assert [path.name for path in (tmp_path / 'out').iterdir()] == [f'{NAMES[1]}_cam2.h5']


def test_where_nothing_can_be_read_that_is_the_users_mistake(source, tmp_path, capsys):
    for path in source.glob('*_events.h5'):
        path.write_bytes(b'no')
    assert 'none of 2 recordings could be converted' in refused(
        capsys, source, '--output', tmp_path / 'out')


@pytest.mark.parametrize('arguments, text', [
    (['--channels', '4'], '--channels 4: expected some of 0, 1, 2, 3'),
    (['--split', 'test'], 'contains no recordings of the split test')])
def test_a_mistake_is_one_line(source, tmp_path, capsys, arguments, text):
    for path in source.glob(f'{NAMES[1]}*'):
        path.unlink()
    assert text in refused(capsys, source, '--output', tmp_path / 'out', *arguments)


def test_processes_convert_as_one_does(source, tmp_path, capsys):
    result = convert(capsys, source, '--output', tmp_path / 'out', '--channels', 3,
                     workers=2)
    assert result['files'] == 2
    assert np.array_equal(open_recording(tmp_path / 'out' / f'{NAMES[0]}_cam3.h5').events(),
                          steady_events(8000, 50, 3))


def test_a_folder_that_cannot_be_made_is_one_line(source, tmp_path, capsys):
    (tmp_path / 'out').touch()
    assert 'out cannot be a folder' in refused(capsys, source, '--output', tmp_path / 'out')


def test_the_published_form_is_converted_too(tmp_path, capsys):
    stamps_us = 1_000_000 + 100 * np.arange(1000)
    words = address(100 + np.arange(1000) % 2, [100] * 1000, [1] * 1000, 3)
    write_raw_form(tmp_path, (2, 1, 1), [SPECIAL, *words], [1_000_000, *stamps_us], poses_mm(10))
    result = convert(capsys, tmp_path, '--output', tmp_path / 'out', '--channels', 3)
    recording = load_labeled(tmp_path / 'out' / 'S2_session1_mov1_cam3.h5')
    assert (recording.width, recording.height) == (346, 260)
    assert result['events'] == len(recording.events) == 998  # the first has no neighbor before it
    assert recording.events['y'].tolist() == [259 - 100] * 998


def test_takes_have_the_cameras_of_the_rig(source, tmp_path, capsys):
    convert(capsys, source, '--output', tmp_path / 'out', '--channels', 2, 3, '--takes')
    takes, known = find_takes([tmp_path / 'out']), dhp19_rig(2)
    assert sorted(take.name for take in takes) == sorted(NAMES)
    assert takes[0].rig.names == known.names
    for camera, expected in zip(takes[0].rig.cameras, known.cameras):
        for field in ('matrix', 'rotation', 'translation_m'):
            assert np.allclose(getattr(camera, field), getattr(expected, field))


def test_a_take_in_which_vicon_lost_a_joint_is_evaluated_in_the_world(tmp_path, capsys):
    """It was refused as one without places in the world."""
    source, poses = tmp_path / 'dhp19', poses_mm(40)
    source.mkdir()
    poses[:, 7] = np.nan
    write_hdf5_form(source, NAMES[0], {channel: steady_events(8000, 50, channel)
                                       for channel in (2, 3)}, poses, milliseconds=400)
    convert(capsys, source, '--output', tmp_path / 'out', '--channels', 2, 3, '--takes')
    assert main(['evaluate3d', '--takes', str(tmp_path / 'out'), '--step-us', '10000', '--json',
                 '--least-confidence', '0']) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    by_joint = result['cases']['dhp19_2 + dhp19_3']['rows']['hybrid']['mpjpe_mm_by_joint']
    assert [index for index, error in enumerate(by_joint) if error is None] == [7]


def test_the_published_form_is_written_as_the_papers_code_reads_it(tmp_path, capsys):
    stamps_us = 1_000_000 + 100 * np.arange(1200)
    words = address(100 + np.arange(1200) % 2, [100] * 1200, np.arange(1200) % 3 > 0, 3)
    write_raw_form(tmp_path, (2, 1, 1), [SPECIAL, *words], [1_000_000, *stamps_us], poses_mm(10))
    paper = tmp_path / 'paper'
    convert(capsys, tmp_path, '--output', paper, '--channels', 1, 3, '--paper-form')
    with h5py.File(paper / 'S2_session1_mov1_events.h5') as file:
        index, x, t = (file[f'cam3_{name}'][:] for name in ('ms_to_idx', 'events/x', 'events/t'))
        assert not len(file['cam1_events/t']) and set(x) == {346 - 100, 346 - 101}
    assert len(index) == 100 and all(np.array_equal(t[first:last] // 10_000, [k] * (last - first))
                                     for k, (first, last) in enumerate(zip(index[::10],
                                                                           index[10::10])))
    with h5py.File(paper / 'S2_session1_mov1_events_label.h5') as file:
        pose = np.vstack([file['XYZ/3d_poses'][0], np.ones(13)])
        assert file['XYZ/timestamps'][-1] == 90_000
    u, v, w = np.load(paper / 'P2.npy') @ pose  # channel 3
    assert np.allclose((u[0] / w[0], 260 - v[0] / w[0]), (159.145, 125.014), atol=6e-4)
    again, = find(paper)[0].load([3])
    direct, = find(tmp_path)[0].load([3])
    assert np.array_equal(again.events, direct.events) and len(again.events) == 998
    assert all(np.array_equal(a, b) for a, b in zip(again.labels, direct.labels))


def test_the_papers_form_has_no_takes(source, tmp_path, capsys):
    assert '--paper-form writes all recordings to one folder' in refused(
        capsys, source, '--output', tmp_path / 'out', '--paper-form', '--takes')


def test_the_crop_of_0_1_0_is_ignored_with_a_notice(source, tmp_path, capsys):
    """Cropped before windows of 7500 events are cut, frames differed from the published ones."""
    assert main(['convert', 'dhp19', str(source), '--output', str(tmp_path / 'out'),
                 '--channels', '3', '--workers', '1', '--crop']) == 0
    assert '--crop is ignored' in capsys.readouterr().err
    whole = find(source)[0].load([3])[0]
    found = load_labeled(tmp_path / 'out' / f'{whole.name}.h5')
    assert (found.width, found.height) == (346, 260)
    assert np.array_equal(found.events, whole.events)


@pytest.fixture
def h36m(tmp_path):
    """Return a folder with a sequence of 400 ms, seen by two cameras."""
    events = steady_events(8000, 50)
    events['x'] %= 320
    events['y'] %= 256
    joints = np.tile([100.0, 50.0], (21, 13, 1))
    for camera in (0, 2):
        write_sequence(tmp_path / 'h36m', 'S9', 'Walking 1', camera, events, joints,
                       milliseconds=400)
    return tmp_path / 'h36m'


def test_event_human36m_is_converted_evaluated_and_split_by_its_subjects(h36m, tmp_path, capsys):
    result = convert(capsys, h36m, '--output', tmp_path / 'out', '--split', 'test',
                     '--channels', 2, dataset='h36m')
    path, = (tmp_path / 'out').iterdir()
    assert path.name == 'S9_Walking_1_cam2.h5' and result['events'] == 8000
    assert open_recording(path).encoding == 'h36m'
    assert main(['evaluate', '--recording', str(path), '--step-us', '10000', '--rows', 'hybrid',
                 '--json']) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])['rows']['hybrid']['mpjpe_px'] > 0
    shutil.copy(path, path.with_name('S1_Walking_1_cam2.h5'))
    parts = split(path.parent, [9, 11])
    assert [part.name for part in parts.test] == [path.name] and len(parts.train) == 1


@pytest.mark.parametrize('arguments, text', [
    (['--takes'], 'require DHP19'), (['--paper-form'], 'require DHP19'),
    (['--channels', '1'], 'has no sequences of the cameras 1')])
def test_a_mistake_with_event_human36m_is_one_line(h36m, tmp_path, capsys, arguments, text):
    assert text in refused(capsys, h36m, '--output', tmp_path / 'out', *arguments,
                           dataset='h36m')


def test_the_papers_split_of_a_converted_folder_is_that_of_the_dataset(source, tmp_path, capsys):
    convert(capsys, source, '--output', tmp_path / 'out', '--channels', 3)
    parts = split(tmp_path / 'out')
    assert [path.name for path in parts.train] == [f'{NAMES[0]}_cam3.h5']
    assert [path.name for path in parts.test] == [f'{NAMES[1]}_cam3.h5']


def test_converted_recordings_are_played(source, tmp_path, capsys):
    convert(capsys, source, '--output', tmp_path / 'out', '--split', 'train',
            '--channels', 3)
    path = tmp_path / 'out' / f'{NAMES[0]}_cam3.h5'
    stream = PacketStream()
    played = [stream.update(due.packet).events
              for due in due_packets(PlayerParams(recording=str(path)))]
    assert len(played) == 100 and np.array_equal(np.concatenate(played),
                                                 open_recording(path).events())


def test_converted_recordings_are_trained_on_and_evaluated(source, tmp_path, capsys):
    for part in ('train', 'test'):
        convert(capsys, source, '--output', tmp_path / part, '--split', part,
                '--channels', 3)
    assert main(['train', '--corpus', str(tmp_path / 'train'), '--output', str(tmp_path / 'run'),
                 '--ann-iterations', '1', '--snn-iterations', '1', '--ann-batch', '1',
                 '--snn-batch', '1', '--device', 'cpu', '--precision', 'fp32']) == 0
    assert main(['evaluate', '--recording', str(tmp_path / 'test'), '--step-us', '10000', '--rows',
                 'hybrid', '--json', '--checkpoint', str(tmp_path / 'run' / 'edge.safetensors')
                 ]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(result['recordings']) == 1 and result['rows']['hybrid']['mpjpe_px'] > 0
