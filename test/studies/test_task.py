# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The same method for another task."""

import json

import pytest
from labeled_clips import circling_clip, write_clip

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.model.checkpoint import load
from hybrid_pose_ros.recordings.labeled import load_labeled
from hybrid_pose_ros.studies import gesture_clips
from hybrid_pose_ros.tasks.gesture import GESTURES


def test_a_recording_of_each_gesture_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setattr(gesture_clips, 'GESTURES', GESTURES[1:3])
    told = []
    for _ in range(2):
        gesture_clips.make_gestures(tmp_path, clips=1, duration_s=0.03, seed=3, tell=told.append)
    assert told == ['walk_0000', 'wave_0000']
    assert load_labeled(tmp_path / 'walk_0000.h5').visible.any()


def test_a_study_trains_and_measures_the_named_recordings(tmp_path, capsys):
    for seed, gesture in enumerate(('wave', 'box')):
        clip = circling_clip(seed, events_ms=20)
        write_clip(tmp_path / 'clips', clip._replace(name=f'{gesture}_0'))
    assert main(['study', 'task', '--recording', str(tmp_path / 'clips'), '--corpus',
                 str(tmp_path / 'clips'), '--batches', '1', '--output', str(tmp_path / 'out'),
                 '--json']) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row['answer of'] for row in result['rows']] == [
        'ANN, its answer held', 'hybrid', 'hybrid, no state initialization', 'SNN from rest']
    assert load(result['weights'], task='gesture').card['training']['ann_iterations'] == 2
    assert (tmp_path / 'out' / 'task.png').stat().st_size > 0


@pytest.mark.parametrize('name', ['lifetime', 'energy', 'heads', 'sizes'])
def test_other_studies_want_recordings(tmp_path, capsys, name):
    assert main(['study', name, '--output', str(tmp_path)]) == 1
    assert 'name the folders of recordings to evaluate on' in capsys.readouterr().err
