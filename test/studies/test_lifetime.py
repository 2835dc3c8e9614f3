# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long a state lasts."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labeled_clips import circling_clip, write_clip

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.studies.lifetime import lasts
from hybrid_pose_ros.studies.options import kept


def study(tmp_path, clip, *more):
    """Follow states on a clip; return the exit status."""
    write_clip(tmp_path / 'val', clip)
    return main(['study', 'lifetime', '--recording', str(tmp_path / 'val'), '--json',
                 '--output', str(tmp_path / 'out'), *more])


def test_a_state_lasts_until_a_straight_line_between_two_ages_passes_the_limit():
    assert lasts([10, 20, 30], [1.0, 2.0, 4.0], 3.0) == 25
    assert lasts([10, 20], [5.0, 6.0], 3.0) == 10
    assert lasts([10, 20], [1.0, 3.0], 3.0) is None


def test_ages_at_which_nothing_is_to_be_seen_do_not_count():
    """At an age at which all joints are out of sight, the error is None."""
    assert lasts([10, 20, 30], [1.0, None, 5.0], 3.0) == 20  # half of the way from 1 to 5
    assert lasts([10, 20], [None, 6.0], 3.0) == 20
    assert lasts([10, 20], [None, None], 3.0) is None


@given(st.lists(st.floats(0, 100), min_size=2, max_size=20), st.floats(0, 100),
       st.floats(0, 100))
def test_a_higher_limit_never_shortens_a_life(errors, one, other):
    ages = [10.0 * age for age in range(1, len(errors) + 1)]
    low, high = (lasts(ages, errors, limit) for limit in sorted((one, other)))
    assert high is None or (low is not None and low <= high)


def test_a_mute_snn_lasts_as_long_as_a_held_pose(tmp_path, capsys):
    checkpoint = untrained(preset('edge'))
    checkpoint.tensors['snn.output.weight'][...] = 0
    checkpoint.tensors['snn.output.log_tau_held_us'] = np.float32(np.log(1e15)).reshape(())
    checkpoint.save(tmp_path / 'mute.safetensors')
    assert study(tmp_path, circling_clip(duration_ms=1100, events_ms=20), '--checkpoint',
                 str(tmp_path / 'mute.safetensors')) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    errors = result['errors_px']
    assert errors['hybrid'] == errors['held'] and result['ann_px'] > 0
    of_all = result['rows'][0]
    assert of_all['hybrid lasts [ms]'] == of_all['held lasts [ms]']
    # 20 events/ms: of 5 % of them the ANN has not enough when the state is made.
    assert errors['held'][-1] == [None] * 60 and errors['held'][0][0] > 0
    assert (tmp_path / 'out' / 'lifetime.png').stat().st_size > 0
    assert json.loads((tmp_path / 'out' / 'lifetime.json').read_text())['rows'][0] == of_all


def test_a_recording_that_is_too_short_is_refused(tmp_path, capsys):
    assert study(tmp_path, circling_clip(events_ms=20)) == 1
    assert 'longer than 0.8 s' in capsys.readouterr().err


@pytest.mark.parametrize('of', [{'batches': 3}, {}])
def test_what_was_found_is_kept_for_the_same_question_only(tmp_path, of):
    kept(tmp_path, 'part', {'batches': 3}, lambda: {'error': 1})
    again = kept(tmp_path, 'part', of, lambda: {'error': 2})
    assert again == {'error': 1 if of else 2}
