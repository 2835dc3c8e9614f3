# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How an installed script calls a main function."""

import sys

import pytest

from hybrid_pose_ros.entry import run_main


@pytest.fixture
def node(tmp_path, monkeypatch):
    """Return a function that makes a module `node` with this source."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['/bin/node'])
    monkeypatch.delitem(sys.modules, 'node', raising=False)
    return (tmp_path / 'node.py').write_text


def test_the_status_is_that_of_the_main_function(node):
    node('def main():\n    return 3\n')
    assert run_main('node') == 3


def test_a_node_whose_modules_are_not_installed_ends_with_one_line(node, monkeypatch, capsys):
    node('import cv2\n')
    monkeypatch.setitem(sys.modules, 'cv2', None)
    assert run_main('node') == 1
    assert capsys.readouterr().err == (
        'node: this needs the Python module cv2, which is not installed: pip install '
        'opencv-python-headless\n')


def test_a_module_of_ours_that_is_missing_is_a_fault_of_ours(node):
    node('import hybrid_pose_ros.nothing\n')
    with pytest.raises(ModuleNotFoundError, match='hybrid_pose_ros.nothing'):
        run_main('node')
