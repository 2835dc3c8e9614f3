# Copyright 2026 The hybrid_pose_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The check of the project's English, on small texts that can be worked out by hand."""

from pathlib import Path
import subprocess
import sys

import pytest

TOOLS = Path(__file__).parents[1] / 'tools'
sys.path.append(str(TOOLS))
import check_prose  # noqa: E402


def found(tmp_path, name, text):
    """Write a file; return (line, phrase) of each finding in it."""
    path = tmp_path / name
    path.write_text(text)
    return [(line, phrase) for line, phrase, _ in
            sorted(check_prose.findings(check_prose.prose(path)))]


def test_comments_docstrings_and_messages_are_read_but_not_code(tmp_path):
    assert found(tmp_path, 'a.py', (
        'def anew(beside):\n'
        '    """Begin anew."""\n'
        '    # the one beside it\n'
        "    raise ValueError(f'{beside} is no bag')\n")) == [
            (2, 'anew'), (3, 'beside'), (4, 'is no')]


def test_a_phrase_is_found_across_lines_and_adjacent_strings(tmp_path):
    assert found(tmp_path, 'a.py', (
        "text = ('the ANN looks '\n"
        "        'again')\n"
        '# a state that comes\n'
        '# late\n')) == [(1, 'looks again'), (3, 'comes late')]


def test_a_phrase_is_not_put_together_from_both_sides_of_code(tmp_path):
    assert found(tmp_path, 'a.py', "f('it is', x, 'no bag')\n") == []


def test_code_and_link_targets_in_markdown_are_skipped(tmp_path):
    assert found(tmp_path, 'a.md', (
        'Run `beside` as [here](#a-step-beside-it).\n'
        '```\n'
        'beside\n'
        '```\n'
        'Now\n'
        'and then.\n')) == [(5, 'Now and then')]


def test_only_the_comments_of_a_message_are_read(tmp_path):
    assert found(tmp_path, 'A.msg', 'bool beside  # told so\n# in metres\n') == [
        (1, 'told so'), (2, 'metres')]


@pytest.mark.parametrize('text', [
    'There is no pose.',         # existence
    'It is no longer active.',
    'People who stand still.',   # the noun is there
    'There are so many that it overflows.',
    'Whose value is None.',
])
def test_native_uses_of_the_same_words_are_allowed(text):
    assert list(check_prose.findings(text)) == []


def test_a_finding_names_file_line_and_replacement_and_ends_with_1(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(check_prose, 'ROOT', tmp_path)
    (tmp_path / 'README.md').write_text('It is over.\nBegin anew.\n')
    monkeypatch.setattr(check_prose, 'NOT_YET', ())
    monkeypatch.setattr(check_prose, 'CHECKED', ('README.md',))
    monkeypatch.setattr(sys, 'argv', ['check_prose.py'])
    assert check_prose.main() == 1
    assert capsys.readouterr().out == 'README.md:2: "anew": write "again, from scratch"\n'


def test_the_text_of_the_project_passes():
    run = subprocess.run([sys.executable, TOOLS / 'check_prose.py'],
                         capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ('', 0)


def test_a_folder_that_is_not_done_is_skipped_and_others_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(check_prose, 'ROOT', tmp_path)
    monkeypatch.setattr(check_prose, 'CHECKED', ('package',))
    for name in ('package/a.py', 'package/nodes/b.py', 'package/cli/c.py'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in check_prose.checked_files(('package/*.py', 'package/cli'))] == [
        'b.py']
