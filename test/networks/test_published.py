# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Preset `paper` is the published network: same weights and input, same heatmaps."""

import pytest
import torch
from plain_networks import RUNS, Weights

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.errors import CheckpointError
from hybrid_pose_ros.model.checkpoint import identity, shipped, untrained
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.networks.published import load_published, published_name, read_published
from hybrid_pose_ros.networks.systems import SYSTEMS

SIZE = 32, 32  # rows and columns; multiples of 32, as the published networks need
each_system = pytest.mark.parametrize('system', SYSTEMS)


def inputs(bins, batch=2):
    """Return a frame, and some bins of counts, as random as events are sparse."""
    generator = torch.Generator().manual_seed(5)
    rates = torch.full((batch, 20 + 2 * bins, *SIZE), 0.3, dtype=torch.float64)
    counts = torch.poisson(rates, generator=generator)
    return counts[:, :20], list(counts[:, 20:].split(2, dim=1))


def networks(system, name='paper_small'):
    """Return random weights, and our network with the same; both float64, so spikes agree."""
    share = preset(name).spiking[0].out_channels / 32
    weights = Weights(share)
    with torch.no_grad():
        list(RUNS[system](weights, *inputs(bins=1, batch=1)))  # names its tensors
        network = SYSTEMS[system](preset(name)).double()
        load_published(system, network, weights.tensors)
    return weights, network.eval()


def assert_equal_heatmaps(weights, network, system, frame, bins):
    state = network.initialize(frame)
    for counts, theirs in zip(bins, RUNS[system](weights, frame, bins), strict=True):
        ours, state = network.step(counts, state, 10_000)
        assert theirs.std() > 0.01
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-7)


@torch.no_grad()
def test_preset_paper_is_the_published_hybrid():
    weights, network = networks('hybrid_snn', 'paper')
    assert_equal_heatmaps(weights, network, 'hybrid_snn', *inputs(bins=2, batch=1))


@each_system
@torch.no_grad()
def test_our_systems_are_the_published_ones(system):
    weights, network = networks(system)
    assert_equal_heatmaps(weights, network, system, *inputs(bins=4))


@pytest.mark.parametrize('system', ['snn', 'rnn', 'hybrid_rnn', 'hybrid_snn',
                                    'hybrid_snn_no_output_init'])
@torch.no_grad()
def test_statistics_of_batches_are_those_of_the_published_systems(system):
    """In training they are taken of each bin, and each bin moves the running ones by a tenth."""
    weights, network = networks(system)
    weights.training = True
    before = {name: tensor.clone() for name, tensor in weights.tensors.items()}
    assert_equal_heatmaps(weights, network.train(), system, *inputs(bins=3))
    moved = [name for name in before if not torch.equal(before[name], weights.tensors[name])]
    assert moved and all('running' in name for name in moved)
    after = SYSTEMS[system](preset('paper_small')).double()
    load_published(system, after, weights.tensors)
    for name, tensor in after.state_dict().items():
        if 'num_batches' not in name:
            torch.testing.assert_close(network.state_dict()[name], tensor, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize('system, parameters', [
    ('ann', 19_818_669), ('snn', 4_410_138), ('hybrid_snn', 24_780_845)])
def test_systems_have_as_many_parameters_as_published(system, parameters):
    with torch.device('meta'):
        network = SYSTEMS[system](preset('paper'))
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_tensors_that_do_not_fit_are_named():
    weights, network = networks('snn')
    tensors = dict(weights.tensors)
    tensors['surplus'] = tensors.pop('up1.conv2d.weight')
    tensors['temporalflat.conv2d.weight'] = torch.zeros(13, 16, 3, 3)
    with pytest.raises(CheckpointError, match='missing: up1.conv2d.weight; '
                       'temporalflat.conv2d.weight: expected .*13, 16, 1, 1.*unexpected: surplus'):
        load_published('snn', network, tensors)


def published_file(path, chosen='paper_small'):
    """Write untrained weights of a preset under their published names; return them."""
    weights = untrained(preset(chosen), seed=3)
    torch.save({published_name('hybrid_snn', name): torch.from_numpy(tensor)
                for name, tensor in weights.tensors.items()}, path)
    return weights


def test_a_published_hybrid_becomes_weights_that_nodes_load(tmp_path, capsys):
    expected = published_file(tmp_path / 'hybrid.pt')
    assert main(['convert', 'checkpoint', str(tmp_path / 'hybrid.pt'), '--output',
                 str(tmp_path / 'ours')]) == 0
    assert 'paper_small.safetensors: weights of preset paper_small' in capsys.readouterr().out
    weights = shipped('paper_small', str(tmp_path / 'ours' / 'paper_small.safetensors'))
    assert identity(weights) == identity(expected)
    assert weights.card['training'] == {'weights': 'published', 'file': 'hybrid.pt'}


def test_a_network_that_runs_alone_is_not_converted(tmp_path, capsys):
    weights, _ = networks('snn')
    torch.save(weights.tensors, tmp_path / 'snn.pt')
    assert main(['convert', 'checkpoint', str(tmp_path / 'snn.pt'), '--output',
                 str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and 'reproduce --published snn=FILE' in error


def test_a_published_file_is_read_back(tmp_path):
    tensors = {'conv1.weight': torch.ones(2), 'norm.num_batches_tracked': torch.tensor(3)}
    torch.save(tensors, tmp_path / 'ann.pt')
    assert torch.equal(read_published(tmp_path / 'ann.pt')['conv1.weight'], torch.ones(2))


@pytest.mark.parametrize('content', [b'', b'no archive'])
def test_a_damaged_published_file_is_one_line(tmp_path, content):
    (tmp_path / 'ann.pt').write_bytes(content)
    with pytest.raises(CheckpointError, match='ann.pt cannot be read'):
        read_published(tmp_path / 'ann.pt')


def test_a_file_of_something_else_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / 'ann.pt')
    with pytest.raises(CheckpointError, match='is not a state dictionary'):
        read_published(tmp_path / 'ann.pt')
