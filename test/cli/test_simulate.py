# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import json

import h5py
import numpy as np
import pytest

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.cli.simulate import changed
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.simulation.body import joints_of
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.simulation.scene_settings import IDEAL


def simulate(capsys, *arguments):
    """Return what the verb prints for machines."""
    assert main(['simulate', *map(str, arguments), '--json']) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def refused(capsys, *arguments):
    """Return the one line on stderr."""
    assert main(['simulate', *map(str, arguments)]) == 1
    line, = capsys.readouterr().err.splitlines()
    return line


@pytest.fixture
def capture(tmp_path):
    points = GeneratedMotion(0).sample(np.arange(0.0, 0.5, 1 / 120)).astype(np.float32)
    arrays = {'body': points, 'joints': joints_of(points), 'fps': np.float32(120.0)}
    np.savez(tmp_path / 'm.npz', **arrays)
    return tmp_path / 'm.npz'


def test_a_capture_becomes_a_recording(capsys, capture, tmp_path):
    result = simulate(capsys, '--motion', capture, '--output', tmp_path / 'r.h5',
                      '--camera', 'dhp19-3', '--seed', 4)
    assert result['labels'] == 392  # 59 / 120 s, of which 0.1 s are not recorded
    with h5py.File(tmp_path / 'r.h5') as file:
        assert len(file['events/t']) == result['events'] > 0
        assert file.attrs['intrinsics'][0, 0] == pytest.approx(339.3734, abs=1e-4)


def test_duration_and_seed_decide_the_recording(capsys, tmp_path):
    first, second, other = (
        simulate(capsys, '--output', tmp_path / f'{number}.h5', '--duration', 0.1, '--seed', seed)
        for number, seed in enumerate((1, 1, 2)))
    assert first['duration_s'] == pytest.approx(0.1)
    assert first['events'] == second['events'] != other['events']


def test_a_random_scene_with_a_random_camera_is_simulated(capsys, tmp_path):
    result = simulate(capsys, '--output', tmp_path / 'r.h5', '--duration', 0.05,
                      '--scene', 'random', '--camera', 'random')
    assert result['labels'] == 51


def test_a_corpus_is_made_and_then_found(capsys, capture, tmp_path):
    arguments = ('--corpus', capture.parent, '--output', tmp_path / 'c', '--clips', 2,
                 '--workers', 1, '--duration', 0.05)
    assert simulate(capsys, *arguments)['made'] == 2
    again = simulate(capsys, *arguments)
    assert (again['made'], again['present']) == (0, 2)


def test_clips_of_another_corpus_are_not_taken_for_those_of_this(capsys, capture, tmp_path):
    """They were counted as present, whatever their seed was."""
    arguments = ('--corpus', capture.parent, '--output', tmp_path / 'c', '--clips', 1,
                 '--workers', 1, '--duration', 0.05, '--own', 1)
    simulate(capsys, *arguments)
    assert 'a run with other seed and kind' in refused(capsys, *arguments, '--seed', 3,
                                                       '--kind', 'close')


@pytest.mark.parametrize(('change', 'where', 'value'), (
    ('sensor.threshold_on=0.3', lambda s: s.sensor.threshold_on, 0.3),
    ('sensor.refractory_us=500', lambda s: s.sensor.refractory_us, 500),
    ('body.shorts=true', lambda s: s.body.shorts, True)))
def test_a_setting_can_be_changed_by_its_name(change, where, value):
    assert where(changed(IDEAL, [change])) == value


@pytest.mark.parametrize(('change', 'message'), (
    ('sensors.threshold_on=0.3', 'unknown group, choose from body'),
    ('sensor.threshold=0.3', 'unknown setting of sensor, choose from threshold_on'),
    ('sensor.threshold_on=high', "'high' is not of type float"),
    ('sensor.hot_pixels=1.5', "'1.5' is not of type int"),
    ('body.shorts=maybe', "'maybe' is not of type bool"),
    ('sensor.threshold_on=0', 'below the minimum'),
    ('sensor', 'unknown setting of sensor, choose from threshold_on')))
def test_a_change_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        changed(IDEAL, [change])


@pytest.mark.parametrize(('arguments', 'message'), (
    ((), 'no output: pass --output'),
    (('--output', 'r.h5', '--motion', 'yodel'), 'unknown activities yodel'),
    (('--output', 'r.h5', '--motion', 'nowhere.npz'), 'nowhere.npz is not a motion file'),
    (('--output', 'r.h5', '--duration', '0'), '--duration 0.0 must be from'),
    (('--output', '/proc/none/r.h5', '--duration', '0.05'), '/proc cannot be written'),
    (('--corpus', '.'), 'no folder for the clips'),
    (('--corpus', 'nowhere', '--output', 'c'), 'no motion files (*.npz) in nowhere'),
    (('--corpus', '.', '--output', 'c', '--clips', '0'), 'must be at least 1')))
def test_a_mistake_is_one_line_and_leaves_nothing(capsys, tmp_path, monkeypatch, arguments,
                                                  message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, *arguments)
    assert not list(tmp_path.iterdir())
