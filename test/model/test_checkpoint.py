# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
import safetensors.numpy

from hybrid_pose_ros.errors import CheckpointError
from hybrid_pose_ros.model.checkpoint import (
    Checkpoint, identity, load, parameter_shapes, untrained)
from hybrid_pose_ros.model.presets import preset

EDGE = preset('edge')


@pytest.fixture
def saved(tmp_path):
    """Return the path of untrained weights of edge."""
    path = tmp_path / 'weights' / 'edge.safetensors'
    untrained(EDGE).save(path)
    return path


def rewritten(path, change):
    """Apply a change to the tensors and the card of a file, without the checks of Checkpoint."""
    with safetensors.safe_open(path, 'numpy') as file:
        card = json.loads(file.metadata()['card'])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    change(tensors, card)
    safetensors.numpy.save_file(tensors, path, {'card': json.dumps(card)})
    return path


def test_a_checkpoint_comes_back_as_it_was_saved(saved):
    before, after = untrained(EDGE), load(saved)
    assert after.preset is EDGE
    assert after.tensors.keys() == before.tensors.keys()
    for name, tensor in before.tensors.items():
        np.testing.assert_array_equal(after.tensors[name], tensor)


def test_the_card_lies_beside_the_tensors_and_in_them(saved):
    card = json.loads(saved.with_suffix('.json').read_text())
    assert card == load(saved).card
    assert card['preset'] == 'edge'
    assert card['trained'] is False
    assert card['identity'] == identity(untrained(EDGE))


def test_nothing_else_is_left_beside_the_file(saved):
    assert {path.name for path in saved.parent.iterdir()} == {'edge.safetensors', 'edge.json'}


@pytest.mark.parametrize('name', ['paper', 'edge'])
def test_untrained_weights_have_the_shapes_of_the_preset(name):
    tensors = untrained(preset(name)).tensors
    assert {key: tensor.shape for key, tensor in tensors.items()} == parameter_shapes(preset(name))
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float32)}


def test_a_seed_names_its_weights():
    assert identity(untrained(EDGE)) == identity(untrained(EDGE, seed=0))
    assert identity(untrained(EDGE)) != identity(untrained(EDGE, seed=1))


def test_the_start_values_stay_the_same_between_versions():
    """Processes of different versions must not agree on an identity and differ in weights."""
    assert identity(untrained(EDGE)) == 'f07ea398ee5c456e'


def test_one_changed_weight_changes_the_identity():
    checkpoint = untrained(EDGE)
    before = identity(checkpoint)
    checkpoint.tensors['snn.output.bias'][0] = 1e-3
    assert identity(checkpoint) != before


def test_time_constants_start_at_those_of_the_preset():
    tensors = untrained(EDGE).tensors
    np.testing.assert_allclose(np.exp(tensors['snn.res1.log_tau_us']), 45_000, rtol=1e-6)
    assert np.exp(tensors['snn.output.log_tau_us']) == pytest.approx(40_000)
    assert np.exp(tensors['snn.output.log_tau_held_us']) == pytest.approx(1e6)


def test_all_faults_are_listed_in_one_error(saved):
    def spoil(tensors, card):
        del tensors['snn.enc0.weight']
        tensors['snn.enc9.weight'] = np.zeros(3, np.float32)
        tensors['ann.output.bias'] = np.zeros(12, np.float32)
        tensors['snn.res1.bias'] = tensors['snn.res1.bias'].astype(np.float64)
        tensors['snn.res2.bias'] = np.full(64, np.nan, np.float32)

    with pytest.raises(CheckpointError) as caught:
        load(rewritten(saved, spoil))
    text = str(caught.value)
    assert 'missing: snn.enc0.weight' in text
    assert 'unexpected: snn.enc9.weight' in text
    assert 'ann.output.bias: expected float32 (13,), got float32 (12,)' in text
    assert 'snn.res1.bias: expected float32 (64,), got float64 (64,)' in text
    assert 'snn.res2.bias: some values are not finite' in text
    assert str(saved) in text


def test_tensors_that_do_not_fit_make_no_checkpoint():
    with pytest.raises(CheckpointError, match='missing: ann.output.bias'):
        Checkpoint(EDGE, {}, {})


def test_weights_of_another_preset_say_which(saved):
    with pytest.raises(CheckpointError, match='weights of preset edge, but preset paper'):
        load(saved, 'paper')
    assert load(saved, 'edge').preset is EDGE


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match='no weights at .*gone.safetensors'):
        load(tmp_path / 'gone.safetensors')
    with pytest.raises(CheckpointError, match='no weights at'):
        load(tmp_path)


@pytest.mark.parametrize('content', [b'', b'\x08', b'not safetensors at all', b'\x00' * 64])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / 'weights.safetensors'
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match='cannot be read as safetensors'):
        load(path)


@pytest.mark.parametrize('part', [0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(saved, part):
    content = saved.read_bytes()
    saved.write_bytes(content[:int(part * len(content))])
    with pytest.raises(CheckpointError, match='cannot be read as safetensors'):
        load(saved)


def test_a_flipped_bit_is_noticed(saved):
    content = bytearray(saved.read_bytes())
    content[-100] ^= 1
    saved.write_bytes(content)
    with pytest.raises(CheckpointError, match='is damaged'):
        load(saved)


@pytest.mark.parametrize('metadata', [None, {'card': '[]'}, {'card': '{"preset": "tiny"}'},
                                      {'card': '{'}, {'card': '{"preset": []}'}])
def test_tensors_without_a_card_of_ours_are_refused(tmp_path, metadata):
    path = tmp_path / 'foreign.safetensors'
    safetensors.numpy.save_file({'weight': np.zeros(3, np.float32)}, path, metadata)
    with pytest.raises(CheckpointError, match='card|safetensors'):
        load(path)
