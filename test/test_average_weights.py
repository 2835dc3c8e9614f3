# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The mean of two sets of weights."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hybrid_pose_ros.model.checkpoint import identity, load, untrained
from hybrid_pose_ros.model.presets import preset

sys.path.append(str(Path(__file__).parents[1] / 'tools'))
import average_weights


def filled(value):
    """Return weights that are all the same number."""
    weights = untrained(preset('edge'))
    return replace(weights, tensors={name: np.full_like(tensor, value)
                                     for name, tensor in weights.tensors.items()})


def test_a_quarter_of_the_way_from_two_to_four_is_two_and_a_half():
    mean = average_weights.average(filled(2.0), filled(4.0), 0.25)
    assert all((tensor == 2.5).all() and tensor.dtype == np.float32
               for tensor in mean.tensors.values())


@pytest.mark.parametrize('part, prefixes', (('ann', {'ann'}), ('snn', {'snn', 'heads'})))
def test_only_the_part_that_is_named_changes(part, prefixes):
    mean = average_weights.average(filled(0.0), filled(1.0), 0.5, part)
    changed = {name for name, tensor in mean.tensors.items() if tensor.any()}
    assert {name.partition('.')[0] for name in changed} == prefixes


def test_the_command_writes_weights_whose_card_names_both(tmp_path, monkeypatch, capsys):
    first, second = filled(0.0), filled(1.0)
    first.save(tmp_path / 'a.safetensors')
    second.save(tmp_path / 'b.safetensors')
    monkeypatch.setattr(sys, 'argv', ['average_weights', *(str(tmp_path / f'{name}.safetensors')
                                                           for name in 'ab'),
                                      '--output', str(tmp_path / 'c.safetensors')])
    assert average_weights.main() == 0
    found = load(tmp_path / 'c.safetensors')
    assert identity(found) in capsys.readouterr().out
    assert found.card['averaged'] | {'training': None} == {
        'part': 'all', 'share': 0.5, 'of': identity(first), 'with': identity(second),
        'training': None}


def test_weights_of_another_network_are_refused(tmp_path, monkeypatch, capsys):
    filled(0.0).save(tmp_path / 'a.safetensors')
    untrained(preset('paper_small')).save(tmp_path / 'b.safetensors')
    monkeypatch.setattr(sys, 'argv', ['average_weights', *(str(tmp_path / f'{name}.safetensors')
                                                           for name in 'ab'),
                                      '--output', str(tmp_path / 'c.safetensors')])
    assert average_weights.main() == 1
    assert 'of different networks' in capsys.readouterr().err
    assert not (tmp_path / 'c.safetensors').exists()
