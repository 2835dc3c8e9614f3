# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose train`."""

import json
import sys

import numpy as np
import pytest
from labeled_clips import circling_clip, write_clip
from two_processes import torchrun

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.model import checkpoint

SMALL = ['--ann-batch', '2', '--snn-batch', '2', '--precision', 'fp32']
"""Few CPUs multiply bf16, others take several times as long for it."""


def record(folder, seed, events_ms=20):
    """Write a clip as a recording into a folder."""
    write_clip(folder, circling_clip(seed, events_ms=events_ms))


def train(tmp_path, *more):
    """Run two iterations of each stage; return the exit status."""
    return main(['train', '--corpus', str(tmp_path / 'corpus'), '--output', str(tmp_path / 'run'),
                 '--ann-iterations', '2', '--snn-iterations', '2', '--device', 'cpu', '--json',
                 *more])


def test_weights_come_with_what_was_measured_on_the_validation_recordings(tmp_path, capsys):
    record(tmp_path / 'corpus', 0)
    record(tmp_path / 'validation', 1)
    assert train(tmp_path, *SMALL, '--validation', str(tmp_path / 'validation')) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    weights = checkpoint.load(result['weights'], 'edge')
    assert weights.card['trained'] and weights.card['training']['clips'] == 1
    rows = weights.card['metrics']['by_age']['rows']
    assert set(rows) == {'ann', 'ann_held', 'hybrid_10000us', 'hybrid_1000us'}
    assert all(np.isfinite(row['mpjpe_px']) for row in rows.values())
    assert weights.card['metrics']['live']['poses'] > 300


def test_preset_paper_is_trained_by_its_recipe(tmp_path, capsys):
    """`paper_small` stands for it; it has the same recipe, at a higher rate."""
    record(tmp_path / 'corpus', 0, events_ms=40)
    more = ['--preset', 'paper_small', '--snn-batch', '1']
    assert train(tmp_path, *more) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    weights = checkpoint.load(result['weights'], 'paper_small')
    training = weights.card['training']
    assert weights.card['trained']
    assert training['ann_batch'] == 8 and training['hybrid_snn_batch'] == 1
    assert training['ann_iterations'] == training['snn_iterations'] == 2
    start = ['--start', result['weights'], '--output', str(tmp_path / 'more')]
    assert train(tmp_path, *more, *start, '--ann-iterations', '0', '--snn-iterations', '0') == 0
    again = json.loads(capsys.readouterr().out.splitlines()[-1])['weights']
    assert checkpoint.identity(checkpoint.load(again)) == checkpoint.identity(weights)


@pytest.mark.parametrize('more, fault', [
    (['--alone'], 'reproduce --systems snn'), (['--task', 'gesture'], 'train edge'),
    (['--precision', 'bf16'], 'trained in fp32')])
def test_what_the_published_recipe_has_not_is_a_mistake_of_one_line(more, fault, tmp_path,
                                                                    capsys):
    record(tmp_path / 'corpus', 0)
    assert train(tmp_path, '--preset', 'paper', *more) == 1
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and fault in error


def test_without_tensorboard_one_line_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    record(tmp_path / 'corpus', 0)
    monkeypatch.delitem(sys.modules, 'torch.utils.tensorboard', raising=False)
    monkeypatch.setitem(sys.modules, 'tensorboard', None)
    assert train(tmp_path, '--ann-iterations', '0', '--snn-iterations', '0') == 0
    assert capsys.readouterr().err.count('pip install tensorboard\n') == 1


def test_of_two_processes_the_first_alone_tells_and_writes(tmp_path):
    record(tmp_path / 'corpus', 0)
    run = torchrun('-m', 'hybrid_pose_ros.cli.main', 'train', '--corpus', tmp_path / 'corpus',
                   '--output', tmp_path / 'run', '--ann-iterations', '1', '--snn-iterations', '1',
                   *SMALL, '--device', 'cpu', '--json')
    assert run.returncode == 0, run.stderr
    result, = map(json.loads, run.stdout.splitlines())
    assert result['card']['training']['processes'] == 2
    assert sorted(path.name for path in (tmp_path / 'run').iterdir() if path.is_file()) == [
        'ann.pt', 'edge.json', 'edge.safetensors', 'run.json', 'snn.pt']


def test_weights_that_run_alone_are_not_measured_as_a_hybrid(tmp_path, capsys):
    assert train(tmp_path, '--alone', '--validation', str(tmp_path)) == 1
    assert 'evaluate --snn-checkpoint' in capsys.readouterr().err


def test_a_corpus_without_recordings_is_a_mistake_of_one_line(tmp_path, capsys):
    (tmp_path / 'corpus').mkdir()
    assert train(tmp_path) == 1
    assert capsys.readouterr().err.count('\n') == 1
