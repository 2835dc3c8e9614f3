# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training runs and what they leave behind."""

import dataclasses
import json
import os
import resource
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from labeled_clips import circling_clip

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.checkpoint import Checkpoint, untrained
from hybrid_pose_ros.model.network_description import describe
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.training import log
from hybrid_pose_ros.training.run import TrainingParams, train

CLIPS = [circling_clip(seed) for seed in range(2)]
PARAMS = TrainingParams(seed=3, ann_iterations=3, ann_batch=2, snn_iterations=3, snn_batch=2,
                        save_every=2, columns=32, device='cpu', precision='fp32')


@pytest.fixture(scope='module')
def whole(tmp_path_factory) -> Checkpoint:
    """Return the weights of an uninterrupted run."""
    return train(PARAMS, CLIPS, tmp_path_factory.mktemp('whole'))


@pytest.fixture(scope='module')
def first_stage(tmp_path_factory) -> tuple[Path, Checkpoint]:
    """Return the folder and the weights of a run of the first stage alone."""
    folder = tmp_path_factory.mktemp('first_stage')
    return folder, train(dataclasses.replace(PARAMS, snn_iterations=0), CLIPS, folder)


class Killed(BaseException):
    """Stands for the signal."""


def test_a_killed_run_that_is_resumed_ends_with_the_same_weights(whole, tmp_path):
    def kill(stage, iteration, figures):
        if stage == 'snn' and iteration == 2:
            raise Killed

    with pytest.raises(Killed):
        train(PARAMS, CLIPS, tmp_path / 'killed', kill)
    resumed = train(PARAMS, CLIPS, tmp_path / 'killed')
    assert all(np.array_equal(whole.tensors[name], resumed.tensors[name])
               for name in whole.tensors)


def test_a_network_of_other_channels_is_trained_from_what_fits_of_other_weights(tmp_path):
    wide = describe(preset('edge'))
    wide['ann']['down'] = [*wide['ann']['down'][:-1], (192, 3)]
    for head in wide['heads']:
        head['in_channels'] = 192 if head['feature'] == 's4' else head['in_channels']
    (tmp_path / 'wide.json').write_text(json.dumps(wide))
    start = untrained(preset('edge'), seed=7)
    start.save(tmp_path / 'edge.safetensors')
    params = dataclasses.replace(PARAMS, ann_iterations=0, snn_iterations=0,
                                 start=str(tmp_path / 'edge.safetensors'),
                                 network=str(tmp_path / 'wide.json'))
    trained = train(params, CLIPS, tmp_path / 'out')
    assert trained.tensors['ann.s4.conv1.weight'].shape == (192, 80, 3, 3)
    np.testing.assert_array_equal(trained.tensors['ann.s1.conv1.weight'],
                                  start.tensors['ann.s1.conv1.weight'])
    assert not trained.card['trained']


def test_an_interrupted_run_saves_what_it_learned_and_resumes_there(tmp_path):
    """Up to 200 iterations were lost."""
    params = dataclasses.replace(PARAMS, save_every=1000, snn_iterations=0)
    whole = train(params, CLIPS, tmp_path / 'whole')

    def interrupt(stage, iteration, figures):
        if iteration == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(params, CLIPS, tmp_path / 'interrupted', interrupt)
    assert torch.load(tmp_path / 'interrupted' / 'ann.pt')['iteration'] == 2
    resumed = train(params, CLIPS, tmp_path / 'interrupted')
    assert all(np.array_equal(whole.tensors[name], resumed.tensors[name])
               for name in whole.tensors)


def test_a_folder_that_was_used_for_another_run_is_refused(tmp_path):
    """Nothing was trained, and the card of the weights named the other seed and clips."""
    params = dataclasses.replace(PARAMS, ann_iterations=1, snn_iterations=0)
    folder, start = tmp_path / 'run', tmp_path / 'start.safetensors'
    train(params, CLIPS, folder)
    untrained(preset('edge')).save(start)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for other, clips, named in (
            ({'seed': 4}, CLIPS, 'seed'), ({'alone': True}, CLIPS, 'alone'),
            ({'start': str(start)}, CLIPS, 'start'), ({'task': 'gesture'}, CLIPS, 'task'),
            ({}, CLIPS[:1], 'recordings')):
        with pytest.raises(InputError, match=f'a run with other {named}, .*another folder'):
            train(dataclasses.replace(params, **other), clips, folder)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()
                      if path.is_file()}


def test_the_card_tells_the_seed_and_which_corpus_the_weights_were_trained_on(tmp_path):
    short = dataclasses.replace(PARAMS, ann_iterations=0, snn_iterations=0)
    one, again, other = (train(short, clips, tmp_path / name).card['training']
                         for name, clips in (('a', CLIPS), ('b', CLIPS), ('c', CLIPS[:1])))
    assert one['seed'] == 3
    assert one['corpus'] == again['corpus'] != other['corpus']


def test_another_seed_gives_other_weights(tmp_path):
    short = dataclasses.replace(PARAMS, ann_iterations=1, snn_iterations=1)
    one = train(short, CLIPS, tmp_path / 'one')
    other = train(dataclasses.replace(short, seed=4), CLIPS, tmp_path / 'other')
    assert not np.array_equal(one.tensors['ann.s1.conv1.weight'],
                              other.tensors['ann.s1.conv1.weight'])


def test_precision_changes_the_loss_by_rounding_only(tmp_path):
    """bfloat16 has 8 bits of mantissa: the losses of a first batch are close, not equal."""
    losses = {precision: [] for precision in ('bf16', 'fp32')}
    for precision, seen in losses.items():
        params = dataclasses.replace(PARAMS, ann_iterations=1, snn_iterations=1,
                                     precision=precision)
        train(params, CLIPS, tmp_path / precision,
              lambda stage, iteration, figures: seen.append(figures['loss']))
    assert losses['bf16'] == pytest.approx(losses['fp32'], rel=0.02)
    assert all(bf16 != fp32 for bf16, fp32 in zip(*losses.values()))


