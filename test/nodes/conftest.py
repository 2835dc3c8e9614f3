# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of real ROS graphs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

FAILED = pytest.StashKey[bool]()


@pytest.fixture
def live() -> Iterator:
    """Return a graph of the test's own, empty but for a listener."""
    from live_graph import open_graph
    with open_graph() as graph:
        yield graph


@pytest.fixture(scope='module')
def shared_live() -> Iterator:
    """Return a graph that the tests of a module share, where setting it up is expensive."""
    from live_graph import open_graph
    with open_graph() as graph:
        yield graph


@pytest.fixture(scope='module')
def _kept() -> Iterator[dict]:
    kept = {}
    yield kept
    _discard(kept)


@pytest.fixture
def keep(request: pytest.FixtureRequest, _kept: dict) -> Iterator[Callable]:
    """Return a function that enters a context for all tests of a module.

    A failed test leaves processes in any state: the next one enters the context again.
    """
    def entered(make: Callable[[], AbstractContextManager]) -> Any:
        if not _kept:
            with ExitStack() as stack:
                value = stack.enter_context(make())
                _kept.update(value=value, stack=stack.pop_all())
        return _kept['value']
    yield entered
    if request.node.stash.get(FAILED, False):
        _discard(_kept)


def _discard(kept: dict) -> None:
    if kept:
        stack = kept['stack']
        kept.clear()
        stack.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator:
    """Note for `keep` that a test has failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report
