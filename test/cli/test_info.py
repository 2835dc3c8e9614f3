# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import PRESETS
from hybrid_pose_ros.networks.blocks import ConvTensors
from hybrid_pose_ros.networks.hybrid import Hybrid


def info(capsys, *arguments):
    """Return what the verb prints for machines."""
    assert main(['info', *arguments, '--json']) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_paper_has_its_published_size(capsys):
    result = info(capsys, '--preset', 'paper')
    assert result['ann'] == {'parameters': 19_818_669, 'macs': 22_601_007_104}
    assert result['heads'] == {'parameters': 552_064, 'macs': 1_275_068_416}
    assert result['snn'] == {'parameters': 4_410_112, 'macs': 24_016_584_704}
    assert result['neurons'] == 8_126_464
    assert result['state_bytes'] == 4 * 8_126_464
    assert result['heatmap_bytes'] == 4 * 851_968


PAPER_MMACS = {
    'ann.s1.conv1': 2055.21, 'ann.s1.conv2': 3288.33, 'ann.s2.conv1': 838.86,
    'ann.s2.conv2': 1677.72, 'ann.s3.conv1': 301.99, 'ann.s3.conv2': 603.98,
    'ann.s6.conv1': 150.99, 'ann.s6.conv2': 150.99, 'ann.a1.conv1': 603.98,
    'ann.a1.conv2': 1207.96, 'ann.a5.conv1': 1207.96, 'ann.a5.conv2': 1207.96,
    'ann.output': 245.37, 'heads.enc0.conv1': 67.11, 'heads.res1.conv1': 134.22,
    'heads.res1.conv2': 67.11, 'snn.enc0': 104.86, 'snn.down1': 838.86, 'snn.down2': 838.86,
    'snn.down3': 838.86, 'snn.res1': 603.98, 'snn.res2': 603.98, 'snn.up1': 6710.89,
    'snn.up2': 6710.89, 'snn.up3': 6710.89, 'snn.output': 54.53}
PAPER_PARAMETERS = {
    'ann.s1.conv1': 31_392, 'ann.s1.conv2': 50_208, 'ann.output': 3_757, 'snn.enc0': 1_664,
    'snn.down1': 51_328, 'snn.down2': 205_056, 'snn.down3': 819_712, 'snn.res1': 590_336,
    'snn.res2': 590_336, 'snn.up1': 1_638_656, 'snn.up2': 409_728, 'snn.up3': 102_464,
    'snn.output': 832}
PAPER_BLOCKS = {
    'ann.s2': 153_728, 'ann.s3': 221_440, 'ann.s4': 885_248, 'ann.s5': 3_539_968,
    'ann.s6': 4_719_616, 'ann.a1': 7_078_912, 'ann.a2': 2_359_808, 'ann.a3': 590_080,
    'ann.a4': 147_584, 'ann.a5': 36_928, 'heads.enc0': 2_240, 'heads.down1': 8_576,
    'heads.down2': 33_536, 'heads.down3': 132_608, 'heads.res1': 198_144,
    'heads.res2': 132_608, 'heads.up1': 33_536, 'heads.up2': 8_576, 'heads.up3': 2_240}


def test_the_papers_layers_have_their_published_sizes(capsys):
    layers = {layer['name']: layer for layer in info(capsys, '--preset', 'paper')['layers']}
    for name, mmacs in PAPER_MMACS.items():
        assert layers[name]['macs'] / 1e6 == pytest.approx(mmacs, abs=0.006), name
    for name, parameters in PAPER_PARAMETERS.items():
        assert layers[name]['parameters'] == parameters, name
    for name, parameters in PAPER_BLOCKS.items():
        block = layers[f'{name}.conv1'], layers[f'{name}.conv2']
        assert sum(layer['parameters'] for layer in block) == parameters, name


def test_edge_on_a_davis346(capsys):
    result = info(capsys)
    assert result['input'] == {'width': 173, 'height': 130, 'pooling': 2, 'origin_px': [0, 0]}
    assert result['neurons'] == 345_696
    assert result['state_bytes'] + result['heatmap_bytes'] == 1_676_844


def test_the_card_of_weights_says_what_its_network_costs(capsys, tmp_path):
    untrained(PRESETS['edge']).save(tmp_path / 'edge.safetensors')
    assert info(capsys, '--network', str(tmp_path / 'edge.json')) == info(capsys)


@pytest.fixture(params=PRESETS)
def hybrid(request):
    """Return each preset's network, `paper` without memory: shapes are enough for it."""
    with torch.device('meta' if request.param == 'paper' else 'cpu'):
        yield Hybrid(PRESETS[request.param]).eval()


def info_and_inputs(capsys, hybrid):
    """Return what is printed for a DAVIS346, and a frame and counts of the input's size."""
    result = info(capsys, '--preset', hybrid.preset.name)
    size = result['input']['height'], result['input']['width']
    return result, torch.zeros(1, 2 * hybrid.preset.ann.bins, *size), torch.zeros(1, 2, *size)


def test_torch_has_as_many_parameters_and_multiplies_as_often(capsys, hybrid):
    result, frame, counts = info_and_inputs(capsys, hybrid)
    macs = {}
    with torch.no_grad():
        with FlopCounterMode(display=False) as counter:
            _, features = hybrid.ann(frame)
        macs['ann'] = counter.get_total_flops() / 2
        with FlopCounterMode(display=False) as counter:
            hybrid.heads(features, *reversed(frame.shape[-2:]))
        macs['heads'] = counter.get_total_flops() / 2
        state = hybrid.initialize(frame)
        with FlopCounterMode(display=False) as counter:
            hybrid.step(counts, state, 10_000)
        macs['snn'] = counter.get_total_flops() / 2
        if hybrid.snn.feedback is not None:
            macs['snn'] += hybrid.snn.feedback.weight.numel()  # added, which torch does not count
    for part, count in macs.items():
        parameters = sum(p.numel() for p in hybrid.get_submodule(part).parameters())
        assert result[part] == {'parameters': parameters, 'macs': count}


def test_torch_has_the_same_layers_and_shapes(capsys, hybrid):
    result, frame, counts = info_and_inputs(capsys, hybrid)
    shapes = {}

    def note(name, output):
        shapes[name] = list((output[0] if isinstance(output, tuple) else output).shape[1:])

    for name, module in hybrid.named_modules():
        if isinstance(module, ConvTensors):
            module.register_forward_hook(lambda _, __, output, name=name: note(name, output))
    with torch.no_grad():
        hybrid.step(counts, hybrid.initialize(frame), 10_000)
    moved = shapes.pop('snn.flow', None)  # one x and one y a joint, not a map
    expected = {layer['name']: layer['shape'] for layer in result['layers']}
    assert moved is None or np.prod(moved) == expected.pop('snn.flow')[0]
    assert shapes == expected


def test_people_get_a_table(capsys):
    assert main(['info', '--preset', 'edge']) == 0
    text = capsys.readouterr().out
    assert 'snn.output' in text
    assert '345,696 neurons' in text


def test_a_sensor_that_is_too_small_is_one_line_of_error(capsys):
    assert main(['info', '--preset', 'paper', '--width', '128', '--height', '128']) == 1
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert 'at least 256x256' in error


def test_a_sensor_without_pixels_is_refused(capsys):
    assert main(['info', '--width', '0']) == 1
    assert 'expected 1x1 to 4096x4096' in capsys.readouterr().err
