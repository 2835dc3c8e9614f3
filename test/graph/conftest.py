# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of real ROS graphs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest


@pytest.fixture
def live():
    """Return a graph of the test's own, empty but for a listener."""
    with _graph() as graph:
        yield graph


@pytest.fixture(scope='module')
def shared_live():
    """Return a graph that the tests of a module share, where setting it up is expensive."""
    with _graph() as graph:
        yield graph


@contextmanager
def _graph() -> Iterator:
    from live_graph import LiveGraph
    with pytest.MonkeyPatch.context() as patch, closing(LiveGraph()) as graph:
        patch.setattr('hybrid_pose_ros.nodes.diagnostics.PERIOD_S', 0.05)  # tests wait for them
        # All nodes share a thread: while one is made, the others hear no camera.
        patch.setattr('hybrid_pose_ros.nodes.event_input.SILENCE_S', 3600.0)
        yield graph
