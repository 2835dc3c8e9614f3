# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The engine against networks/: the same spikes and heatmaps, step by step.

Sums in another order differ in the last bits, so a neuron within rounding of its threshold may
fire in one and not in the other. Two ways round it: weights, membranes and leaks for which every
sum is exact; and, for any others, a new initialization after each step in which the reference
has a membrane within MARGIN of the threshold.
"""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.model import presets
from hybrid_pose_ros.model.checkpoint import Checkpoint, parameter_shapes, shipped, untrained
from hybrid_pose_ros.model.layout import state_layout
from hybrid_pose_ros.networks.hybrid import Hybrid, HybridState
from hybrid_pose_ros.networks.neurons import LIFState
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.representation.step_counter import StepCounter
from hybrid_pose_ros.simulation.camera import look_at
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.simulation.scene_settings import OFFICE

MARGIN = 1e-5
EDGE, PAPER = presets.preset('edge'), presets.preset('paper')
BILINEAR = dataclasses.replace(PAPER, batch_norm=False, current_input=False, learned_tau=True)
"""The paper's layers with the neurons of `edge`, whose sums can be exact."""

JOINT_WEIGHTS = {'snn.feedback.weight': 0.3, 'snn.flow.weight': 0.02}
"""Standard deviations; untrained weights are 0 there."""
SIZES = st.tuples(st.integers(9, 40), st.integers(9, 40))
SEEDS = st.integers(0, 2 ** 31)


def advance_silent(engine, state, steps):
    """Advance a state by time bins without events."""
    counts = np.zeros((2, engine.height, engine.width), np.uint8)
    for _ in range(steps):
        engine.step(counts, state)


def random_checkpoint(preset, rng):
    """Return weights at which several percent of the neurons fire, no two channels alike."""
    tensors = dict(untrained(preset, int(rng.integers(2 ** 31))).tensors)
    for name, tensor in tensors.items():
        if name.endswith(('bias', 'running_mean', 'log_tau_us', 'log_tau_held_us')):
            tensors[name] = tensor + rng.normal(0, 0.3, tensor.shape).astype(np.float32)
        elif name.endswith(('norm.weight', 'running_var')):
            tensors[name] = rng.uniform(0.5, 3, tensor.shape).astype(np.float32)
        elif name in JOINT_WEIGHTS:
            tensors[name] = rng.normal(0, JOINT_WEIGHTS[name], tensor.shape).astype(np.float32)
    return Checkpoint(preset, tensors, {})


def exact_checkpoint(preset, rng):
    """Return weights that are multiples of 1/64 and leaks that are 0 or 1."""
    tensors = {}
    for name, shape in parameter_shapes(preset).items():
        if name.endswith(('log_tau_us', 'log_tau_held_us')):
            tensors[name] = rng.choice([-5, 50], shape).astype(np.float32)
        else:
            tensors[name] = np.float32(np.round(rng.normal(-0.05, 0.4, shape) * 64) / 64
                                       * (rng.random(shape) < 0.15))
    if preset.feedback:
        leaks = tensors[f'snn.{preset.feedback.layer}.log_tau_us'] < 0
        tensors['snn.feedback.weight'] *= leaks[:, None, None, None]
    for name in tensors:
        if name.startswith('snn.') and name.endswith('.bias'):
            # Where nothing leaks, a current is charged with 1 - leak, almost 0 and not exact.
            leaks = tensors[name.replace('bias', 'log_tau_us')] < 0
            tensors[name] = np.float32(rng.integers(-64, 65, tensors[name].shape) / 64 * leaks)
    return Checkpoint(preset, tensors, {})


def random_state(preset, width, height, rng, grid=None):
    """Return state tensors with long tails, or multiples of `grid`."""
    tensors = {name: rng.standard_t(2, shape).clip(-100, 100)
               for name, shape in state_layout(preset, width, height).items()}
    if grid:
        tensors = {name: np.round(tensor / grid) * grid for name, tensor in tensors.items()}
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}


