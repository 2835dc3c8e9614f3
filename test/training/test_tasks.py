# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Other tasks through the same training."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from labeled_clips import circling_clip, write_clip

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model import checkpoint
from hybrid_pose_ros.model.presets import for_task, preset
from hybrid_pose_ros.tasks.gesture import GESTURES, gesture_of, probabilities
from hybrid_pose_ros.training.gestures import gestures_by_age
from hybrid_pose_ros.training.run import TrainingParams, first_weights, train, transferred
from hybrid_pose_ros.training.tasks import GestureTask, gesture_scores

NETWORK = for_task(preset('edge'), 'gesture')


def clip_of(gesture, seed=0, duration_ms=600):
    clip = circling_clip(seed, duration_ms=duration_ms, events_ms=20)
    return clip._replace(name=f'{gesture}_{seed}')


def test_torch_and_the_tracker_give_one_answer():
    maps = torch.randn(1, len(GESTURES), 5, 7, generator=torch.Generator().manual_seed(0)) * 4
    np.testing.assert_allclose(probabilities(maps[0].permute(1, 2, 0).numpy()),
                               gesture_scores(maps).softmax(dim=1)[0], atol=1e-6)


def test_the_loss_falls_where_the_map_of_the_gesture_rises():
    maps = torch.zeros(1, len(GESTURES), 4, 4)
    higher = maps.clone()
    higher[0, 2, 1, 1] = 3
    label, weight = torch.tensor([2]), torch.ones(1)
    loss = GestureTask().loss
    assert loss(maps, label, weight) == pytest.approx(np.log(len(GESTURES)), rel=1e-6)
    assert loss(higher, label, weight) < loss(maps, label, weight)
    assert loss(higher, torch.tensor([1]), weight) > loss(maps, label, weight)


def test_a_recording_s_name_begins_with_its_gesture():
    assert GESTURES[gesture_of('jumping_jack_0004')] == 'jumping_jack'
    assert GESTURES[gesture_of('box')] == 'box'
    with pytest.raises(InputError, match='boxer_1 shows an unknown gesture'):
        gesture_of('boxer_1')


def test_of_weights_for_poses_all_is_taken_over_but_what_the_task_changes():
    poses, first = checkpoint.shipped('edge'), first_weights(NETWORK, 0)
    start = transferred(poses, first)
    changed = {name for name, tensor in start.tensors.items()
               if tensor.shape != poses.tensors[name].shape}
    assert changed == {'ann.output.weight', 'ann.output.bias', 'snn.output.weight',
                       'snn.output.bias'}
    assert all((start.tensors[name] == poses.tensors[name]).all()
               for name in start.tensors.keys() - changed)


def test_training_for_gestures_learns_to_tell_two_clips_apart(tmp_path):
    clips = [clip_of('wave', 0), clip_of('box', 1)]
    params = TrainingParams(task='gesture', ann_iterations=25, ann_batch=4, snn_iterations=1,
                            snn_batch=2, columns=32, device='cpu', precision='fp32')
    losses = []
    weights = train(params, clips, tmp_path, lambda stage, iteration, figures: losses.append(
        (stage, figures['loss'])))
    assert weights.preset == NETWORK and weights.card['trained']
    ann = [loss for stage, loss in losses if stage == 'ann']
    assert np.mean(ann[-5:]) < 0.5 * ann[0]
    assert losses[-1][0] == 'snn' and np.isfinite(losses[-1][1])


def test_right_answers_are_counted_by_age():
    weights = first_weights(NETWORK, 0)
    weights.tensors['ann.output.weight'][...] = 0
    weights.tensors['snn.output.weight'][...] = 0
    weights.tensors['ann.output.bias'][2] = 9
    found = gestures_by_age(weights, [clip_of('wave', duration_ms=1100), clip_of('box')])
    assert found['windows'] == 3  # of wave 2, of box 1
    assert found['right']['hybrid'] == found['right']['ANN, its answer held'] == 0.6667
    assert len(found['right_by_age']['hybrid']) == 30
    assert np.array(found['confusion'])[:, 2].sum() == 90


def test_the_command_trains_from_weights_for_poses_and_measures(tmp_path, capsys):
    write_clip(tmp_path / 'corpus', clip_of('wave'))
    poses = dataclasses.replace(checkpoint.shipped('edge'), card={'trained': True})
    poses.save(tmp_path / 'poses.safetensors')
    assert main(['train', '--task', 'gesture', '--corpus', str(tmp_path / 'corpus'), '--output',
                 str(tmp_path / 'run'), '--validation', str(tmp_path / 'corpus'), '--start',
                 str(tmp_path / 'poses.safetensors'), '--ann-iterations', '1', '--ann-batch', '2',
                 '--snn-iterations', '1', '--snn-batch', '2', '--device', 'cpu',
                 '--precision', 'fp32', '--json']) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result['weights'].endswith('edge_gesture.safetensors')
    assert 0 <= result['card']['metrics']['gestures']['right']['hybrid'] <= 1
    assert checkpoint.load(result['weights'], 'edge', 'gesture').preset == NETWORK