def test_the_second_stage_leaves_the_ann_as_it_is(whole, first_stage):
    _, first = first_stage
    for name in whole.tensors:
        same = np.array_equal(whole.tensors[name], first.tensors[name])
        assert same or not name.startswith('ann.')
    for name in ('snn.res1.weight', 'heads.enc0.conv2.weight'):
        assert not np.array_equal(whole.tensors[name], first.tensors[name])


def test_the_loss_of_the_ann_falls(tmp_path):
    losses = []
    params = dataclasses.replace(PARAMS, ann_iterations=60, snn_iterations=0, ann_batch=4)
    train(params, CLIPS, tmp_path,
          lambda stage, iteration, figures: losses.append(figures['loss']))
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.5


def test_weights_count_as_trained_only_after_both_stages(whole, first_stage):
    _, first = first_stage
    assert first.card['trained'] is False
    assert whole.card['trained'] is True


def test_an_snn_that_runs_alone_needs_no_ann(tmp_path):
    """The ANN was trained too, and without it the weights counted as not trained."""
    params = dataclasses.replace(PARAMS, alone=True, snn_iterations=1)
    card = train(params, CLIPS, tmp_path).card
    assert card['trained'] is True and card['training']['ann_iterations'] == 0
    assert not (tmp_path / 'ann.pt').exists()


def test_a_damaged_file_to_resume_from_is_named(tmp_path):
    (tmp_path / 'ann.pt').write_bytes(b'no archive')
    with pytest.raises(InputError, match='ann.pt cannot be resumed from'):
        train(PARAMS, CLIPS, tmp_path)


def limit_files(size_bytes):
    """Let no file grow beyond a size, as on a disk that is full."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))


@contextmanager
def limits_lifted_after():
    """Make room again at once: pytest may be writing its report to a file, too."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_leaves_the_last_file_to_resume_from(tmp_path):
    """A failed write gave a traceback and left a part of a file beside the whole one."""
    def fill(stage, iteration, figures):
        if stage == 'ann' and iteration == 2:
            limit_files(100_000)

    with (limits_lifted_after(),
          pytest.raises(InputError, match='ann.*cannot be written .*run the same command again')):
        train(PARAMS, CLIPS, tmp_path, fill)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {'ann.pt', 'run.json'}
    assert torch.load(tmp_path / 'ann.pt')['iteration'] == 2


def test_a_full_disk_leaves_whole_lines_in_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr(log, 'LOG_EVERY', 1)
    lines = tmp_path / 'ann.jsonl'

    def fill(stage, iteration, figures):
        if iteration == 1:
            limit_files(lines.stat().st_size + 10)

    with limits_lifted_after(), pytest.raises(InputError, match='ann.jsonl cannot be written'):
        train(PARAMS, CLIPS, tmp_path, fill)
    assert [json.loads(line)['iteration'] for line in lines.read_text().splitlines()] == [1]


def test_a_file_to_resume_from_of_another_stage_is_named(first_stage, tmp_path):
    folder, _ = first_stage
    shutil.copy(folder / 'ann.pt', tmp_path / 'snn.pt')
    with pytest.raises(InputError, match='snn.pt belongs to another network'):
        train(PARAMS, CLIPS, tmp_path)


def test_weights_to_start_from_must_be_of_the_preset(tmp_path):
    untrained(preset('paper')).save(tmp_path / 'paper.safetensors')
    params = dataclasses.replace(PARAMS, start=str(tmp_path / 'paper.safetensors'))
    with pytest.raises(InputError, match='preset paper, but preset edge'):
        train(params, CLIPS, tmp_path)


def test_weights_to_start_from_must_have_the_shapes_of_the_preset(tmp_path):
    path = tmp_path / 'start.safetensors'
    untrained(preset('edge')).save(path)
    tensors = safetensors.numpy.load_file(path)
    with safetensors.safe_open(path, 'numpy') as file:
        metadata = file.metadata()
    tensors['snn.res1.weight'] = tensors['snn.res1.weight'][:-1].copy()
    safetensors.numpy.save_file(tensors, path, metadata)
    with pytest.raises(InputError, match='snn.res1.weight: expected'):
        train(dataclasses.replace(PARAMS, start=str(path)), CLIPS, tmp_path)


def test_clips_in_which_nobody_is_seen_are_refused(tmp_path):
    clips = [clip._replace(visible=np.zeros_like(clip.visible)) for clip in CLIPS]
    with pytest.raises(InputError, match='no person is visible'):
        train(PARAMS, clips, tmp_path)


@pytest.mark.parametrize('events', [CLIPS[0].events[:0], CLIPS[0].events[:499]])
def test_clips_with_too_few_events_for_the_ann_are_refused(tmp_path, events):
    with pytest.raises(InputError, match='500 events within 1 s'):
        train(PARAMS, [CLIPS[0]._replace(events=events)], tmp_path)


def test_clips_whose_labels_are_on_another_clock_are_refused(tmp_path):
    clip = CLIPS[0]._replace(label_us=CLIPS[0].label_us + 10_000_000)
    with pytest.raises(InputError, match='different clocks'):
        train(PARAMS, [clip], tmp_path)


def test_a_preset_with_a_published_recipe_is_trained_elsewhere():
    with pytest.raises(InputError, match='paper is trained by its published recipe'):
        train(TrainingParams(preset='paper'), CLIPS, Path('unused'))
