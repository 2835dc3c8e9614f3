# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tests and modules that the pages name are there, and lines of code are not too long."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').glob('*.md'))]


@pytest.fixture(scope='module')
def tests() -> set[str]:
    return {name for path in (ROOT / 'test').rglob('test_*.py')
            for name in re.findall(r'^def (test_\w+)', path.read_text(), re.MULTILINE)}


def test_every_row_of_the_fault_table_names_tests_that_there_are(tests):
    rows = [row for row in (ROOT / 'docs' / 'faults.md').read_text().splitlines()
            if row.startswith('| ') and not row.startswith('| fault')]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r'`(test_\w+)`', row)
        assert named and set(named) <= tests, row


def test_lines_of_code_have_99_columns_at_most():
    sources = [path for folder in ('hybrid_pose_ros', 'launch', 'test', 'tools')
               for path in (ROOT / folder).rglob('*.py')]
    assert [f'{path.relative_to(ROOT)}:{number}' for path in sources
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if len(line) > 99] == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_modules_that_pages_name_are_there(page):
    """They moved, and the pages named where they had been."""
    folders = [ROOT, *(ROOT / name for name in ('hybrid_pose_ros', 'launch', 'test', 'tools'))]
    present = {path.relative_to(folder).as_posix() for folder in folders[1:]
               for path in folder.rglob('*.py')}
    files = {name.rpartition('/')[2] for name in present}
    named = re.findall(r'`((?:\w+/)*\w+\.py)`', page.read_text())
    assert [name for name in named if name not in present and name not in files
            and not any((folder / name).is_file() for folder in folders)] == []
