# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from hybrid_pose_ros.model.checkpoint import identity, parameter_shapes, untrained
from hybrid_pose_ros.model.layout import heatmap_shape, spike_maps
from hybrid_pose_ros.model.presets import PRESETS, preset
from hybrid_pose_ros.networks.hybrid import Hybrid

EDGE = preset('edge')
SIZE = 45, 34  # cells: no multiple of anything, so every crop is at work


@pytest.fixture(params=PRESETS)
def chosen(request):
    """Return each preset."""
    return PRESETS[request.param]


def hybrid_of(chosen, seed=0):
    """Return untrained weights in torch."""
    return Hybrid.from_checkpoint(untrained(chosen, seed))


def counts_of(channels, rate=0.1, batch=1, size=SIZE, seed=0):
    """Return random event counts (batch, channels, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.poisson(torch.full((batch, channels, *size[::-1]), rate), generator=generator)


def test_the_state_dictionary_is_the_checkpoint(chosen):
    tensors = Hybrid(chosen).state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == \
        parameter_shapes(chosen)


def test_weights_survive_the_way_through_torch(chosen):
    checkpoint = untrained(chosen, seed=3)
    back = Hybrid.from_checkpoint(checkpoint).to_checkpoint({'trained': False})
    assert identity(back) == identity(checkpoint)


def test_loading_does_not_tie_the_network_to_the_checkpoints_arrays():
    checkpoint = untrained(EDGE)
    hybrid = Hybrid.from_checkpoint(checkpoint)
    with torch.no_grad():
        hybrid.snn.output.bias += 1
    assert not checkpoint.tensors['snn.output.bias'].any()


def test_shapes_are_those_of_the_layout(chosen):
    hybrid = hybrid_of(chosen)
    with torch.no_grad():
        state = hybrid.initialize(counts_of(20, batch=2))
        heatmaps, after, spikes = hybrid.step_with_spikes(counts_of(2, batch=2), state, 10_000)
    maps = spike_maps(chosen, *SIZE)
    assert {name: tuple(s.shape[1:]) for name, s in spikes.items()} == maps
    for layers in (state.layers, after.layers):
        assert [tuple(layer.membrane.shape[1:]) for layer in layers] == list(maps.values())
    for tensor in (heatmaps, state.held, state.integrated, after.held, after.integrated):
        assert tuple(tensor.shape) == (2, *heatmap_shape(chosen, *SIZE))


@pytest.mark.parametrize('size', [(1, 1), (2, 3), (7, 5), (33, 16)])
def test_any_input_size_will_do(chosen, size):
    hybrid = hybrid_of(chosen)
    with torch.no_grad():
        state = hybrid.initialize(counts_of(20, size=size))
        heatmaps, _ = hybrid.step(counts_of(2, size=size), state, 10_000)
    assert tuple(heatmaps.shape[1:]) == heatmap_shape(chosen, *size)


def test_spikes_are_binary_and_some_there_are():
    hybrid = hybrid_of(EDGE)
    with torch.no_grad():
        state = hybrid.resting_state(1, *SIZE)
        for seed in range(8):
            _, state, spikes = hybrid.step_with_spikes(counts_of(2, seed=seed), state, 10_000)
    for name, spike_map in spikes.items():
        assert set(spike_map.unique().tolist()) == {0, 1}, name


def test_a_state_starts_with_the_anns_heatmap_and_nothing_integrated(chosen):
    hybrid = hybrid_of(chosen)
    frame = counts_of(20)
    with torch.no_grad():
        state = hybrid.initialize(frame)
        heatmaps, _ = hybrid.ann(frame)
    assert torch.equal(state.held, heatmaps)
    assert not state.integrated.any()


def test_the_papers_output_decays_to_a_tenth_in_ten_steps():
    """Without spikes: 0.8, 0.64 ... 0.1074 of the ANN's heatmap."""
    hybrid = hybrid_of(preset('paper'))
    state = hybrid.resting_state(1, *SIZE)._replace(
        held=torch.ones(1, *heatmap_shape(hybrid.preset, *SIZE)))
    kept = []
    with torch.no_grad():
        for _ in range(10):
            heatmaps, state = hybrid.step(torch.zeros(1, 2, *SIZE[::-1]), state, 10_000)
            kept.append(heatmaps.mean().item())
    assert kept == pytest.approx([0.8 ** step for step in range(1, 11)], rel=1e-5)
    assert kept[-1] == pytest.approx(0.1074, abs=5e-5)


