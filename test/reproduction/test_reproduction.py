# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's table on recordings of ours."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from labeled_clips import HEIGHT, WIDTH, circling_clip
from torch import nn
from two_processes import torchrun

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model import checkpoint
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.networks.published import published_name
from hybrid_pose_ros.networks.systems import SYSTEMS
from hybrid_pose_ros.recordings.hdf5 import Hdf5Writer
from hybrid_pose_ros.reproduction.figures import PUBLISHED
from hybrid_pose_ros.reproduction.run import ReproductionParams, reproduce
from hybrid_pose_ros.reproduction.scores import firing_rates, modelled_mw, score_system
from hybrid_pose_ros.training.windows import Windows

CPU = torch.device('cpu')
CLIP = circling_clip(duration_ms=520, events_ms=40)  # two windows, three of the ANN
ROWS = {'ann', 'ann_held', 'snn', 'rnn', 'hybrid_rnn', 'hybrid_snn'}


@pytest.mark.parametrize('row, published', [
    (row, published) for row, figures in PUBLISHED.items() for published in figures])
def test_published_means_are_those_of_the_published_steps(row, published):
    if published.by_step:
        assert len(published.by_step) == 10
        assert np.mean(published.by_step) == pytest.approx(published.mpjpe_px, abs=2e-3)


class Seer(nn.Module):
    """Puts out the true cells of windows one by one, some cells too far right."""

    def __init__(self, windows, off=0):
        super().__init__()
        self._targets = map(windows.step_targets, windows.all)
        self._off = off

    def initialize(self, frame):
        """Return the steps of the next window."""
        self._shape = frame.shape[-2:]
        return iter(next(self._targets).cells)

    def step(self, counts, state, dt_us):
        """Return a heatmap with one cell of 1 for each joint."""
        heatmaps = torch.zeros(1, 13, *self._shape)
        for joint, (x, y) in enumerate(next(state)):
            heatmaps[0, joint, y, x + self._off] = 1
        return heatmaps, state


@pytest.mark.parametrize('off', [0, 3])
def test_an_error_is_the_distance_from_the_pixel_of_a_joint(off):
    windows = Windows([CLIP], preset('paper_small'), 10)
    errors = score_system('rnn', Seer(windows, off), windows, 10_000, CPU, batch=1)
    assert np.array_equal(errors['rnn'], np.full((2, 10), float(off)))


def test_joints_that_are_not_shown_do_not_count():
    hidden = CLIP.visible.copy()
    hidden[:, 1:] = False
    moved = CLIP.joints_px.copy()
    moved[:, 0] -= 5  # of the one joint that is shown, the truth is elsewhere
    windows = Windows([CLIP._replace(visible=hidden, joints_px=moved)], preset('paper_small'), 10)
    seer = Seer(Windows([CLIP], preset('paper_small'), 10))
    errors = score_system('rnn', seer, windows, 10_000, CPU, batch=1)['rnn']
    assert errors == pytest.approx(50 ** 0.5)


@pytest.fixture(scope='module')
def reproduced(tmp_path_factory):
    """Return the folder and the report of a run with all systems."""
    folder = tmp_path_factory.mktemp('out')
    params = ReproductionParams(preset='paper_small', epochs=0.5)
    return folder, params, reproduce(params, [CLIP], [circling_clip(1, 520, 40)], folder, CPU)


def test_every_row_of_the_paper_has_ten_steps_and_published_ones(reproduced):
    _, _, report = reproduced
    assert set(report['rows']) == ROWS
    for row in report['rows'].values():
        assert len(row['mpjpe_px_by_step']) == 10 and np.isfinite(row['mpjpe_px_by_step']).all()
        assert row['mpjpe_px'] == pytest.approx(np.mean(row['mpjpe_px_by_step']), abs=1e-3)
        assert row['published'][0]['camera'] == 3
    hybrid = report['rows']['hybrid_snn']
    assert 0 < hybrid['firing_percent'] < 100 and len(hybrid['firing_percent_by_layer']) == 9
    assert hybrid['modelled_mw']['7nm'] < report['rows']['ann']['modelled_mw']['7nm']
    ratio = report['ratios']['hybrid_snn_to_ann']
    assert ratio['published'] == pytest.approx(5.189 / 5.035, abs=1e-4)


