# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of real ROS graphs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'


@pytest.fixture
def live():
    """Spin nodes in a domain of their own: tests see neither each other nor the host."""
    with _graph() as graph:
        yield graph


@pytest.fixture(scope='module')
def shared_live():
    """Return a graph that the tests of a module share, where setting it up is dear."""
    with _graph() as graph:
        yield graph


@contextmanager
def _graph() -> Iterator:
    from live_graph import LiveGraph
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('hybrid_pose_ros.nodes.diagnostics.PERIOD_S', 0.05)  # tests wait for them
        graph = LiveGraph()
        yield graph
        graph.close()