def random_counts(width, height, rate, rng):
    """Return one step's counts: most cells empty, some with several events."""
    return rng.poisson(rate, (2, height, width)).clip(0, 255).astype(np.uint8)


def torch_state(tensors):
    """Return the state of networks/, double precision, that the state tensors initialize."""
    maps = {name: torch.from_numpy(tensor).double().permute(2, 0, 1)[None]
            for name, tensor in tensors.items()}
    held = maps.pop('heatmap')
    return HybridState.begin(tuple(map(LIFState, maps.values())), held)


def spike_maps_of(engine, state):
    """Return the last step's spikes of each layer as maps (C, H, W)."""
    maps = []
    shapes = [shape for name, shape in engine.layout.items() if name != 'heatmap']
    for index, (height, width, channels) in enumerate(shapes, start=1):
        spikes = np.zeros((channels, height, width))
        y, x, channel, _ = state.spike_map(index).T
        np.add.at(spikes, (channel, y, x), 1)
        maps.append(spikes)
    return maps


def distance_to_threshold(spikes, state, threshold):
    """Return how near any neuron was to the other decision, before its reset."""
    return min(float(torch.where(fired > 0, layer.membrane, threshold - layer.membrane).min())
               for fired, layer in zip(spikes.values(), state.layers, strict=True))


def distance_between_peaks(state):
    """Return how near any joint was to a peak in another cell.

    Equal ones do not count: a border that was repeated is equal in both, and the first one wins.
    """
    highest, second = state.heatmaps.flatten(2).topk(2).values.unbind(dim=-1)
    apart = highest - second
    return float(torch.where(apart > 0, apart, torch.inf).min())


class Pair:
    """The engine and networks/ side by side."""

    def __init__(self, checkpoint, width, height, dt_us):
        self.engine = SpikingEngine(checkpoint, width, height, dt_us)
        self.network = Hybrid.from_checkpoint(checkpoint).double()

    def initialize(self, tensors):
        self.state, self.expected = self.engine.initialize(tensors), torch_state(tensors)

    @torch.no_grad()
    def step(self, counts):
        """Advance both; return heatmaps and spikes of the engine, the same of the network."""
        heatmap = self.engine.step(counts, self.state)
        expected, self.expected, spikes = self.network.step_with_spikes(
            torch.from_numpy(counts)[None], self.expected, self.engine.step_us)
        self.margin = min(distance_to_threshold(spikes, self.expected,
                                                self.engine.preset.threshold),
                          float((0.5 - self.expected.offset.abs()).min()),
                          distance_between_peaks(self.expected))
        if self.margin >= MARGIN:
            np.testing.assert_allclose(self.state.offset, self.expected.offset[0], atol=1e-4)
        return (heatmap, spike_maps_of(self.engine, self.state),
                expected[0].permute(1, 2, 0).numpy(),
                [fired[0].numpy() for fired in spikes.values()])


def assert_exactly_equal(preset, width, height, steps, rate, rng):
    """Compare where all sums are exact; return the spikes of each layer."""
    pair = Pair(exact_checkpoint(preset, rng), width, height, 1000)
    pair.initialize(random_state(preset, width, height, rng, grid=1 / 16))
    fired = np.zeros(len(preset.spiking))
    for _ in range(steps):
        heatmap, spikes, expected, expected_spikes = pair.step(
            random_counts(width, height, rate, rng))
        for found, wanted in zip(spikes, expected_spikes, strict=True):
            np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(heatmap, expected)
        fired += [found.sum() for found in spikes]
    return fired


def test_hundreds_of_steps_give_exactly_the_network_s_spikes_where_sums_are_exact():
    fired = assert_exactly_equal(EDGE, 31, 22, 300, 0.05, np.random.default_rng(1))
    assert fired.min() > 1000


@settings(max_examples=30, deadline=None)
@given(size=SIZES, rate=st.sampled_from([0, 0.01, 0.2]), seed=SEEDS)
def test_any_size_gives_exactly_the_network_s_spikes_where_sums_are_exact(size, rate, seed):
    assert_exactly_equal(EDGE, *size, 5, rate, np.random.default_rng(seed))


