# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What commands write: checked before the work, claimed by one run, refused in one line."""

import errno
import os
import shutil

import pytest

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import check_folder, check_new_file, claim, writing

RUN = {'seed': 0, 'recordings': [['walk', 100]]}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'file'
    path.write_text('of the user')
    return path


@pytest.mark.parametrize('below', ('', 'folder', 'folder/of/folders'))
def test_a_file_cannot_be_a_folder_nor_hold_one(file, below):
    with pytest.raises(InputError, match=f'because {file} is a file: choose another'):
        check_folder(file / below)


def test_a_folder_that_this_user_cannot_write_is_refused(tmp_path, monkeypatch):
    """Root, as whom these tests may run, can write to all of them."""
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    with pytest.raises(InputError, match=f'because {tmp_path} is not writable for this user'):
        check_folder(tmp_path / 'new')


@pytest.mark.parametrize('free_bytes, full', ((0, True), (1 << 20, False)))
def test_a_full_disk_is_found_before_the_work(tmp_path, monkeypatch, free_bytes, full):
    usage = shutil.disk_usage(tmp_path)._replace(free=free_bytes)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage)
    if full:
        with pytest.raises(InputError, match='the disk has 0 MiB left, 1 MiB are needed'):
            check_folder(tmp_path / 'new')
    else:
        check_folder(tmp_path / 'new')


def test_a_check_makes_nothing(tmp_path):
    check_folder(tmp_path / 'new')
    check_new_file(tmp_path / 'new' / 'file')
    assert not list(tmp_path.iterdir())


def test_a_file_that_exists_is_not_overwritten(file):
    with pytest.raises(InputError, match='exists and is not overwritten: choose another file'):
        check_new_file(file)


def test_a_folder_is_not_the_name_of_a_file(tmp_path):
    with pytest.raises(InputError, match='is a folder: expected the path of a new file'):
        check_new_file(tmp_path)


@pytest.mark.parametrize('number, remedy', (
    (errno.ENOSPC, 'make room and run the same command again'),
    (errno.EDQUOT, 'make room and run the same command again'),
    (errno.EACCES, 'choose another path or make this one writable'),
    (errno.ENOTDIR, 'choose another path or make this one writable')))
def test_the_remedy_for_a_failed_write_is_the_one_for_its_cause(number, remedy):
    with pytest.raises(InputError, match=f'out cannot be written .*: {remedy}'), writing('out'):
        raise OSError(number, os.strerror(number))


def test_a_folder_is_claimed_once_and_then_by_the_same_run_only(tmp_path):
    claim(tmp_path / 'out', RUN)
    claim(tmp_path / 'out', RUN)
    for other, named in (({'seed': 5}, 'seed'), ({'recordings': []}, 'recordings'),
                         ({'seed': 5, 'recordings': []}, 'seed and recordings')):
        with pytest.raises(InputError, match=f'a run with other {named}, .*choose another folder'):
            claim(tmp_path / 'out', RUN | other)
