# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.model.presets import decay_us, preset
from hybrid_pose_ros.networks.neurons import LIFState, Spike, leak_and_gain, lif_step


def papers_neuron(membrane, current):
    """Advance the paper's neuron (tau of 3 bins) by a bin; return spike and membrane."""
    leak, gain = leak_and_gain(torch.tensor(preset('paper').tau_us, dtype=torch.float64), 10_000)
    spikes, state = lif_step(gain * torch.tensor([current]), LIFState(torch.tensor([membrane])),
                             leak=leak, threshold=1.0)
    return spikes.item(), state.membrane.item()


@pytest.mark.parametrize('membrane, current, spike, after', [
    (1.6, 0.4, 1, 0.2),  # charged to 1.2
    (0.0, 3.0, 1, 0.0),  # charged to exactly the threshold
    (0.0, 2.9, 0, 2.9 / 3),
    (4.5, 0.0, 1, 2.0),  # at most one spike a bin: still above the threshold after it
    (-3.0, 0.0, 0, -2.0),
])
def test_worked_bins_of_the_papers_neuron(membrane, current, spike, after):
    assert papers_neuron(membrane, current) == (spike, pytest.approx(after, abs=1e-6))


def test_a_membrane_trace_by_hand():
    """Leak 1/2, charge 0.75 a bin: 0.75, then 1.125 fires and leaves 0.125, 0.8125, 1.15625."""
    state, trace = LIFState(torch.zeros(1)), []
    for _ in range(4):
        spikes, state = lif_step(torch.tensor([0.75]), state, leak=torch.tensor(0.5),
                                 threshold=1.0)
        trace.append((spikes.item(), state.membrane.item()))
    assert trace == [(0, 0.75), (1, 0.125), (0, 0.8125), (1, 0.15625)]


@pytest.mark.parametrize('distance, gradient', [
    (0.0, 1.0), (0.5, 0.2884), (-0.5, 0.2884), (1.0, 0.0920), (-1.0, 0.0920)])
def test_the_surrogate_gradient(distance, gradient):
    distance = torch.tensor(distance, requires_grad=True)
    Spike.apply(distance).backward()
    assert distance.grad.item() == pytest.approx(gradient, abs=5e-5)


@given(st.floats(-5, 5))
def test_the_surrogate_is_the_derivative_of_an_arcus_tangens(distance):
    smooth = torch.tensor(distance, dtype=torch.float64, requires_grad=True)
    (torch.atan(math.pi * smooth) / math.pi).backward()
    hard = torch.tensor(distance, dtype=torch.float64, requires_grad=True)
    Spike.apply(hard).backward()
    assert hard.grad.item() == pytest.approx(smooth.grad.item(), rel=1e-9)


def test_the_gradient_flows_through_the_reset():
    """dv/dcharge = 1 - threshold * ds/du: at the threshold 1 - 1 = 0, were it cut off 1."""
    charge = torch.tensor([1.0], requires_grad=True)
    _, state = lif_step(charge, LIFState(torch.zeros(1)), leak=torch.tensor(0.5), threshold=1.0)
    state.membrane.sum().backward()
    assert charge.grad.item() == pytest.approx(0, abs=1e-6)


@given(tau_us=st.floats(1_000, 1e6), dt_us=st.integers(100, 10_000), parts=st.integers(2, 10))
def test_short_bins_leak_as_much_as_one_long_bin(tau_us, dt_us, parts):
    tau_us = torch.tensor(tau_us, dtype=torch.float64)
    leak, gain = leak_and_gain(tau_us, dt_us)
    short_leak, _ = leak_and_gain(tau_us, dt_us / parts)
    assert short_leak.item() ** parts == pytest.approx(leak.item(), rel=1e-9)
    assert gain.item() == pytest.approx(1 - leak.item(), rel=1e-9)


def test_a_decay_per_step_is_a_time_constant():
    assert math.exp(-10_000 / decay_us(0.8, 10_000)) == pytest.approx(0.8)


def test_spikingjellys_neuron_does_the_same():
    """The neuron that the paper used: tau of 3 bins, soft reset, on a random input."""
    neuron = pytest.importorskip('spikingjelly.activation_based.neuron')
    surrogate = pytest.importorskip('spikingjelly.activation_based.surrogate')
    lif = neuron.LIFNode(tau=3.0, v_threshold=1.0, v_reset=None, detach_reset=False,
                         surrogate_function=surrogate.ATan(alpha=2.0))
    leak, gain = leak_and_gain(torch.tensor(preset('paper').tau_us, dtype=torch.float64), 10_000)
    generator = torch.Generator().manual_seed(0)
    currents = 3 * torch.randn(20, 500, generator=generator, dtype=torch.float64)
    theirs, ours = currents.clone().requires_grad_(), currents.clone().requires_grad_()
    state, loss, their_loss, fired = LIFState(torch.zeros(500, dtype=torch.float64)), 0, 0, 0
    for their_current, current in zip(theirs, ours):
        spikes, state = lif_step(gain * current, state, leak=leak, threshold=1.0)
        their_spikes = lif(their_current)
        assert torch.equal(spikes, their_spikes)
        torch.testing.assert_close(state.membrane, lif.v)
        fired += spikes.sum().item()
        loss = loss + (spikes * current).sum() + state.membrane.square().sum()
        their_loss = their_loss + (their_spikes * their_current).sum() + lif.v.square().sum()
    assert fired > 500
    loss.backward()
    their_loss.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
