# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many independent tasks, in whatever runs them."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, as_completed
from typing import TypeVar

Task, Result = TypeVar('Task'), TypeVar('Result')


def as_done(function: Callable[[Task], Result], tasks: Iterable[Task],
            executor: Executor | None) -> Iterator[Result]:
    """Yield the result of each task when it is done; who stops early cancels those not begun.

    Args:
        function: of one task.
        tasks: in the order in which they are begun.
        executor: runs them; None: this process, one after the other.
    """
    if executor is None:
        yield from map(function, tasks)
        return
    futures = [executor.submit(function, task) for task in tasks]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()
