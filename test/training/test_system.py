# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of the paper's systems by their recipes."""

from dataclasses import replace

import pytest
import torch
from labeled_clips import circling_clip

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.networks.systems import SYSTEMS
from hybrid_pose_ros.training.recipes import PAPER, RECIPES, recipes
from hybrid_pose_ros.training.system import SystemStage, first_network, train_system
from hybrid_pose_ros.training.windows import Windows

SMALL = preset('paper_small')
CPU = torch.device('cpu')
WINDOWS = Windows([circling_clip(seed, events_ms=40) for seed in range(2)], SMALL, 2)
SHORT = {name: replace(recipe, iterations=3, save_every=2)
         for name, recipe in recipes('paper_small').items()}


class Killed(BaseException):
    """Stands for the signal."""


def train(system, folder, **more):
    """Return the trained network."""
    return train_system(SHORT[system], SMALL, WINDOWS, folder, CPU, **more)[0]


@pytest.mark.parametrize('system', SYSTEMS)
def test_a_killed_system_that_is_resumed_ends_with_the_same_weights(system, tmp_path):
    def kill(stage, done, total, figure):
        if done == 3:
            raise Killed

    with pytest.raises(Killed):
        train(system, tmp_path / 'killed', progress=kill)
    resumed = train(system, tmp_path / 'killed').state_dict()
    whole = train(system, tmp_path / 'whole').state_dict()
    first = first_network(SHORT[system], SMALL).state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    moved = {name.split('.')[0] for name in whole if not torch.equal(whole[name], first[name])}
    left = {'ann'} if system.startswith('hybrid') else set()
    left |= {'heads'} if system.endswith('no_state_init') else set()
    assert moved == {part.split('.')[0] for part in first} - left


def test_a_hybrid_begins_with_the_ann_that_it_is_given(tmp_path):
    ann = train('ann', tmp_path).ann
    hybrid = train('hybrid_snn', tmp_path, ann=ann)
    assert all(torch.equal(tensor, hybrid.ann.state_dict()[name])
               for name, tensor in ann.state_dict().items())
    other = first_network(SHORT['ann'], SMALL, seed=1).ann
    with pytest.raises(InputError, match='hybrid_snn.pt belongs to another network'):
        train('hybrid_snn', tmp_path, ann=other)


def test_every_window_comes_once_in_an_epoch_in_another_order_each():
    recipe = replace(SHORT['snn'], batch=3)
    stage = SystemStage(recipe, first_network(recipe, SMALL), WINDOWS, SMALL, CPU)
    size = len(WINDOWS.all)
    drawn = [window for iteration in range(2 * size) for window in stage._drawn(iteration)]
    epochs = [drawn[start:start + size] for start in range(0, 6 * size, size)]
    assert all(sorted(epoch) == WINDOWS.all for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_the_rate_is_constant_and_gradients_are_as_long_as_they_are():
    schedule = recipes('paper')['ann'].schedule(windows=1000)
    assert schedule.iterations == 750
    assert {schedule.rate(iteration) for iteration in range(0, 751, 50)} == {1e-4}
    assert schedule.gradient_norm == float('inf') and schedule.weight_decay == 0


def test_first_weights_are_xaviers_and_the_output_begins_near_zero():
    network = first_network(PAPER[0], SMALL)
    weight = network.ann.s3.conv2.weight
    channels = weight.shape[0]
    assert weight.std().item() == pytest.approx((1 / (9 * channels)) ** 0.5, rel=0.05)
    assert network.ann.s3.conv2.bias.abs().max() <= (1 / (9 * channels)) ** 0.5
    assert network.ann.output.weight.std() < network.ann.s1.conv2.weight.std() / 1000


@pytest.mark.parametrize('name', RECIPES)
def test_a_preset_has_a_recipe_for_every_system(name):
    assert set(recipes(name)) == set(SYSTEMS)
    assert next(iter(recipes(name))) == 'ann'


def test_a_preset_without_recipes_is_named_with_the_choices():
    with pytest.raises(InputError, match='edge has no published recipe: choose from paper'):
        recipes('edge')
