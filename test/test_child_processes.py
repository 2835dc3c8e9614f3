# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The processes that tests start, and the runs of the suite in a row."""

import json
import shutil
import sys
from pathlib import Path

import psutil
import pytest
from child_processes import finished, python, started

ROOT = Path(__file__).parents[1]
REPEAT_SUITE = ROOT / 'tools' / 'repeat_suite.py'

FAMILY = """
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'],
                         process_group=0)
print(child.pid, flush=True)
signal.pause()
"""

FOREGROUND_ONLY = """
import signal
def test_an_interrupt_is_heard():
    assert signal.getsignal(signal.SIGINT) != signal.SIG_IGN
"""

ONE_THREAD = """
import pytest
torch = pytest.importorskip('torch')
def test_a_command_may_set_threads():
    torch.set_num_threads(2)
def test_there_is_one_again():
    assert torch.get_num_threads() == 1
"""


def test_a_process_ends_with_its_children_when_the_test_does():
    with started(sys.executable, '-c', FAMILY) as process:
        child = psutil.Process(int(process.stdout.readline()))
    child.wait(60)
    assert process.returncode < 0


def test_a_process_is_interrupted_by_default():
    """Where the suite is a background job, its child processes ignored SIGINT."""
    ended = python('import os, signal; os.kill(os.getpid(), signal.SIGINT)')
    assert 'KeyboardInterrupt' in ended.stderr


def repeated(folder: Path, *arguments: str) -> tuple[int, list[dict]]:
    """Run one test quietly and in the background; return the status and the results."""
    (folder / 'test_once.py').write_text(FOREGROUND_ONLY)
    ended = finished(sys.executable, REPEAT_SUITE, '--quiet', 1, '--busy', 0, '--background', 1,
                     '--output', folder / 'repeat', folder / 'test_once.py', *arguments,
                     '-p', 'no:cacheprovider', environment={'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1'})
    path, = (folder / 'repeat').glob('*/runs.jsonl')
    return ended.returncode, [json.loads(line) for line in path.read_text().splitlines()]


def test_a_failed_test_in_the_background_fails_the_repeated_suite(tmp_path):
    """Such a job ignores SIGINT, which is what the test objects to."""
    status, runs = repeated(tmp_path)
    assert status == 1
    assert [(run['kind'], run['passed'], run['failed']) for run in runs] == [
        ('quiet', 1, 0), ('background', 0, 1)]


def test_an_interrupted_repetition_runs_what_is_missing(tmp_path):
    _, runs = repeated(tmp_path)
    path, = (tmp_path / 'repeat').glob('*/runs.jsonl')
    path.write_text(json.dumps(runs[0] | {'seconds': -1.0}) + '\n')
    _, again = repeated(tmp_path)
    assert [run['seconds'] for run in again][0] == -1.0 < again[1]['seconds']
    assert len(again) == 2


def test_graph_tests_run_however_pytest_is_started():
    """`python -m pytest` skipped them all, and the suite passed."""
    pytest.importorskip('hybrid_pose_ros.msg', reason='needs ROS 2 and the built package')
    listed = finished(sys.executable, '-m', 'pytest', '--collect-only', '-p', 'no:cacheprovider',
                      'test/nodes/test_markers.py', cwd=ROOT)
    assert listed.returncode == 0, listed.stdout


def test_no_process_has_threads_that_wait_for_each_other(tmp_path):
    """Each worker inherited as many as there are cores from the process that started it."""
    pytest.importorskip('xdist')
    shutil.copy(ROOT / 'test' / 'conftest.py', tmp_path)
    (tmp_path / 'test_threads.py').write_text(ONE_THREAD)
    run = finished('env', '-u', 'OMP_NUM_THREADS', sys.executable, '-m', 'pytest', '-n', 1,
                   '-p', 'no:cacheprovider', tmp_path)
    assert run.returncode == 0, run.stdout
