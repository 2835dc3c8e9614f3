# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Execution of independent tasks in any executor."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

from hybrid_pose_ros.interrupts import INTERRUPTED

Task = TypeVar('Task')
Result = TypeVar('Result')


def as_done(function: Callable[[Task], Result], tasks: Iterable[Task],
            executor: Executor | None) -> Iterator[Result]:
    """Yield the result of each task as it completes; stopping early cancels pending tasks.

    Args:
        function: function to call with each task.
        tasks: tasks, in order of submission.
        executor: executor that runs the tasks; None: run them sequentially in this process.
    """
    if executor is None:
        yield from map(function, tasks)
        return
    with _submitted(function, tasks, executor) as futures:
        for future in as_completed(futures):
            yield future.result()


def in_order(function: Callable[[Task], Result], tasks: Iterable[Task],
             executor: Executor | None) -> Iterator[Result]:
    """Yield the results in the order of the tasks; arguments as in `as_done`."""
    if executor is None:
        yield from map(function, tasks)
        return
    with _submitted(function, tasks, executor) as futures:
        for future in futures:
            yield future.result()


@contextmanager
def _submitted(function: Callable[[Task], Result], tasks: Iterable[Task], executor: Executor
               ) -> Iterator[list[Future[Result]]]:
    futures = [executor.submit(_ending, function, task) for task in tasks]
    try:
        yield futures
    finally:
        _cancel(executor, [future for future in futures if not future.done()])


def _cancel(executor: Executor, pending: list[Future[Result]]) -> None:
    """Cancel pending tasks; a process pool is unusable afterwards.

    A pool cancels its tasks in its own thread. Before Python 3.12, that thread exits with a
    traceback if a worker dies (as on Ctrl-C) after a task was cancelled from elsewhere.
    """
    if pending and isinstance(executor, ProcessPoolExecutor):
        executor.shutdown(wait=False, cancel_futures=True)
        return
    for future in pending:
        future.cancel()


def _ending(function: Callable[[Task], Result], task: Task) -> Result:
    """Return the result of a task; an interrupt terminates the process and its queued tasks."""
    try:
        return function(task)
    except SystemExit:
        os._exit(INTERRUPTED)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Limit torch to one thread inside the block, since other tasks use the other cores."""
    import torch
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
