# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several processes that train as one."""

import dataclasses

import pytest
import torch
import two_processes
from two_processes import CLIPS, PARAMS, torchrun

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.networks.hybrid import Hybrid
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.training.ann import AnnStage, AnnTraining, corpus_windows
from hybrid_pose_ros.training.loop import GRADIENT_NORM
from hybrid_pose_ros.training.ranks import Ranks
from hybrid_pose_ros.training.run import REGIONS, train
from hybrid_pose_ros.training.snn import SnnStage, SnnTraining

FIRST_MOMENT = 0.1
"""Adam's first moment after its first gradient, relative to that: 1 - beta1."""


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    """Return a folder with a run of two processes, `whole`, and its copies."""
    folder = tmp_path_factory.mktemp('runs')
    run = torchrun(two_processes.__file__, folder / 'whole')
    assert run.returncode == 0, run.stderr
    return folder


def same(one, other):
    """Return whether two states to resume from are equal, bit for bit."""
    if torch.is_tensor(one):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def stage_of_one_process(name, folder, tmp_path):
    """Return a stage as it begins; the second with the ANN of a folder."""
    begun = dataclasses.replace(PARAMS, ann_iterations=0, snn_iterations=0)
    hybrid = Hybrid.from_checkpoint(train(begun, CLIPS, tmp_path))
    geometry = input_geometry(hybrid.preset, CLIPS[0].width, CLIPS[0].height)
    settings = {'seed': PARAMS.seed, 'batch': 2, 'columns': PARAMS.columns, 'precision': 'fp32'}
    device = torch.device('cpu')
    windows = corpus_windows(hybrid.preset, CLIPS, geometry, AnnTraining(**settings))
    ann = AnnStage(hybrid, windows, AnnTraining(**settings), device)
    if name == 'ann':
        return ann
    ann.load_state_dict(torch.load(folder / 'ann.pt', weights_only=True)['stage'])
    return SnnStage(hybrid, CLIPS, geometry, SnnTraining(**settings, regions=REGIONS), device)


@pytest.mark.parametrize('name', ['ann', 'snn'])
def test_two_processes_learn_from_the_mean_gradient_of_the_first_two_batches_of_one(
        name, runs, tmp_path):
    """The gradient is read from Adam's first moment; it was clipped after the mean was taken."""
    folder = runs / f'first-{name}'
    gradients = []
    for index in range(2):
        stage = stage_of_one_process(name, folder, tmp_path)
        stage.loss(index)[0].backward()
        gradients.append([parameter.grad for group in stage.parameter_groups()
                          for parameter in group['params']])
    means = [None if one is None and other is None else
             ((0 if one is None else one) + (0 if other is None else other)) / 2
             for one, other in zip(*gradients, strict=True)]
    norm = torch.stack([mean.norm() for mean in means if mean is not None]).norm()
    clipping = min(1.0, GRADIENT_NORM / norm.item())
    moments = torch.load(folder / f'{name}.pt')['optimizer']['state']
    assert set(moments) == {i for i, mean in enumerate(means) if mean is not None}
    for i, moment in moments.items():
        torch.testing.assert_close(moment['exp_avg'], FIRST_MOMENT * clipping * means[i],
                                   rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize('name', ['ann', 'snn'])
def test_all_processes_end_with_the_same_weights(name, runs):
    saved = torch.load(runs / 'whole' / f'{name}.pt')
    other, = saved['others']
    parts = ('snn', 'heads') if name == 'snn' else saved['stage'].keys()
    assert all(same(saved['stage'][part], other[part]) for part in parts)


def test_processes_draw_different_streams(runs):
    saved = torch.load(runs / 'whole' / 'snn.pt')
    assert saved['stage']['streams'] != saved['others'][0]['streams']


def test_killed_processes_that_are_resumed_end_as_if_they_had_not_been(runs):
    assert torch.load(runs / 'killed' / 'snn.pt')['iteration'] == 2
    run = torchrun(two_processes.__file__, runs / 'killed')
    assert run.returncode == 0, run.stderr
    assert same(*(torch.load(runs / name / 'snn.pt') for name in ('killed', 'whole')))


def test_a_run_of_two_processes_is_not_resumed_by_one(runs):
    with pytest.raises(InputError, match='a run of 2 processes, but this run has 1'):
        train(PARAMS, CLIPS, runs / 'first-snn')


def test_a_stage_that_two_processes_have_ended_is_taken_by_one(runs):
    ended = dataclasses.replace(PARAMS, snn_iterations=1)
    assert train(ended, CLIPS, runs / 'first-snn').card['training']['ann_iterations'] == 2


def test_every_batch_is_drawn_by_one_process():
    indices = [Ranks(rank, 3).index(iteration) for iteration in range(4) for rank in range(3)]
    assert indices == list(range(12))


def test_without_torchrun_there_is_one_process():
    assert Ranks.of_environment({}) == Ranks.of_environment({'WORLD_SIZE': '1'}) == Ranks(0, 1, 0)


def test_a_process_that_is_not_told_which_it_is_says_so():
    with pytest.raises(InputError, match="'RANK'.*torchrun"):
        Ranks.of_environment({'WORLD_SIZE': '2'})