def test_a_run_that_is_done_trains_nothing_again(reproduced):
    folder, params, report = reproduced
    stages = set()
    again = reproduce(params, [CLIP], [circling_clip(1, 520, 40)], folder, CPU,
                      progress=lambda stage, *_: stages.add(stage))
    assert stages == {f'score {system}' for system in params.systems.split(',')}
    assert again == report == json.loads((folder / 'report.json').read_text())


@pytest.mark.parametrize('seed, clip, fault', [(1, CLIP, 'other seed'),
                                               (2022, circling_clip(3, 520, 40), 'recordings')])
def test_systems_of_another_run_are_not_taken_for_those_of_this(reproduced, seed, clip, fault):
    """They were scored as if they had been trained on what is given."""
    folder, params, _ = reproduced
    with pytest.raises(InputError, match=fault):
        reproduce(dataclasses.replace(params, seed=seed), [clip], [CLIP], folder, CPU)


@pytest.mark.parametrize('content', ['', '[]', '{"seed": 1}'])
def test_a_damaged_note_of_the_run_is_one_line(content, tmp_path):
    (tmp_path / 'run.json').write_text(content)
    with pytest.raises(InputError, match='run.json is damaged'):
        reproduce(ReproductionParams(preset='paper_small'), [CLIP], [CLIP], tmp_path, CPU)


def test_the_hybrids_weights_run_in_all_other_commands(reproduced):
    folder, _, _ = reproduced
    weights = checkpoint.load(folder / 'paper_small.safetensors', 'paper_small')
    assert weights.card['trained'] is True


def test_hybrids_need_an_ann():
    params = ReproductionParams(preset='paper_small', systems='hybrid_snn')
    assert [recipe.system for recipe in params.recipes()] == ['ann', 'hybrid_snn']


def test_published_weights_are_scored_as_they_are(reproduced, tmp_path):
    folder, _, report = reproduced
    weights = checkpoint.load(folder / 'paper_small.safetensors')
    tensors = {published_name('hybrid_snn', name): torch.from_numpy(tensor)
               for name, tensor in weights.tensors.items()}
    torch.save(tensors, tmp_path / 'hybrid.pt')
    params = ReproductionParams(preset='paper_small', systems='hybrid_snn',
                                published=f'hybrid_snn={tmp_path / "hybrid.pt"}')
    again = reproduce(params, [CLIP], [circling_clip(1, 520, 40)], tmp_path, CPU)
    assert set(again['rows']) == {'hybrid_snn'}
    row = again['rows']['hybrid_snn']
    assert row['mpjpe_px_by_step'] == report['rows']['hybrid_snn']['mpjpe_px_by_step']
    assert row['iterations'] is None
    converted = checkpoint.load(tmp_path / 'paper_small.safetensors')
    assert checkpoint.identity(converted) == checkpoint.identity(weights)


@pytest.mark.parametrize('content, said', [
    ('a text', 'it is damaged, or contains more than tensors'), (None, 'it does not exist')])
def test_published_weights_are_read_before_anything_is_trained(content, said, tmp_path):
    """A text file was a KeyError after all training."""
    if content is not None:
        (tmp_path / 'hybrid.pt').write_text(content)
    params = ReproductionParams(preset='paper_small', systems='ann,hybrid_snn',
                                published=f'hybrid_snn={tmp_path / "hybrid.pt"}')
    with pytest.raises(InputError, match=f'hybrid.pt cannot be read as a torch file .*{said}'):
        reproduce(params, [CLIP], [CLIP], tmp_path / 'out', CPU)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('given', ['hybrid_snn', 'hybrid_snn=', 'cnn=a.pt', 'a.pt'])
def test_published_weights_are_given_by_system(given):
    with pytest.raises(InputError, match='SYSTEM=FILE'):
        ReproductionParams(published=given)


def test_an_unknown_system_is_named_with_the_choices():
    with pytest.raises(InputError, match="unknown system 'cnn': choose from ann, snn, rnn"):
        ReproductionParams(systems='ann,cnn')


def record(path, clip):
    """Write a clip as a recording."""
    path.parent.mkdir(exist_ok=True)
    with Hdf5Writer(path, width=WIDTH, height=HEIGHT) as writer:
        writer.append(clip.events)
        writer.append_labels(clip.label_us, clip.joints_px + 0.5,
                             np.zeros((*clip.visible.shape, 3)), clip.visible)


