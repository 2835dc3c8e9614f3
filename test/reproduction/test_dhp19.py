# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From DHP19's files to the paper's table."""

import json

import numpy as np
import pytest
from dhp19_files import poses_mm, steady_events, write_hdf5_form

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.datasets.dhp19_labels import crop_landmarks
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.recordings.labeled import load_labeled
from hybrid_pose_ros.training.windows import Windows

POSES = poses_mm(60)


@pytest.fixture(scope='module')
def converted(tmp_path_factory):
    """Return a folder with recordings of subjects 12 and 13, seen by channel 3 for 600 ms."""
    published, ours = (tmp_path_factory.mktemp(name) for name in ('published', 'ours'))
    for subject in (12, 13):
        events = steady_events(30_000, period_us=20, seed=subject)
        write_hdf5_form(published, f'S{subject}_session1_mov1', {3: events}, POSES,
                        milliseconds=600)
    assert main(['convert', 'dhp19', str(published), '--channels', '3', '--output', str(ours),
                 '--workers', '1']) == 0
    return ours


def test_the_cells_of_a_window_are_the_papers_landmarks(converted):
    clip = load_labeled(converted / 'S12_session1_mov1_cam3.h5')
    windows = Windows([clip], preset('paper'), 10)
    assert [start for _, start in windows.all] == [200_000, 300_000, 400_000]
    for window in windows.all:
        first = window.start_us // 10_000
        landmarks = crop_landmarks(POSES[first:first + 10], 3)
        targets = windows.step_targets(window)
        assert np.array_equal(np.where(targets.shown[..., None], targets.cells, np.nan), landmarks,
                              equal_nan=True)


def test_converted_recordings_are_learned_from_and_scored_by_subject(converted, tmp_path, capsys):
    assert main(['reproduce', '--dataset', str(converted), '--preset', 'paper_small', '--output',
                 str(tmp_path), '--systems', 'ann', '--device', 'cpu', '--epochs', '1',
                 '--threads', '1', '--json']) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report['train']['recordings'] == report['test']['recordings'] == 1
    assert report['test']['windows'] == 3
    assert np.isfinite(report['rows']['ann_held']['mpjpe_px_by_step'][:5]).all()
