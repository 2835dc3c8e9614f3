# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest

from hybrid_pose_ros.benchmarks import engine as benchmark
from hybrid_pose_ros.benchmarks.layer_crossover import RATES, Crossover
from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.model import presets
from hybrid_pose_ros.model.checkpoint import untrained

pytestmark = pytest.mark.timing

EDGE = presets.preset('edge')


@pytest.fixture(scope='module')
def edge(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark.shutil, 'which', lambda _: None)  # compiling takes a minute
        patch.setattr(benchmark, 'PERSON_S', 0.3)
        return benchmark.engine_benchmark(
            ['edge'], rates=(0.0, 0.02), output=str(tmp_path_factory.mktemp('plots')))['edge']


def test_the_layers_fire_about_as_often_as_asked_for(edge):
    silent, firing = edge['engine']
    assert silent['spike_rate'] == 0
    assert firing['spike_rate'] == pytest.approx(0.02, rel=0.5)


def test_ratios_and_the_line_through_the_points_follow_from_the_times(edge):
    silent, firing = edge['engine']
    best = min(edge['dense_pytorch_ms'].values())
    assert list(edge['times_faster_than_dense'].values()) == [
        best / silent['step_ms'], best / firing['step_ms']]
    assert edge['cost']['silent_step_ms'] == pytest.approx(silent['step_ms'])


def test_spikingjelly_is_timed_with_the_same_answer_where_it_is_installed(edge):
    pytest.importorskip('spikingjelly')
    best = min(edge['spikingjelly_ms'].values())
    assert list(edge['times_faster_than_spikingjelly'].values()) == [
        best / row['step_ms'] for row in edge['engine']]
    assert not any('jelly' in name for name in edge['dense_pytorch_ms'])


def test_the_weights_that_ship_are_timed_on_a_person(edge):
    person = edge['on_a_simulated_person']
    assert person['steps'] > 150 and 0 < person['spike_rate'] < 0.2
    assert person['step_ms'] <= person['step_ms_p95'] <= person['step_ms_p99']


def test_every_layer_of_the_person_has_a_crossover_or_none(edge):
    reached = edge['on_a_simulated_person']['greatest_spike_rate']
    assert set(edge['crossover_spike_rate']) == set(reached) == {
        *(layer.name for layer in EDGE.spiking), 'output'}
    for name, rate in edge['crossover_spike_rate'].items():
        assert rate is None or 0 < rate <= 1, name


def test_the_cost_is_plotted(edge):
    assert Path(edge['plot']).read_bytes().startswith(b'\x89PNG')


def test_the_crossover_lies_where_both_ways_cost_the_same():
    layer = Crossover.of(3.0, lambda rate: 20 * rate)
    assert layer.spike_rate == pytest.approx(0.15)
    assert list(layer.scatter_ms) == [rate for rate in RATES if rate <= 0.2]


def test_a_dense_layer_that_always_costs_more_has_no_crossover():
    assert Crossover.of(30.0, lambda rate: 20 * rate).spike_rate is None


def test_a_network_with_another_answer_is_not_timed():
    engine = SpikingEngine(untrained(EDGE, seed=1), 33, 18, EDGE.step_us)
    network = benchmark._DenseNetwork(untrained(EDGE, seed=2), EDGE.step_us, 'contiguous_format')
    with pytest.raises(RuntimeError, match='disagree'):
        benchmark._difference(engine, network, [np.ones((2, 18, 33), np.uint8)] * 3)