@settings(max_examples=4, deadline=None)
@given(size=SIZES, rate=st.sampled_from([0.01, 0.2]), seed=SEEDS)
def test_bilinear_upsampling_is_exact_up_to_the_borders_of_any_size(size, rate, seed):
    assert_exactly_equal(BILINEAR, *size, 3, rate, np.random.default_rng(seed))


@pytest.fixture(scope='module')
def engine():
    return SpikingEngine(random_checkpoint(EDGE, np.random.default_rng(4)), 33, 18, 1000)


def assert_equal_within_rounding(preset, width, height, dt_us, steps, rate, rng):
    """Compare step by step; return how many steps were compared."""
    pair = Pair(random_checkpoint(preset, rng), width, height, dt_us)
    pair.margin, compared = 0, 0
    for _ in range(steps):
        if pair.margin < MARGIN:
            pair.initialize(random_state(preset, width, height, rng))
        heatmap, spikes, expected, expected_spikes = pair.step(
            random_counts(width, height, rate, rng))
        if pair.margin >= MARGIN:
            for found, wanted in zip(spikes, expected_spikes, strict=True):
                np.testing.assert_array_equal(found, wanted)
            np.testing.assert_allclose(heatmap, expected, rtol=1e-5, atol=1e-4)
            compared += 1
    return compared


def test_hundreds_of_steps_give_the_network_s_spikes_and_heatmaps():
    compared = assert_equal_within_rounding(EDGE, 31, 22, 1000, 400, 0.03,
                                            np.random.default_rng(2))
    assert compared > 300


@settings(max_examples=30, deadline=None)
@given(size=SIZES, dt_us=st.integers(100, 20_000), rate=st.sampled_from([0, 0.01, 0.2]),
       seed=SEEDS)
def test_any_size_and_time_step_give_the_network_s_spikes(size, dt_us, rate, seed):
    assert_equal_within_rounding(EDGE, *size, dt_us, 6, rate, np.random.default_rng(seed))


@pytest.mark.parametrize('width, height, dt_us', [(64, 64, 10_000), (45, 39, 4_000)])
def test_the_paper_s_network_gives_the_same_spikes_and_heatmaps(width, height, dt_us):
    compared = assert_equal_within_rounding(PAPER, width, height, dt_us, 12, 0.05,
                                            np.random.default_rng(3))
    assert compared > 3


def test_two_states_of_one_engine_do_not_touch_each_other(engine):
    rng = np.random.default_rng(5)
    tensors = random_state(EDGE, 33, 18, rng)
    counts = [random_counts(33, 18, 0.1, rng) for _ in range(20)]
    alone = engine.initialize(tensors)
    expected = [engine.step(step, alone).copy() for step in counts]
    first, second = engine.initialize(tensors), engine.initialize()
    for step, other, heatmap in zip(counts, reversed(counts), expected, strict=True):
        engine.step(other, second)
        np.testing.assert_array_equal(engine.step(step, first), heatmap)


def test_a_used_state_that_is_initialized_is_like_a_new_one(engine):
    rng = np.random.default_rng(6)
    tensors = random_state(EDGE, 33, 18, rng)
    used = engine.initialize(random_state(EDGE, 33, 18, rng))
    counts = random_counts(33, 18, 0.1, rng)
    engine.step(counts, used)
    used.copy_from(tensors)
    np.testing.assert_array_equal(used.heatmap, tensors['heatmap'])
    new = engine.initialize(tensors)
    np.testing.assert_array_equal(engine.step(counts, used), engine.step(counts, new))
    np.testing.assert_array_equal(used.arrays.membranes, new.arrays.membranes)


