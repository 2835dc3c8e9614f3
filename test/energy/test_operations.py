# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Energy: the paper's own figures, and the honest count on networks small enough to count."""

import numpy as np
import pytest

from hybrid_pose_ros.energy import operations as energy
from hybrid_pose_ros.energy.operations import TECHNOLOGIES, Operations
from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.presets import preset

PAPER, SIZE = preset('paper'), (256, 256)
AT_7NM, AT_45NM = TECHNOLOGIES['7nm'], TECHNOLOGIES['45nm']
# Mean firing rates that the published hybrid was measured to have, in percent of its neurons.
CAMERA_3 = np.array([0.55, 1.20, 1.55, 2.95, 3.46, 4.18, 3.34, 5.04, 1.96]) / 100
CAMERA_2 = np.array([0.90, 4.26, 8.09, 4.55, 5.02, 7.73, 6.77, 5.13, 3.06]) / 100


def ten_steps_mj(rates, technology):
    return energy.paper_step(PAPER, *SIZE, rates).times(10).millijoules(technology)


def part_mj(part, technology):
    return Operations(macs=energy.dense_macs(PAPER, *SIZE, part)).millijoules(technology)


@pytest.mark.parametrize(('rates', 'technology', 'expected_mj'), [
    (CAMERA_3, AT_7NM, 3.00), (CAMERA_3, AT_45NM, 7.10),
    (CAMERA_2, AT_7NM, 4.65), (CAMERA_2, AT_45NM, 11.0)])
def test_ten_steps_at_the_published_rates_cost_what_the_paper_says(rates, technology,
                                                                   expected_mj):
    assert ten_steps_mj(rates, technology) == pytest.approx(expected_mj, rel=3e-3)


def test_the_ann_costs_what_the_paper_says_and_one_convolution_that_it_missed():
    assert part_mj('ann.', AT_7NM) == pytest.approx(38.20, abs=5e-3)
    missed = Operations(macs=603.98e6)
    assert part_mj('ann.', AT_7NM) - missed.millijoules(AT_7NM) == pytest.approx(37.175, abs=2e-3)
    assert part_mj('ann.', AT_45NM) - missed.millijoules(AT_45NM) == pytest.approx(101.3, abs=0.2)


def test_the_heads_cost_what_the_paper_says():
    assert part_mj('heads.', AT_7NM) == pytest.approx(2.155, abs=1e-3)
    assert part_mj('heads.', AT_45NM) == pytest.approx(5.865, abs=1e-3)


def test_the_paper_saves_88_6_percent():
    hybrid_mw = 10 * (part_mj('ann.', AT_7NM) + part_mj('heads.', AT_7NM)
                      + ten_steps_mj(CAMERA_3, AT_7NM))
    ann_mw = 100 * part_mj('ann.', AT_7NM)
    assert hybrid_mw == pytest.approx(433.5, abs=0.2) and ann_mw == pytest.approx(3820, abs=1)
    assert 1 - hybrid_mw / ann_mw == pytest.approx(0.8865, abs=2e-4)


def paper_spikes():
    costs = {name.removeprefix('snn.'): shape for name, shape, *_ in
             energy.layer_costs(PAPER, *SIZE)}
    return np.array([0.0, *(rate * np.prod(costs[layer.name])
                            for layer, rate in zip(PAPER.spiking, CAMERA_3))])


def test_spikes_of_the_published_rates_give_the_rates_back():
    np.testing.assert_allclose(energy.spike_rates(PAPER, *SIZE, paper_spikes()), CAMERA_3)


def test_a_step_with_upsampled_spikes_costs_more_than_ten_as_the_paper_counts_them():
    """Measured on upsampled spike maps elsewhere: 3.75 mJ a step; here overlaps count twice."""
    honest = energy.honest_step(PAPER, *SIZE, paper_spikes(), energy.unfolded(PAPER))
    assert 3.75 < honest.millijoules(AT_7NM) < 1.15 * 3.75
    assert honest.millijoules(AT_7NM) > ten_steps_mj(CAMERA_3, AT_7NM)


def test_the_engine_does_what_is_counted_from_kernels_where_spikes_stay_binary():
    edge = preset('edge')
    engine = SpikingEngine(untrained(edge), 32, 32, 1000)
    folded, unfolded = energy.folded(engine.operations_per_spike), energy.unfolded(edge)
    # No upsampling of edge is bilinear: both ways are one. Events are counts, so they multiply.
    np.testing.assert_allclose(folded.macs, unfolded.macs)
    np.testing.assert_allclose(folded.additions, unfolded.additions)
    assert folded.macs[0] == 5 * 5 * 16 / 4 and folded.additions[0] == 0
    assert folded.additions[1] == 3 * 3 * 32 / 4 + 5 * 5 * 13  # enc0: into down1 and the output


def test_a_silent_step_costs_what_its_neurons_and_heatmaps_do():
    edge = preset('edge')
    silent = energy.honest_step(edge, 32, 32, np.zeros(8), energy.unfolded(edge))
    neurons = 16 * 16 * 16 + 8 * 8 * 32 + 3 * 4 * 4 * 64 + 8 * 8 * 32 + 16 * 16 * 16
    sums, searched, fed_back = 13 * 16 * 16, 13 * 16 * 16, 13 * 5 * 5 * 16
    assert silent == Operations(macs=neurons + 2 * 13 * 16 * 16,
                                additions=sums + searched + fed_back)
    assert energy.paper_step(edge, 32, 32, np.zeros(7)) == Operations()


def test_a_residual_spike_is_added_once_more():
    edge = preset('edge')
    reach = energy.Reach(np.zeros(8), np.zeros(8))
    spikes = np.zeros(8)
    silent = energy.honest_step(edge, 32, 32, spikes, reach)
    spikes[3] = 1  # down2, which res2 adds
    assert energy.honest_step(edge, 32, 32, spikes, reach).additions == silent.additions + 2


def test_operations_add_up():
    work = Operations(1, 2).times(3).plus(Operations(additions=1))
    assert work == Operations(3, 7)
    assert work.millijoules(AT_45NM) == pytest.approx((3 * 4.6 + 7 * 0.9) * 1e-9)


def test_memory_of_a_silent_step_is_one_sweep():
    edge, nothing = preset('edge'), np.zeros(8)
    swept = energy.memory_bytes(edge, 32, 32, nothing, energy.unfolded(edge))
    macs = energy.honest_step(edge, 32, 32, nothing, energy.unfolded(edge)).macs
    assert swept == 8 * macs
