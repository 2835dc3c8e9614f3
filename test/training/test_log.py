# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a stage tells while it trains."""

import json
import sys

import pytest

from hybrid_pose_ros.training.log import LOG_EVERY, Log, summary_writer


def tell(folder, first, last, loss):
    """Add iterations first + 1 to last, all with one loss."""
    with Log(folder, 'ann', first=first) as log:
        for done in range(first + 1, last + 1):
            log.add(done, {'loss': loss})


def curve(folder):
    """Return steps and values of the loss as TensorBoard shows them."""
    pytest.importorskip('tensorboard', reason='TensorBoard is not installed: no curves to read')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(str(folder / 'curves' / 'ann'))
    events.Reload()
    return [(point.step, point.value) for point in events.Scalars('loss')]


def test_curves_show_what_the_lines_say(tmp_path):
    tell(tmp_path, 0, 3 * LOG_EVERY, 0.5)
    lines = [json.loads(line) for line in (tmp_path / 'ann.jsonl').read_text().splitlines()]
    assert curve(tmp_path) == [(line['iteration'], line['loss']) for line in lines]


def test_a_resumed_run_continues_the_curve_from_where_it_resumes(tmp_path):
    """A killed run has told of more iterations than its last file to resume from has."""
    tell(tmp_path, 0, 4 * LOG_EVERY, 0.5)
    tell(tmp_path, 2 * LOG_EVERY, 5 * LOG_EVERY, 0.25)
    assert curve(tmp_path) == [(LOG_EVERY * n, 0.5 if n <= 2 else 0.25) for n in range(1, 6)]


def test_a_figure_that_not_every_iteration_has_is_the_mean_of_those_that_do(tmp_path):
    with Log(tmp_path, 'snn', first=0) as log:
        for done in range(1, LOG_EVERY + 1):
            log.add(done, {'loss': 1.0} | ({'rare': float(done)} if done <= 2 else {}))
    line = json.loads((tmp_path / 'snn.jsonl').read_text())
    assert (line['loss'], line['rare']) == (1.0, 1.5)


def test_without_tensorboard_there_are_lines_only(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, 'torch.utils.tensorboard', raising=False)
    monkeypatch.setitem(sys.modules, 'tensorboard', None)
    assert summary_writer() is None
    tell(tmp_path, 0, LOG_EVERY, 0.5)
    assert [path.name for path in tmp_path.iterdir()] == ['ann.jsonl']
