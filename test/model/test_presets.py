# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import math
import pkgutil

import pytest
from child_processes import python

import hybrid_pose_ros.representation
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.layout import heatmap_shape, spike_maps, state_layout
from hybrid_pose_ros.model.presets import (
    EVENTS, PRESETS, feature_depths, heatmap_depth, preset, spike_depths)

each_preset = pytest.mark.parametrize('chosen', PRESETS.values(), ids=list(PRESETS))


@each_preset
def test_layers_take_the_channels_that_the_layers_before_give(chosen):
    channels = {EVENTS: 2}
    for layer in chosen.spiking:
        assert layer.in_channels == sum(channels[name] for name in layer.inputs)
        channels[layer.name] = layer.out_channels
        if layer.residual:
            assert channels[layer.residual] == layer.out_channels
    assert chosen.output.in_channels == sum(channels[name] for name in chosen.output.inputs)


@each_preset
def test_maps_that_meet_are_of_one_size(chosen):
    depths = spike_depths(chosen)
    for layer in (*chosen.spiking, chosen.output):
        assert len({depths[name] for name in layer.inputs}) == 1
    for layer in chosen.spiking:
        if layer.residual:
            assert depths[layer.residual] == depths[layer.name]
    assert feature_depths(chosen)['output'] == heatmap_depth(chosen)


@each_preset
def test_every_spiking_layer_has_a_head_that_fits(chosen):
    assert [head.layer for head in chosen.heads] == [layer.name for layer in chosen.spiking]
    for head in chosen.heads:
        assert head.out_channels == chosen.layer(head.layer).out_channels
        doubled = feature_depths(chosen)[head.feature] - spike_depths(chosen)[head.layer]
        assert doubled in (0, 1)


def test_the_paper_upsamples_where_a_head_reduces_channels():
    paper = preset('paper')
    for head in paper.heads:
        doubled = feature_depths(paper)[head.feature] > spike_depths(paper)[head.layer]
        assert doubled == (head.in_channels > head.out_channels)


def test_the_papers_time_constants_give_its_leak_and_decay():
    paper = preset('paper')
    assert math.exp(-10_000 / paper.tau_us) == pytest.approx(2 / 3)
    assert math.exp(-10_000 / paper.tau_output_us) == pytest.approx(0.8)
    assert paper.tau_held_us == paper.tau_output_us


def test_sizes_of_edge_on_a_davis346():
    assert spike_maps(preset('edge'), 173, 130) == {
        'enc0': (16, 65, 87), 'down1': (32, 33, 44), 'down2': (64, 17, 22), 'res1': (64, 17, 22),
        'res2': (64, 17, 22), 'up1': (32, 33, 44), 'up2': (16, 65, 87)}
    assert heatmap_shape(preset('edge'), 173, 130) == (13, 65, 87)


def test_state_tensors_are_channels_last_and_end_with_the_heatmap():
    layout = state_layout(preset('edge'), 173, 130)
    assert list(layout) == ['membrane.enc0', 'membrane.down1', 'membrane.down2', 'membrane.res1',
                            'membrane.res2', 'membrane.up1', 'membrane.up2', 'heatmap']
    assert layout['membrane.enc0'] == (65, 87, 16)
    assert layout['heatmap'] == (65, 87, 13)


def test_an_unknown_preset_is_named_with_the_choices():
    choices = 'paper, paper_small, edge'
    with pytest.raises(InputError, match=f"unknown preset 'tiny': choose from {choices}"):
        preset('tiny')


def test_everything_but_the_networks_imports_without_torch():
    modules = ['hybrid_pose_ros.' + name for name in (
        'model.presets', 'model.layout', 'model.checkpoint', 'cli.info', 'pose.targets')]
    modules += [f'hybrid_pose_ros.representation.{module.name}' for module in
                pkgutil.iter_modules(hybrid_pose_ros.representation.__path__)]
    program = f'import sys; sys.modules["torch"] = None; import {", ".join(modules)}'
    ended = python(program)
    assert ended.returncode == 0, ended.stderr