def test_the_command_prints_our_figures_beside_the_published_ones(tmp_path, capsys):
    record(tmp_path / 'set' / 'S1_a.h5', CLIP)
    record(tmp_path / 'set' / 'S13_a.h5', circling_clip(1, 520, 40))
    arguments = ['reproduce', '--dataset', str(tmp_path / 'set'), '--preset', 'paper_small',
                 '--output', str(tmp_path / 'out'), '--systems', 'ann,hybrid_snn', '--device',
                 'cpu', '--epochs', '0.5', '--threads', '1']
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert '| 5.19 / 4.97 | 1 |' in text and '| 5.16 | 5.19 | 5.26 | 5.28 |' in text
    assert 'snn |' not in text.replace('hybrid_snn |', '')
    assert (tmp_path / 'out' / 'report.md').read_text() in text
    assert (tmp_path / 'out' / 'error_by_step.png').stat().st_size > 10_000
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['split'].startswith('subjects 13, 14') and report['test']['windows'] == 2


def test_of_two_processes_the_first_alone_scores_and_writes(tmp_path):
    """Both learn from the mean of their gradients, so that half as many batches are an epoch."""
    for name in ('train', 'test'):
        record(tmp_path / name / 'a.h5', CLIP)
    run = torchrun('-m', 'hybrid_pose_ros.cli.main', 'reproduce', '--dataset', tmp_path,
                   '--preset', 'paper_small', '--output', tmp_path / 'out', '--systems', 'rnn',
                   '--device', 'cpu', '--epochs', '4', '--threads', '1', '--json')
    assert run.returncode == 0, run.stderr
    report, = map(json.loads, run.stdout.splitlines())
    assert report['processes'] == 2 and report['rows']['rnn']['iterations'] == 2


@pytest.mark.parametrize('more, fault', [
    (['--test-subjects', 'S13'], 'must be comma-separated'), (['--systems', 'cnn'], 'choose from'),
    (['--preset', 'edge'], 'no published recipe'), (['--device', 'tpu'], 'choose from'),
    ([], 'no recordings')])
def test_a_mistake_is_one_line(more, fault, tmp_path, capsys):
    (tmp_path / 'set').mkdir()
    assert main(['reproduce', '--dataset', str(tmp_path / 'set'), '--output',
                 str(tmp_path / 'out'), *more]) == 1
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and fault in error


def test_recipes_may_be_longer_than_published():
    params = ReproductionParams(epochs=20.0)
    assert {recipe.epochs for recipe in params.recipes()} == {20.0}
    assert dataclasses.replace(params, epochs=0.0).recipes()[0].epochs == 6


def test_firing_is_the_share_of_neurons_that_spike_in_a_step():
    """All neurons of the first layer fire once, others never."""
    network = SYSTEMS['snn'](preset('paper_small')).eval()
    with torch.no_grad():
        network.snn.enc0.norm.bias.fill_(4.0)  # half of it is 2 after a step, 1 after the reset
        state = network.initialize(torch.zeros(2, 20, 48, 64))
        with firing_rates(network) as rates:
            _, state = network.step(torch.zeros(2, 2, 48, 64), state, 10_000)
            network.snn.enc0.norm.bias.fill_(0.0)
            network.step(torch.zeros(2, 2, 48, 64), state, 10_000)
    assert rates == {layer.name: 0.5 * (layer.name == 'enc0')
                     for layer in preset('paper_small').spiking}


def test_modelled_power_is_the_published_one_at_its_rates():
    """Published at 45 nm: 101.3 mJ a pass, one convolution of 604 MMAC left out; heads 5.86 mJ."""
    paper, size = preset('paper'), (256, 256)
    silent = {layer.name: 0.0 for layer in paper.spiking}
    held = modelled_mw('ann_held', paper, size, 10, {})['45nm']
    assert held == pytest.approx(10 * (101.3 + 4.6e-3 * 603.98), rel=2e-3)
    assert modelled_mw('ann', paper, size, 10, {})['45nm'] == pytest.approx(10 * held)
    heads = modelled_mw('hybrid_snn', paper, size, 10, silent)['45nm'] - held
    assert heads == pytest.approx(58.6, rel=2e-3)
    every = {layer.name: 0.01 for layer in paper.spiking}
    snn = modelled_mw('snn', paper, size, 10, every)['45nm']
    assert snn == pytest.approx(100 * 0.01 * 0.9e-3 * 23_962, rel=1e-3)
    assert modelled_mw('hybrid_rnn', paper, size, 10, {}) is None
