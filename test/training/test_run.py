# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training runs and what they leave behind."""

import dataclasses

import numpy as np
import pytest
from labeled_clips import circling_clip

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.training.run import TrainingParams, train

CLIPS = [circling_clip(seed) for seed in range(2)]
PARAMS = TrainingParams(seed=3, ann_iterations=4, ann_batch=2, snn_iterations=4, snn_batch=2,
                        save_every=2, columns=32, device='cpu')


class Killed(BaseException):
    """Stands for the signal."""


def test_a_killed_run_that_is_resumed_ends_with_the_same_weights(tmp_path):
    whole = train(PARAMS, CLIPS, tmp_path / 'whole')

    def kill(stage, iteration, figures):
        if stage == 'snn' and iteration == 2:
            raise Killed

    with pytest.raises(Killed):
        train(PARAMS, CLIPS, tmp_path / 'killed', kill)
    resumed = train(PARAMS, CLIPS, tmp_path / 'killed')
    assert all(np.array_equal(whole.tensors[name], resumed.tensors[name])
               for name in whole.tensors)


def test_another_seed_gives_other_weights(tmp_path):
    short = dataclasses.replace(PARAMS, ann_iterations=1, snn_iterations=1)
    one = train(short, CLIPS, tmp_path / 'one')
    other = train(dataclasses.replace(short, seed=4), CLIPS, tmp_path / 'other')
    assert not np.array_equal(one.tensors['ann.s1.conv1.weight'],
                              other.tensors['ann.s1.conv1.weight'])


def test_precision_changes_the_loss_by_rounding_only(tmp_path):
    """bfloat16 has 8 bits of mantissa, so that the losses of a first batch are close, not equal."""
    losses = {precision: [] for precision in ('bf16', 'fp32')}
    for precision, seen in losses.items():
        params = dataclasses.replace(PARAMS, ann_iterations=1, snn_iterations=1,
                                     precision=precision)
        train(params, CLIPS, tmp_path / precision,
              lambda stage, iteration, figures: seen.append(figures['loss']))
    assert losses['bf16'] == pytest.approx(losses['fp32'], rel=0.02)
    assert all(bf16 != fp32 for bf16, fp32 in zip(*losses.values()))


def test_the_second_stage_leaves_the_ann_as_it_is(tmp_path):
    ann_only = train(dataclasses.replace(PARAMS, snn_iterations=0), CLIPS, tmp_path)
    both = train(PARAMS, CLIPS, tmp_path)
    for name in both.tensors:
        same = np.array_equal(both.tensors[name], ann_only.tensors[name])
        assert same or not name.startswith('ann.')
    assert not np.array_equal(both.tensors['snn.res1.weight'], ann_only.tensors['snn.res1.weight'])
    assert not np.array_equal(both.tensors['heads.enc0.conv2.weight'],
                              ann_only.tensors['heads.enc0.conv2.weight'])


def test_the_loss_of_the_ann_falls(tmp_path):
    losses = []
    params = dataclasses.replace(PARAMS, ann_iterations=60, snn_iterations=0, ann_batch=4)
    train(params, CLIPS, tmp_path,
          lambda stage, iteration, figures: losses.append(figures['loss']))
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.5


def test_weights_count_as_trained_only_after_both_stages(tmp_path):
    card = train(dataclasses.replace(PARAMS, snn_iterations=0), CLIPS, tmp_path).card
    assert card['trained'] is False
    assert train(PARAMS, CLIPS, tmp_path).card['trained'] is True


def test_a_damaged_file_to_resume_from_is_named(tmp_path):
    (tmp_path / 'ann.pt').write_bytes(b'no archive')
    with pytest.raises(InputError, match='ann.pt cannot be resumed from'):
        train(PARAMS, CLIPS, tmp_path)


def test_a_preset_that_cannot_be_trained_yet_is_refused():
    with pytest.raises(InputError, match='paper'):
        TrainingParams(preset='paper')
