# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of 0.1.0 are accepted under their old names, with one line that gives the new one."""

import pytest

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.cli.renamed import RENAMED, with_new_names


def test_an_old_name_is_replaced_with_a_notice():
    assert with_new_names(['train', '--out', 'run', '--ann-rate=1e-3', '--seed', '3']) == (
        ['train', '--output', 'run', '--ann-learning-rate=1e-3', '--seed', '3'],
        ['--out is deprecated and will be removed in the next release: use --output',
         '--ann-rate is deprecated and will be removed in the next release: use '
         '--ann-learning-rate'])


def test_new_names_and_other_verbs_are_left_alone():
    for words in ([], ['train', '--output', 'run'], ['evaluate', '--ann-rate-hz', '30'],
                  ['export', '--out', 'file']):
        assert with_new_names(words) == (words, [])


@pytest.mark.parametrize('verb', RENAMED)
def test_every_verb_has_the_new_names_and_no_longer_the_old_ones(verb, capsys):
    with pytest.raises(SystemExit):
        main([verb, '--help'])
    options = capsys.readouterr().out.replace('[', ' ').split()
    assert set(RENAMED[verb].values()) <= set(options)
    assert not set(RENAMED[verb]) & set(options)


@pytest.mark.parametrize('words, new', [
    (['train', '--corpus', 'none', '--out'], '--output'),
    (['simulate', '--corpus', 'none', '--output-dir'], '--output'),
    (['convert', 'dhp19', 'none', '--output-dir'], '--output')], ids=lambda words: words[0])
def test_a_verb_with_an_old_name_runs_after_one_line(tmp_path, capsys, words, new):
    (tmp_path / 'file').write_text('a file where a folder is expected')
    assert main([*words, str(tmp_path / 'file')]) == 1
    notice, error = capsys.readouterr().err.splitlines()
    assert notice == (f'hybrid-pose {words[0]}: {words[-1]} is deprecated and will be removed in '
                      f'the next release: use {new}')
    assert 'cannot be a folder' in error


@pytest.mark.parametrize('old, new', [
    (['--ann-delay-ms', '20'], ['--ann-delay-us', '20000']),
    (['--stride-ms=0.5'], ['--stride-us=500']),
    (['--stride-ms', 'often'], ['--stride-us', 'often']),
    (['--stride-ms'], ['--stride-us']),
    (['--whole-sensor', '--seed', '3'], ['--no-region-of-interest', '--seed', '3'])])
def test_milliseconds_become_microseconds(old, new):
    words, notices = with_new_names(['evaluate', *old])
    assert (words, len(notices)) == (['evaluate', *new], 1)
