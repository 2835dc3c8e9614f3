# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import importlib.util
import sys

import pytest

from hybrid_pose_ros.benchmarks.dds_topic import DdsTopic
from hybrid_pose_ros.benchmarks.transport import WAYS, transport_benchmark
from hybrid_pose_ros.errors import InputError

pytestmark = pytest.mark.timing


@pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='ROS 2 is not installed')
def test_the_state_arrives_each_way_and_is_timed():
    result = transport_benchmark(presets=['edge'], rounds=3)['edge']
    assert result['bytes'] == 1_676_864
    assert all(0 < result[way]['median_ms'] <= result[way]['p95_ms'] for way in WAYS)
    for way in ('notice', 'look'):
        assert result[f'dds_over_{way}'] == pytest.approx(
            result['dds']['median_ms'] / result[way]['median_ms'])


def test_without_ros_the_benchmark_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, 'rclpy', None)
    with pytest.raises(InputError, match='source its setup.bash'):
        DdsTopic('notice', domain_id=1, publishes=True)
