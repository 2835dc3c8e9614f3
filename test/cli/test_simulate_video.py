# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose simulate --video`."""

import json

import cv2
import fake_teachers
import numpy as np
import pytest
from fake_teachers import teacher
from rendered_videos import film, write_frames

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.recordings.labeled import load_seen
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.simulation.scene_settings import OFFICE
from hybrid_pose_ros.tasks.skeleton import JOINTS


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    """A video of 172x130 pixels and 0.3 s."""
    images, _, _ = film(GeneratedMotion(0, ('wave',)), OFFICE, fps=30, duration_s=0.3, factor=1)
    small = [cv2.resize(image, (172, 130), interpolation=cv2.INTER_AREA) for image in images]
    return write_frames(tmp_path_factory.mktemp('video') / 'wave.avi', small, 30)


def run(*arguments):
    """Return the exit status."""
    return main(['simulate', '--video', *map(str, arguments), '--workers', '1'])


def converted(capsys, *arguments):
    """Return what the verb prints for machines."""
    assert run(*arguments, '--json') == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def refused(capsys, *arguments):
    """Return the one line on stderr."""
    assert run(*arguments) == 1
    line, = capsys.readouterr().err.splitlines()
    return line


def test_a_video_becomes_a_labeled_recording(capsys, tmp_path, video):
    """The picture fills 172x130 of 200x130 pixels, from column 14 on."""
    result = converted(capsys, video, '--output', tmp_path / 'out', '--size', '200x130',
                       '--teacher', teacher(tmp_path / 'python'), '--overlay')
    recording = load_seen(tmp_path / 'out' / 'wave.h5')
    assert (recording.width, recording.height) == (200, 130)
    assert len(recording.events) == result['made'][0]['events'] > 500
    joints, visible, _ = recording.joints_at(np.array([100_000]))
    knee = JOINTS.index('kneeR')
    assert joints[0, knee] == pytest.approx([14 + 0.56 * 172 - 0.5, 64.5], abs=0.01)
    assert np.flatnonzero(~visible[0]).tolist() == [JOINTS.index('handL')]
    assert cv2.imread(str(tmp_path / 'out' / 'wave.png')).shape[0] % 260 == 0


def test_a_video_can_be_converted_without_labels(capsys, tmp_path, video):
    result = converted(capsys, video, '--output', tmp_path / 'out', '--labels', 'none')
    assert result['made'][0]['labels'] == 0 and result['made'][0]['events'] > 0


def test_recordings_that_exist_are_kept(capsys, tmp_path, video):
    arguments = (video, '--output', tmp_path, '--labels', 'none')
    first = converted(capsys, *arguments)
    again = converted(capsys, *arguments)
    assert (len(first['made']), first['present']) == (1, 0)
    assert (len(again['made']), again['present']) == (0, 1)


def test_the_sensor_depends_on_the_seed_and_the_scene(capsys, tmp_path, video):
    counts = [converted(capsys, video, '--output', tmp_path / str(number), '--labels', 'none',
                        '--scene', scene, '--seed', seed)['made'][0]['events']
              for number, (scene, seed) in enumerate((
                  ('random', 1), ('random', 1), ('random', 2), ('ideal', 1)))]
    assert counts[0] == counts[1] and len(set(counts)) == 3


def test_a_bad_video_does_not_stop_the_others(capsys, tmp_path, video):
    (tmp_path / 'bad.mp4').write_bytes(b'nothing')
    assert run(tmp_path / 'bad.mp4', video, '--output', tmp_path / 'out', '--labels',
               'none') == 0
    captured = capsys.readouterr()
    line, = captured.err.splitlines()
    assert line.startswith('rejected: ') and 'bad.mp4 is not a video' in line
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['run.json', 'wave.h5']


def test_videos_that_are_all_bad_are_an_error_after_a_line_each(capsys, tmp_path):
    for name in 'ab':
        (tmp_path / f'{name}.mp4').write_bytes(b'nothing')
    assert run(tmp_path / 'a.mp4', tmp_path / 'b.mp4', '--output', tmp_path / 'out',
               '--labels', 'none') == 1
    *rejected, last = capsys.readouterr().err.splitlines()
    assert [line[:9] for line in rejected] == ['rejected:', 'rejected:']
    assert last.endswith('none of the 2 videos can be converted')


def test_a_video_without_a_person_is_one_line_and_leaves_no_recording(capsys, tmp_path, video):
    line = refused(capsys, video, '--output', tmp_path / 'out', '--teacher',
                   teacher(tmp_path / 'python', fake_teachers.SEES_NOBODY))
    assert 'wave.avi shows nobody: the teacher found no person in its' in line
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['run.json']


@pytest.mark.parametrize('arguments, message', [
    (('--labels', 'none'), 'pass --output DIR'),
    (('--output', 'out', '--corpus', 'c'), 'pass --output DIR, without --corpus'),
    (('--output', 'out', '--size', 'large'), '--size large is not a size'),
    (('--output', 'out', '--slowed', '0'), '--slowed 0 must be from 0.01 to 100'),
    (('--output', 'out'), 'no teacher for the labels: create its environment'),
    (('--output', 'out', '--teacher', 'nowhere'), 'nowhere cannot be started')])
def test_a_mistake_is_one_line_and_leaves_nothing(capsys, tmp_path, monkeypatch, video, arguments,
                                                  message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('HYBRID_POSE_TEACHER', raising=False)
    assert message in refused(capsys, video, *arguments)
    assert not list(tmp_path.iterdir())


def test_two_videos_of_one_name_are_refused(capsys, tmp_path, video):
    assert 'several videos are named wave' in refused(
        capsys, video, tmp_path / 'wave.mp4', '--output', tmp_path / 'o', '--labels', 'none')
