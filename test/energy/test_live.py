# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hybrid_pose_ros.energy import operations as energy
from hybrid_pose_ros.energy.live import SpikePower, ann_power, power_figures
from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import preset

EDGE = preset('edge')
WIDTH, HEIGHT = 32, 24
SPIKES = np.array([10, 20, 5, 4, 3, 2, 1, 6])


@pytest.fixture(scope='module')
def engine():
    return SpikingEngine(untrained(EDGE), WIDTH, HEIGHT, 1000)


def test_a_second_of_steps_draws_what_the_offline_count_says(engine):
    figures = SpikePower(engine).since_last(1000, 1000 * SPIKES, 1.0)
    step = energy.honest_step(EDGE, WIDTH, HEIGHT, SPIKES,
                              energy.folded(engine.operations_per_spike))
    assert figures['power_mw'] == pytest.approx(
        step.times(1000).millijoules(energy.TECHNOLOGIES['45nm']))
    assert figures['synaptic_operations_per_s'] == pytest.approx(
        1000 * SPIKES @ engine.operations_per_spike)


def test_each_report_is_of_the_time_since_the_last(engine):
    power = SpikePower(engine)
    first = power.since_last(100, 100 * SPIKES, 0.5)
    assert power.since_last(300, 300 * SPIKES, 1.0) == pytest.approx(first)
    assert set(power.since_last(300, 300 * SPIKES, 1.0).values()) == {0.0}


def test_power_of_the_ann_is_in_proportion_to_its_states(engine):
    macs = sum(energy.dense_macs(EDGE, WIDTH, HEIGHT, part) for part in ('ann.', 'heads.'))
    assert ann_power(EDGE, WIDTH, HEIGHT, 30) == pytest.approx(30 * macs * 4.6e-9)
    assert ann_power(EDGE, WIDTH, HEIGHT, 0) == 0


def test_a_run_saves_what_it_does_not_draw():
    assert power_figures([10, 30], [0, 160], 1000) == {
        'mw': {'snn_tracker': 20, 'ann_initializer': 80}, 'ann_at_every_step_mw': 1000,
        'saving': 0.9}