def test_silence_does_not_depend_on_the_length_of_the_bins():
    """Biases are currents and leaks are times: ten bins of 1 ms are one of 10 ms."""
    hybrid = hybrid_of(EDGE)
    with torch.no_grad():
        for name, tensor in hybrid.snn.named_parameters():
            if name.endswith('bias'):
                tensor += 0.3
        start = hybrid.initialize(counts_of(20))
        start = start._replace(layers=tuple(
            layer._replace(membrane=layer.membrane.clamp(-1, 0.5)) for layer in start.layers))
        empty = torch.zeros(1, 2, *SIZE[::-1])
        expected, long = hybrid.step(empty, start, 10_000)
        state = start
        for _ in range(10):
            heatmaps, state = hybrid.step(empty, state, 1_000)
    torch.testing.assert_close(heatmaps, expected, rtol=1e-4, atol=1e-5)
    for short_layer, long_layer in zip(state.layers, long.layers):
        torch.testing.assert_close(short_layer.membrane, long_layer.membrane, rtol=1e-4, atol=1e-5)


def test_steps_leave_the_state_before_them_as_it_was(chosen):
    hybrid = hybrid_of(chosen)
    with torch.no_grad():
        state = hybrid.initialize(counts_of(20))
        before = [layer.membrane.clone() for layer in state.layers]
        hybrid.step(counts_of(2), state, 10_000)
    assert all(torch.equal(a, layer.membrane) for a, layer in zip(before, state.layers))


def test_two_bins_in_one_go_or_apart_are_the_same(chosen):
    """All that a step needs of the past is in the state: samples of a batch do not mix either."""
    hybrid = hybrid_of(chosen)
    frame, bins = counts_of(20, batch=2), [counts_of(2, batch=2, seed=seed) for seed in (1, 2)]
    with torch.no_grad():
        state = hybrid.initialize(frame)
        for counts in bins:
            together, state = hybrid.step(counts, state, 10_000)
        state = hybrid.initialize(frame[1:])
        for counts in bins:
            alone, state = hybrid.step(counts[1:], state, 10_000)
    torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-4)


def test_the_residual_spikes_are_added_to_the_convolution():
    """With zero weights the residual alone charges res2: 1 in edge, a third of it in paper."""
    charge = {}
    for name in ('paper', 'edge'):
        chosen = preset(name)
        hybrid = Hybrid(chosen).eval()
        source = chosen.layer('res2').residual
        state = hybrid.resting_state(1, *SIZE)
        layers = {layer.name: state for layer, state in zip(chosen.spiking, state.layers)}
        maps = {source: torch.ones_like(layers[source].membrane),
                'res1': torch.zeros_like(layers['res1'].membrane)}
        with torch.no_grad():
            spikes, after = hybrid.snn.res2(maps, layers['res2'], 10_000)
        charge[name] = (spikes + after.membrane).unique().tolist()
    assert charge == {'paper': [pytest.approx(1 / 3)], 'edge': [1]}


def test_counts_are_clipped_where_the_preset_says():
    frame = 20 * counts_of(20)
    with torch.no_grad():
        edge, paper = hybrid_of(EDGE), hybrid_of(preset('paper'))
        assert torch.equal(edge.ann(frame)[0], edge.ann(frame.clamp(max=5))[0])
        assert not torch.equal(paper.ann(frame)[0], paper.ann(frame.clamp(max=5))[0])


def test_the_gradient_reaches_heads_and_snn_and_not_the_ann(chosen):
    hybrid = hybrid_of(chosen)
    with torch.no_grad():
        hybrid.heads.enc0.conv2.weight *= 10  # so that the first spikes come without training
    state = hybrid.initialize(counts_of(20))
    for seed in range(3):
        heatmaps, state = hybrid.step(counts_of(2, seed=seed), state, 10_000)
    (heatmaps.square().sum() + state.offset.square().sum()).backward()
    assert all(p.grad is None for p in hybrid.ann.parameters())
    for part in (hybrid.heads, hybrid.snn):
        for name, parameter in part.named_parameters():
            assert parameter.grad is not None and np.isfinite(parameter.grad.numpy()).all(), name
    for conv in (hybrid.heads.enc0.conv1, hybrid.snn.enc0):
        assert conv.weight.grad.abs().sum() > 0


def test_a_moved_scene_moves_the_heatmap_as_much():
    """A shift by 8 cells is one by 4 elements of edge's heatmap, far from the borders."""
    hybrid = hybrid_of(EDGE)
    counts = torch.zeros(1, 2, 96, 96)
    counts[:, :, 40:48, 40:48] = counts_of(2, rate=2.0, size=(8, 8))
    outputs = []
    with torch.no_grad():
        for shift in (0, 8):
            state = hybrid.resting_state(1, 96, 96)
            for _ in range(3):
                heatmaps, state = hybrid.step(counts.roll(shift, dims=3), state, 10_000)
            outputs.append(heatmaps)
    assert outputs[0].abs().max() > 0
    torch.testing.assert_close(outputs[1], outputs[0].roll(4, dims=3), rtol=1e-4, atol=1e-5)
