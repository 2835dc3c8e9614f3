# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights and networks of the tasks."""

import pytest

from hybrid_pose_ros.errors import CheckpointError, InputError
from hybrid_pose_ros.model.checkpoint import Checkpoint, load, shipped, untrained
from hybrid_pose_ros.model.presets import for_task, preset

NETWORK = for_task(preset('edge'), 'gesture')


def test_weights_know_their_task(tmp_path):
    untrained(NETWORK).save(tmp_path / 'gesture.safetensors')
    with pytest.raises(CheckpointError, match="task 'gesture', but pose is required"):
        load(tmp_path / 'gesture.safetensors', 'edge')
    loaded = shipped('edge', str(tmp_path / 'gesture.safetensors'), task=None)
    assert loaded.preset == NETWORK
    with pytest.raises(CheckpointError, match="task 'pose', but gesture is required"):
        untrained(preset('edge')).save(tmp_path / 'pose.safetensors')
        load(tmp_path / 'pose.safetensors', task='gesture')


def test_weights_of_a_task_that_is_not_known_are_refused(tmp_path):
    weights = untrained(preset('edge'))
    Checkpoint(weights.preset, weights.tensors, {'task': 'dance'}).save(tmp_path / 'a.safetensors')
    with pytest.raises(CheckpointError, match="'dance', but pose or gesture is required"):
        load(tmp_path / 'a.safetensors', task=None)


def test_an_unknown_task_is_a_user_s_mistake():
    with pytest.raises(InputError, match="unknown task 'dance': choose from pose, gesture"):
        for_task(preset('edge'), 'dance')


def test_a_network_for_poses_stays_as_it_is():
    assert for_task(preset('edge'), 'pose') is preset('edge')
