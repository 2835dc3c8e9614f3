# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose up`: what it refuses to start, and when it ends."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from hybrid_pose_ros.cli import main as command_line
from hybrid_pose_ros.cli import up


@pytest.mark.parametrize('words, said', (
    (('--params-file', '{folder}/text.yaml'), 'text.yaml is not a parameter file'),
    (('--params-file', '/none.yaml'), 'no parameter file at /none.yaml'),
    (('--calibration', '/none.yaml'), 'no calibration at /none.yaml'),
    (('--camera', 'my camera'), "camera 'my camera' is not a ROS name"),
    (('--step-us', '1'), 'step_us = 1 is below')))
def test_a_mistake_is_one_line_before_anything_starts(tmp_path, monkeypatch, capsys, words, said):
    """Each node used to say it, or none did."""
    (tmp_path / 'text.yaml').write_text('hello')
    if '--params-file' not in words:
        (tmp_path / 'good.yaml').touch()
        words = (*words, '--params-file', '{folder}/good.yaml')
    monkeypatch.setattr(up, 'require_ros', lambda: None)
    monkeypatch.setattr(up, 'Supervisor', None)
    assert command_line.main(['up', *(word.format(folder=tmp_path) for word in words)]) == 1
    line, = capsys.readouterr().err.splitlines()
    assert line.startswith('hybrid-pose up: ') and said in line


@pytest.mark.parametrize('done, players, ended', (
    ({}, {'event_player'}, False), ({'event_player': 0}, {'event_player'}, True),
    ({'left/event_player': 0}, {'left/event_player', 'right/event_player'}, False),
    ({'recorder': 0}, {'event_player'}, False), ({'recorder': 0}, set(), False),
    ({'recorder': 1}, set(), True), ({'recorder': 0, 'snn_tracker': 0}, set(), True)))
def test_a_graph_ends_behind_its_players_or_where_a_node_fails(done, players, ended):
    """It used to go on after the player's last packet."""
    assert up.has_ended(done, players, 2) is ended


def test_an_old_name_in_a_parameter_file_is_reported_and_its_parameters_count(
        tmp_path, monkeypatch, capsys):
    file = tmp_path / 'mine.yaml'
    file.write_text('/**/evaluator: {ros__parameters: {idle_s: 2.0}}\n')
    started = []

    @contextmanager
    def supervisor(nodes, params_file):
        started.extend(nodes)
        yield SimpleNamespace(check=lambda: dict.fromkeys(range(len(nodes)), 0), restarts={})
    monkeypatch.setattr(up, 'require_ros', lambda: None)
    monkeypatch.setattr(up, 'Supervisor', supervisor)
    assert command_line.main(['up', '--params-file', str(file), '--record',
                              str(tmp_path / 'bag')]) == 0
    assert [node.parameters['idle_s'] for node in started if node.name == 'recorder'] == [2.0]
    notice, = capsys.readouterr().err.splitlines()
    assert notice.endswith('write /**/recorder')
