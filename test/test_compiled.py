# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where compiled code is cached."""

import os
import tempfile
from pathlib import Path

import pytest
from child_processes import python

from hybrid_pose_ros.compiled import cache_folder

KERNEL = '''
from hybrid_pose_ros.compiled import njit

@njit(cache=True)
def double(value):
    return 2 * value
'''
CALL = '''
import os, sys
sys.path.insert(0, '.')
import kernel
print(kernel.double(21), os.environ['NUMBA_CACHE_DIR'])
'''


def test_without_a_folder_to_write_next_to_the_source_or_at_home_the_temporary_one_is_used(
        tmp_path):
    """It was a traceback, "cannot cache function", in every command and node."""
    (tmp_path / 'kernel.py').write_text(KERNEL)
    (tmp_path / '__pycache__').touch()  # root can write to any folder, but not into a file
    (tmp_path / 'home').touch()
    (tmp_path / 'temporary').mkdir()
    process = python(CALL, cwd=tmp_path, environment={
        'XDG_CACHE_HOME': str(tmp_path / 'home'), 'TMPDIR': str(tmp_path / 'temporary')})
    assert process.returncode == 0, process.stderr
    answer, folder = process.stdout.split()
    assert answer == '42' and Path(folder).parent == tmp_path / 'temporary'
    assert any(path.suffix == '.nbi' for path in Path(folder).rglob('*'))


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    return tmp_path


def test_all_processes_of_a_user_share_one_folder_that_no_other_user_reads(temporary):
    folder = Path(cache_folder())
    assert folder.parent == temporary and folder.stat().st_mode & 0o777 == 0o700
    assert Path(cache_folder()) == folder


@pytest.mark.parametrize('prepare', (
    lambda path: path.mkdir() or path.chmod(0o777),
    lambda path: path.symlink_to('/'), lambda path: path.touch()))
def test_a_folder_that_others_prepared_is_not_used(temporary, prepare):
    """They could put code into it, which would run as this user."""
    own = temporary / f'hybrid_pose_ros_{os.getuid()}'
    prepare(own)
    folder = Path(cache_folder())
    assert folder != own and folder.stat().st_mode & 0o777 == 0o700
