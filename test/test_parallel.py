# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many independent tasks."""

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from hybrid_pose_ros.cli.executors import processes
from hybrid_pose_ros.parallel import as_done


def test_every_task_has_its_result():
    with ThreadPoolExecutor(3) as executor:
        assert sorted(as_done(abs, range(-5, 0), executor)) == [1, 2, 3, 4, 5]
    assert list(as_done(abs, range(-5, 0), None)) == [5, 4, 3, 2, 1]


def test_who_stops_early_cancels_what_has_not_begun():
    begun, go_on = [], threading.Event()

    def task(number: int) -> int:
        begun.append(number)
        if number:
            go_on.wait(60)
        return number
    with ThreadPoolExecutor(1) as executor:
        results = as_done(task, range(20), executor)
        assert next(results) == 0
        results.close()
        go_on.set()
    assert len(begun) <= 2


def test_a_task_that_fails_tells_why():
    with ThreadPoolExecutor(1) as executor, pytest.raises(ZeroDivisionError):
        list(as_done(lambda number: 1 // number, [0], executor))


def test_workers_that_die_after_an_early_stop_cause_no_traceback(monkeypatch):
    """On Ctrl-C, they die with the pool's other tasks cancelled: a thread of the pool failed."""
    failures = []
    monkeypatch.setattr(threading, 'excepthook', failures.append)
    with processes(1) as executor:
        results = as_done(time.sleep, [0.0] + [600.0] * 9, executor)
        assert next(results) is None
        results.close()
        for worker in multiprocessing.active_children():
            worker.kill()
    assert not failures
