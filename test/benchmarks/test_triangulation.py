# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from hybrid_pose_ros.benchmarks import triangulation as module

pytestmark = pytest.mark.timing


def test_two_and_four_cameras_are_timed_beside_the_plain_equations():
    result = module.triangulation_benchmark(rounds=40)
    assert set(result) == {'2 cameras', '4 cameras'}
    for times in result.values():
        assert all(0 < times[way]['median_ms'] <= times[way]['p95_ms']
                   for way in ('ours', 'numpy', 'node'))
        assert times['numpy_over_ours'] > 0


def test_another_answer_prints_no_time(monkeypatch):
    plain = module.linear
    monkeypatch.setattr(module, 'linear', lambda *given: plain(*given) + 1e-4)
    with pytest.raises(RuntimeError, match='differ by'):
        module.triangulation_benchmark(rounds=10)
