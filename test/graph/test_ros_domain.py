# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Domains that graphs on one host reserve."""

import sys

import pytest

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.ros_domain import own_domain


def test_two_graphs_at_a_time_have_two_domains_on_this_host_only():
    """The process id modulo 100 chose them: graphs of two processes could share one."""
    pytest.importorskip('domain_coordinator')
    with own_domain() as first, own_domain() as second:
        assert first['ROS_DOMAIN_ID'] != second['ROS_DOMAIN_ID']
        assert first['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'


def test_a_failure_in_a_domain_is_reported_as_it_is():
    """domain_coordinator takes an OSError for a domain that is in use."""
    pytest.importorskip('domain_coordinator')
    with pytest.raises(FileNotFoundError, match='no such bag'):
        with own_domain():
            raise FileNotFoundError('no such bag')


def test_without_ros_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'domain_coordinator', None)
    with pytest.raises(InputError, match='install requirements-ros.txt'):
        with own_domain():
            pass
