# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of real ROS graphs."""

import os

import pytest

os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'


@pytest.fixture
def live():
    """Spin nodes in a domain of their own: tests see neither each other nor the host."""
    from live_graph import LiveGraph
    graph = LiveGraph()
    yield graph
    graph.close()


@pytest.fixture(scope='module')
def shared_live():
    """Return a graph that the tests of a module share, where setting it up is dear."""
    from live_graph import LiveGraph
    graph = LiveGraph()
    yield graph
    graph.close()
