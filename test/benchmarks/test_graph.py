# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the whole graph, short."""

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2 and the built package: run `make build`')

from hybrid_pose_ros.benchmarks.graph import graph_benchmark
from hybrid_pose_ros.graph.description import graph

pytestmark = [pytest.mark.graph, pytest.mark.timing]


@pytest.fixture(scope='module')
def run():
    runs = graph_benchmark(duration_s=1.0, packets_per_s=(250,), priorities=(0,))
    return runs['250 packets/s']


def test_the_person_gives_poses_and_states_and_nothing_is_left(run):
    assert run['poses'] > 0 and run['states'] > 0 and run['restarts'] == {}
    assert run['segments_left'] == 0


def test_what_each_process_uses_is_told(run):
    assert set(run['processes']) == {
        spec.name for spec in graph(driver='player', values={'record': 'bag'})}
    for figures in run['processes'].values():
        assert 0 <= figures['cores'] and figures['resident_mib'] > 10


def test_how_the_graph_ended_is_told(run):
    assert run['shutdown_s'] > 0
    assert run['realtime'] is False


def test_the_time_beyond_the_network_is_part_of_the_latency(run):
    whole, beyond = (run['latency_ms'][name] for name in (
        'packet_arrival_to_publish', 'packet_arrival_to_publish_beyond_compute'))
    assert 0 < beyond['p50'] < whole['p50']
