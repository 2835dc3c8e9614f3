# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many independent tasks, in whatever runs them."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from typing import TypeVar

from hybrid_pose_ros.interrupts import INTERRUPTED

Task, Result = TypeVar('Task'), TypeVar('Result')


def as_done(function: Callable[[Task], Result], tasks: Iterable[Task],
            executor: Executor | None) -> Iterator[Result]:
    """Yield the result of each task when it is done; stopping early cancels pending tasks.

    Args:
        function: of one task.
        tasks: in the order in which they are begun.
        executor: runs them; None: this process, one after the other.
    """
    if executor is None:
        yield from map(function, tasks)
        return
    with _submitted(function, tasks, executor) as futures:
        for future in as_completed(futures):
            yield future.result()


def in_order(function: Callable[[Task], Result], tasks: Iterable[Task],
             executor: Executor | None) -> Iterator[Result]:
    """Yield the result of each task in order; arguments as in `as_done`."""
    if executor is None:
        yield from map(function, tasks)
        return
    with _submitted(function, tasks, executor) as futures:
        for future in futures:
            yield future.result()


@contextmanager
def _submitted(function: Callable[[Task], Result], tasks: Iterable[Task], executor: Executor
               ) -> Iterator[list[Future]]:
    futures = [executor.submit(_ending, function, task) for task in tasks]
    try:
        yield futures
    finally:
        for future in futures:
            future.cancel()


def _ending(function: Callable[[Task], Result], task: Task) -> Result:
    """Return the result of a task; an interrupted one ends its process, with what is queued."""
    try:
        return function(task)
    except SystemExit:
        os._exit(INTERRUPTED)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch use one thread within the block: other tasks have the other cores."""
    import torch
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
