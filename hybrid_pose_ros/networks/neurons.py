# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Leaky integrate-and-fire neurons as functions: state in, spikes and state out.

    u = leak * v + charge          charge
    s = 1 if u >= threshold        fire, at most once per time bin
    v = u - s * threshold          reset by subtraction

leak = exp(-dt / tau), so one tau is valid for time bins of any length dt. If the input is a
current x, the charge depends on the length of the bin: charge = (1 - leak) * x.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

SURROGATE_ALPHA = 2.0


class Spike(torch.autograd.Function):
    """Heaviside step (1 at 0) with the derivative of an arctangent as surrogate gradient.

    Source: Fang et al., "Incorporating learnable membrane time constant ..." (ICCV 2021), ATan.
    """

    @staticmethod
    def forward(ctx, distance: Tensor) -> Tensor:
        """Return 1 if the membrane potential minus the threshold is >= 0."""
        ctx.save_for_backward(distance)
        return (distance >= 0).to(distance.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        """Return the gradient, which is 1 at the threshold and decreases on both sides."""
        distance, = ctx.saved_tensors
        slope = math.pi / 2 * SURROGATE_ALPHA * distance
        return gradient * (SURROGATE_ALPHA / 2) / (1 + slope.square())


class LIFState(NamedTuple):
    """State of a layer of leaky integrate-and-fire neurons between time bins."""

    membrane: Tensor  # membrane potential, (B, C, H, W), same unit as the threshold


def lif_step(charge: Tensor, state: LIFState, *, leak: Tensor,
             threshold: float) -> tuple[Tensor, LIFState]:
    """Advance one time bin: leak, charge, fire, reset by subtraction.

    Args:
        charge: charge of the bin, (B, C, H, W).
        state: membrane potential after the previous bin or from the ANN.
        leak: fraction of the membrane potential that remains after a bin, () or (C, 1, 1).
        threshold: membrane potential at which a neuron fires.

    Returns:
        Spikes, 0 or 1, (B, C, H, W), and the state for the next bin. Gradients flow through the
        reset.
    """
    membrane = leak * state.membrane + charge
    spikes = Spike.apply(membrane - threshold)
    return spikes, LIFState(membrane - spikes * threshold)


def leak_and_gain(tau_us: Tensor, dt_us: float) -> tuple[Tensor, Tensor]:
    """Return exp(-dt / tau), and 1 minus it, computed accurately for long time constants."""
    exponent = -dt_us / tau_us
    return torch.exp(exponent), -torch.expm1(exponent)
