# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The graphs of the tests: they lose no first message and leave nothing."""

import shutil
import sys
import threading
from pathlib import Path

import pytest
from child_processes import finished, started
from live_graph import LiveGraph
from ring_states import new_ring, own_segments
from std_msgs.msg import String
SHARING = """
from contextlib import contextmanager

made = []

@contextmanager
def processes():
    made.append(len(made))
    yield made[-1]

def test_first(keep):
    assert keep(processes) == 0

def test_that_fails(keep):
    assert keep(processes) == 1

def test_after_it(keep):
    assert keep(processes) == 1
"""


def test_processes_that_tests_share_are_started_again_after_a_failure(tmp_path):
    """One failed test took all later ones of its module along."""
    shutil.copy(Path(__file__).with_name('conftest.py'), tmp_path)
    (tmp_path / 'test_sharing.py').write_text(SHARING)
    ended = finished(sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', cwd=tmp_path)
    assert '1 failed, 2 passed' in ended.stdout, ended.stdout
    assert 'FAILED test_sharing.py::test_that_fails' in ended.stdout


def test_a_graph_that_leaves_a_segment_fails():
    """A ring that was left open failed another file's tests."""
    graph = LiveGraph()
    with new_ring() as ring:
        with pytest.raises(AssertionError, match=f'the graph left .*{ring.name}'):
            graph.close()


def test_a_graph_that_leaves_a_thread_fails():
    graph, end = LiveGraph(), threading.Event()
    thread = threading.Thread(target=end.wait, name='left_over')
    thread.start()
    with pytest.raises(AssertionError, match='the graph left .*left_over'):
        graph.close()
    end.set()
    thread.join()


def test_a_graph_that_leaves_a_process_fails():
    graph = LiveGraph()
    with started(sys.executable, '-c', 'import signal; signal.pause()') as process:
        with pytest.raises(AssertionError, match=f'the graph left .*process {process.pid}'):
            graph.close()


def test_what_a_graph_owns_ends_with_it():
    before, graph = own_segments(), LiveGraph()
    ring = graph.own(new_ring())
    assert ring.name in own_segments()
    graph.close()
    assert own_segments() == before


def test_a_listener_that_comes_first_gets_the_first_message(live):
    words = live.listen('/words', String)
    live.publisher('/words', String).publish(String(data='first'))
    live.spin_until(lambda: words, 'the first word')
    assert words == [String(data='first')]


def test_a_listener_that_comes_second_gets_the_next_message(live):
    publisher = live.publisher('/words', String, listeners=0)
    words = live.listen('/words', String)
    publisher.publish(String(data='next'))
    live.spin_until(lambda: words, 'the next word')
    assert words == [String(data='next')]