@given(SEEDS)
@settings(max_examples=20)
def test_where_nothing_fires_a_long_step_is_ten_short_ones(seed):
    rng = np.random.default_rng(seed)
    engine = SpikingEngine(random_checkpoint(EDGE, rng), 30, 20, 1_000, longest=10)
    tensors = {name: tensor if name == 'heatmap' else -10 - abs(tensor)
               for name, tensor in random_state(EDGE, 30, 20, rng).items()}
    at_once, by_steps = engine.initialize(tensors), engine.initialize(tensors)
    engine.step(np.zeros((2, 20, 30), np.uint8), at_once, bins=10)
    advance_silent(engine, by_steps, 10)
    at_once.leak_for(engine.plan)
    assert not at_once.spike_counts.any() and not by_steps.spike_counts.any()
    for name in ('membranes', 'held', 'heatmap'):
        np.testing.assert_allclose(getattr(at_once.arrays, name), getattr(by_steps.arrays, name),
                                   rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('preset, lengths', ((EDGE, (1, 2, 3, 4)), (PAPER, (1, 4))))
def test_a_step_of_several_bins_is_that_of_a_network_of_such_bins(preset, lengths):
    rng = np.random.default_rng(3)
    weights = random_checkpoint(preset, rng)
    engine = SpikingEngine(weights, 30, 20, 1_000, longest=4)
    assert engine.lengths == lengths
    tensors, counts = random_state(preset, 30, 20, rng), random_counts(30, 20, 0.1, rng)
    for bins in lengths:
        of_such = SpikingEngine(weights, 30, 20, bins * 1_000)
        state, expected = engine.initialize(tensors), of_such.initialize(tensors)
        for _ in range(3):
            np.testing.assert_allclose(engine.step(counts, state, bins=bins),
                                       of_such.step(counts, expected), rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(state.spike_counts, expected.spike_counts)
        assert state.spike_counts.any()


@given(SEEDS)
@settings(max_examples=10)
def test_a_state_that_goes_through_steps_of_another_length_is_the_same(seed):
    rng = np.random.default_rng(seed)
    engine = SpikingEngine(random_checkpoint(EDGE, rng), 30, 20, 1_000, longest=10)
    state = engine.initialize(random_state(EDGE, 30, 20, rng))
    for _ in range(3):
        engine.step(random_counts(30, 20, 0.1, rng), state)
    before = state.arrays._replace(membranes=state.arrays.membranes.copy(),
                                   held=state.arrays.held.copy())
    long = SpikingEngine(random_checkpoint(EDGE, np.random.default_rng(seed)), 30, 20, 10_000)
    state.leak_for(long.plan)
    assert not np.allclose(state.arrays.held, before.held)
    state.leak_for(engine.plan)
    for name in ('membranes', 'held'):
        np.testing.assert_allclose(getattr(state.arrays, name), getattr(before, name),
                                   rtol=1e-4, atol=1e-5)


def test_what_has_leaked_away_is_0_and_no_number_too_small_to_be_fast():
    engine = SpikingEngine(untrained(EDGE), 33, 18, 20_000)
    state = engine.initialize(random_state(EDGE, 33, 18, np.random.default_rng(0)))
    advance_silent(engine, state, 1000)  # 20 s; that of the ANN's heatmap is e^-20
    np.testing.assert_array_equal(state.arrays.membranes, 0)
    assert 0 < np.abs(state.arrays.held).max() < 1e-6


def test_spike_counts_tell_the_cells_with_events_and_the_spikes_of_each_layer(engine):
    rng = np.random.default_rng(9)
    state = engine.initialize(random_state(EDGE, 33, 18, rng))
    counts = random_counts(33, 18, 0.1, rng)
    engine.step(counts, state)
    assert state.spike_counts[0] == np.count_nonzero(counts)
    assert state.spike_counts[1:].tolist() == [
        fired.sum() for fired in spike_maps_of(engine, state)]


def test_operations_per_spike_are_the_weights_that_it_meets(engine):
    """5x5 taps of stride 2 meet 16 channels at 25 / 4 places each; and so on, see the preset."""
    assert engine.operations_per_spike.tolist() == [
        25 / 4 * 16,  # events to enc0
        9 / 4 * 32 + 25 * 13,  # enc0 to down1 and the output
        9 / 4 * 64 + 16 * 16,  # down1 to down2 and up2
        9 * 64 + 16 * 32,  # down2 to res1 and up1
        9 * 64, 16 * 32, 16 * 16, 25 * 13]


@pytest.mark.parametrize('shape', [(2, 17, 33), (2, 18, 34), (1, 18, 33)])
def test_counts_of_another_size_are_refused(engine, shape):
    with pytest.raises(ValueError, match='must have shape'):
        engine.step(np.zeros(shape, np.uint8), engine.initialize())


def test_state_tensors_of_another_size_are_refused(engine):
    with pytest.raises(ValueError, match='membrane.enc0 must have shape'):
        engine.initialize(random_state(EDGE, 35, 18, np.random.default_rng(0)))


def bins_of_a_person(width, height, steps):
    """Return the counts of each millisecond of a simulated person before a small sensor."""
    view = look_at((0.0, -3.4, 1.1), (0.0, 0.0, 0.95), focal_px=0.95 * width, width=width,
                   height=height)
    scene = SimulatedScene(GeneratedMotion(3, ('jumping_jack', 'wave')), view, OFFICE, seed=3,
                           duration_us=1000 * (steps + 2))
    geometry = input_geometry(EDGE, width, height)
    counter = StepCounter(geometry, 1000)
    for piece in scene:
        for step in counter.update(piece.events):
            yield step.counts(geometry)


def test_hundreds_of_steps_of_a_person_give_the_same_spikes_with_the_weights_that_ship():
    pair, rng = Pair(shipped('edge'), 64, 48, 1000), np.random.default_rng(9)
    pair.margin = compared = spikes_seen = 0
    for counts in itertools.islice(bins_of_a_person(64, 48, 700), 700):
        if pair.margin < MARGIN:
            pair.initialize(random_state(EDGE, 64, 48, rng))
        heatmap, spikes, expected, expected_spikes = pair.step(counts)
        if pair.margin >= MARGIN:
            for found, wanted in zip(spikes, expected_spikes, strict=True):
                np.testing.assert_array_equal(found, wanted)
            np.testing.assert_allclose(heatmap, expected, rtol=1e-4, atol=1e-3)
            spikes_seen += sum(found.sum() for found in spikes)
            compared += 1
    assert compared > 500 and spikes_seen > 30_000


def assert_the_same_whatever_the_threads(preset, width, height, step_us, steps, rng):
    """Compare engines of one, two and three threads bit by bit; return the spikes there were."""
    checkpoint = random_checkpoint(preset, rng)
    tensors = random_state(preset, width, height, rng)
    engines = [SpikingEngine(checkpoint, width, height, step_us, threads=threads)
               for threads in (1, 2, 3)]
    states = [engine.initialize(tensors) for engine in engines]
    spikes = 0
    for _ in range(steps):
        counts = random_counts(width, height, 0.03, rng)
        for engine, state in zip(engines, states, strict=True):
            engine.step(counts, state)
        for state in states[1:]:
            for name in ('membranes', 'heatmap', 'ends', 'peaks', 'offset'):
                np.testing.assert_array_equal(getattr(state.arrays, name),
                                              getattr(states[0].arrays, name))
            for index in range(len(preset.spiking) + 1):
                np.testing.assert_array_equal(state.spike_map(index), states[0].spike_map(index))
        spikes += states[0].spike_counts[1:]
    return spikes


def test_threads_change_no_bit_of_hundreds_of_steps():
    spikes = assert_the_same_whatever_the_threads(EDGE, 64, 49, 1000, 400,
                                                  np.random.default_rng(10))
    assert spikes.min() > 1000


def test_threads_change_no_bit_of_hundreds_of_steps_of_the_paper_s_network():
    spikes = assert_the_same_whatever_the_threads(PAPER, 45, 39, 10_000, 200,
                                                  np.random.default_rng(11))
    assert spikes.min() > 1000


def test_more_threads_than_rows_change_no_bit():
    spikes = assert_the_same_whatever_the_threads(EDGE, 20, 9, 1000, 50,
                                                  np.random.default_rng(12))
    assert spikes.min() > 10
