# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights next to each other by kind of recording, from files to the tables."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from labeled_clips import circling_clip, write_clip

from hybrid_pose_ros.cli.compare_tables import COLUMNS
from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.compare import compare, find_kinds
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.studies.sized_presets import sized

PARAMS = EvaluationParams(step_us=10_000)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Return two kinds, one of them of two sensors, one of nobody, and a clip of real people."""
    folder = tmp_path_factory.mktemp('recordings')
    clips = [circling_clip(seed, events_ms=20) for seed in range(4)]
    write_clip(folder / 'kinds' / 'front', clips[0])
    write_clip(folder / 'kinds' / 'front', clips[1]._replace(width=100, height=80))
    write_clip(folder / 'kinds' / 'nobody', clips[2]._replace(
        visible=np.zeros_like(clips[2].visible)))
    write_clip(folder / 'real', clips[3])
    return folder


@pytest.fixture(scope='module')
def weights():
    return {'A': untrained(preset('edge'), seed=1),
            'B': untrained(replace(sized(0.5, 3), name='edge'))}


@pytest.fixture(scope='module')
def result(folder, weights):
    kinds = find_kinds(folder / 'kinds') | {'real': [*(folder / 'real').glob('*.h5')]}
    return compare(weights, kinds, PARAMS, rows=('ann', 'hybrid'))


def test_networks_and_sensors_of_several_sizes_are_scored_in_one_run(result):
    front = json.loads(json.dumps(result))['kinds']['front']
    assert front['sensors'] == ['100x80', '64x48']
    for row in ('ann', 'hybrid'):
        for name in 'AB':
            assert front['figures'][row][name]['mean_px']['recordings'] == 2
            assert front['figures'][row][name]['mean_px']['value'] > 0
    assert front['figures']['ann']['A'] != front['figures']['ann']['B']


def test_the_figures_of_a_kind_come_from_its_recordings(result):
    front = result['kinds']['front']
    of_clips = [clip['mean_px'] for clip in front['by_recording']['ann']['A']]
    assert front['figures']['ann']['A']['mean_px']['value'] == pytest.approx(np.mean(of_clips),
                                                                            abs=1e-3)


def test_the_first_weights_are_compared_with_each_other_one(result):
    for kind in ('front', 'real'):
        of = result['kinds'][kind]['figures']['ann']
        apart = result['kinds'][kind]['differences']['ann']
        assert list(apart) == ['B']
        assert apart['B']['mean_px']['difference'] == pytest.approx(
            of['A']['mean_px']['value'] - of['B']['mean_px']['value'], abs=1e-3)


def test_a_recording_of_nobody_has_false_alarms_and_no_error(result):
    nobody = result['kinds']['nobody']['figures']['hybrid']['A']
    assert nobody['mean_px']['value'] is None
    assert 0 <= nobody['person_reported']['value'] <= 1


def test_clips_of_real_people_have_no_say_in_what_is_shipped(result):
    assert 'over 1 kinds' in result['shipping']['ann']['B']['line']
    assert 'real' not in result['shipping']['ann']['B']['worse']


def test_weights_are_not_shipped_instead_of_themselves(folder, weights):
    same = compare({'A': weights['B'], 'B': weights['B']}, find_kinds(folder / 'kinds'), PARAMS)
    assert same['kinds']['front']['differences']['ann']['B']['mean_px'] == {
        'difference': 0, 'standard_error': 0, 'recordings': 2}
    assert same['shipping']['ann']['B'] == {
        'ship': False, 'mean_log_ratio': 0, 'worse': [],
        'line': 'do not ship: mean log ratio +0.000 over 1 kinds, worse on no kind'}


def test_workers_give_the_figures_of_one_process(folder, weights):
    kinds, names = find_kinds(folder / 'kinds'), []
    alone = compare(weights, kinds, PARAMS)
    with ThreadPoolExecutor(2) as executor:
        together = compare(weights, kinds, PARAMS, executor=executor, progress=names.append)
    assert alone == together
    assert sorted(names) == ['front circling0', 'front circling1', 'nobody circling2']


def test_a_recording_in_which_the_ann_finds_too_few_events_has_no_pose(tmp_path, weights):
    write_clip(tmp_path / 'quiet', circling_clip(events_ms=1)._replace(
        events=circling_clip(events_ms=1).events[::10]))
    found = compare(weights, find_kinds(tmp_path), PARAMS, rows=('ann', 'hybrid'))
    for row in ('ann', 'hybrid'):
        figures = found['kinds']['quiet']['figures'][row]['A']
        assert figures['mean_px']['value'] is None
        assert figures['person_reported']['value'] == 0


def test_the_command_prints_tables_of_100_columns_and_one_line_about_shipping(
        folder, tmp_path, capsys):
    path = tmp_path / 'mine.safetensors'
    untrained(preset('edge'), seed=1).save(path)
    assert main(['compare', '--kinds', str(folder / 'kinds'), '--real', str(folder / 'real'),
                 '--checkpoint', str(path), '--output', str(tmp_path / 'out')]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= COLUMNS
    (ship,) = [line for line in lines if line.startswith('A instead of B (ann): ')]
    assert 'ship: mean log ratio' in ship
    text = '\n'.join(lines)
    for shown in ('front (2)', 'nobody (1)', 'circling3', 'random, not trained', 'B: shipped'):
        assert shown in text
    assert '…' not in text
    written = json.loads((tmp_path / 'out' / 'result.json').read_text())
    assert list(written['weights']) == ['A', 'B']
    assert (tmp_path / 'out' / 'kinds.png').stat().st_size > 1000


def test_the_weights_that_ship_are_scored_alone_where_none_are_named(folder, capsys):
    assert main(['compare', '--real', str(folder / 'real'), '--json']) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(result['weights']) == ['A'] and result['shipping'] == {'ann': {}}


def test_a_folder_without_kinds_is_a_mistake_that_says_what_makes_one(folder):
    with pytest.raises(InputError, match='expected a folder for each kind, as `hybrid-pose sim'):
        find_kinds(folder / 'real')


@pytest.mark.parametrize('words, said', (
    ([], 'no recordings to score: pass a folder as --kinds or --real'),
    (['--real', '.'], 'no recordings (.h5) in .'),
    (['--kinds', 'none'], 'no recordings (.h5) in the folders of none')))
def test_a_mistake_is_one_line(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert main(['compare', *words]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f'hybrid-pose compare: {said}') and err.count('\n') == 1
