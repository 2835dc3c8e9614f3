# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures of weights."""

import numpy as np
import pytest
from labeled_clips import circling_clip

from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.training.validation import _errors, _row, by_age, live

CLIPS = [circling_clip(events_ms=20)]


@pytest.fixture(scope='module')
def mute():
    """Return weights whose SNN says nothing and whose ANN pose does not fade."""
    checkpoint = untrained(preset('edge'))
    tensors = checkpoint.tensors
    tensors['snn.output.weight'] = np.zeros_like(tensors['snn.output.weight'])
    tensors['snn.output.log_tau_held_us'] = np.float32(np.log(1e15)).reshape(())
    return checkpoint


def test_a_mute_snn_holds_the_pose_of_the_ann_at_every_step(mute):
    rows = by_age(mute, CLIPS, steps_us=(5_000, 1_000))['rows']
    assert rows['hybrid_5000us'] == rows['hybrid_1000us'] == rows['ann_held']
    assert rows['ann'] != rows['ann_held']


def test_without_the_ann_at_every_age_the_other_rows_are_the_same(mute):
    rows, fewer = (by_age(mute, CLIPS, steps_us=(5_000,), fresh=fresh)['rows']
                   for fresh in (True, False))
    assert fewer == {name: row for name, row in rows.items() if name != 'ann'}


def test_the_tracker_with_a_mute_snn_is_as_good_as_holding(mute):
    result = live(mute, CLIPS, delay_us=0)
    assert result['poses'] >= 390
    held, hybrid = (result['rows'][name]['mpjpe_px'] for name in ('ann_held', 'hybrid_unfused'))
    assert abs(hybrid - held) < 0.05 * held


def test_joints_out_of_sight_count_nothing():
    found = np.zeros((2, 2, 2))
    joints = np.array([[[3.0, 4.0], [100.0, 0.0]], [[3.0, 4.0], [5.0, 0.0]]])
    errors = _errors(found, joints, np.array([[True, False], [True, True]]))
    assert _row(errors[None])['mpjpe_px_by_joint'] == [5.0, 5.0]
