# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fast, sparse half: a spiking U-Net that takes the event counts of one time bin."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybrid_pose_ros.layout import Convolution, convolutions
from hybrid_pose_ros.networks.blocks import ConvTensors, crop, upsample
from hybrid_pose_ros.networks.neurons import LIFState, leak_and_gain, lif_step
from hybrid_pose_ros.presets import EVENTS, OutputLayer, Preset, SpikingLayer


class SpikingConv(ConvTensors):
    """A convolution of spikes and the neurons that it charges."""

    def __init__(self, conv: Convolution, layer: SpikingLayer, preset: Preset):
        super().__init__(conv)
        self.layer, self._preset = layer, preset

    def forward(self, maps: dict[str, Tensor], state: LIFState,
                dt_us: float) -> tuple[Tensor, LIFState]:
        """Return spikes (B, C, H, W) and the next state, from the maps of the layers before."""
        leak, gain = leak_and_gain(self._tau_us(), dt_us)
        charge = self._convolve(_joined(maps, self.layer.inputs), state.membrane.shape[-2:])
        if self.layer.residual:
            charge = charge + maps[self.layer.residual]
        if self._preset.current_input:
            charge = gain * charge
        if self.bias is not None:
            charge = charge + gain * self.bias[:, None, None]
        return lif_step(charge, state, leak=leak, threshold=self._preset.threshold)

    def _tau_us(self) -> Tensor:
        if self._preset.learned_tau:
            return self.log_tau_us.exp()[:, None, None]
        return _constant(self._preset.tau_us)

    def _convolve(self, spikes: Tensor, size: tuple[int, int]) -> Tensor:
        if self.layer.upsampling == 'transposed':
            return self.norm(crop(F.conv_transpose2d(spikes, self.weight, stride=2, padding=1),
                                  size))
        if self.layer.upsampling == 'bilinear':
            spikes = upsample(spikes, size)
        return self.norm(F.conv2d(spikes, self.weight, None, self.layer.stride,
                                  self.layer.kernel // 2))


class OutputConv(ConvTensors):
    """A convolution of the last spikes into neurons that integrate and never fire."""

    def __init__(self, conv: Convolution, output: OutputLayer, preset: Preset):
        super().__init__(conv)
        self.output, self._preset = output, preset

    def forward(self, maps: dict[str, Tensor], integrated: Tensor, held: Tensor,
                dt_us: float) -> tuple[Tensor, Tensor]:
        """Return the next `integrated` and `held`, (B, J, H, W); their sum is the heatmaps."""
        tau_us, tau_held_us = self._taus_us()
        leak, gain = leak_and_gain(tau_us, dt_us)
        held_leak, _ = leak_and_gain(tau_held_us, dt_us)
        charge = F.conv2d(_joined(maps, self.output.inputs), self.weight, None, 1,
                          self.output.kernel // 2)
        if self.bias is not None:
            charge = charge + gain * self.bias[:, None, None]
        return leak * integrated + charge, held_leak * held

    def _taus_us(self) -> tuple[Tensor, Tensor]:
        if self._preset.learned_tau:
            return self.log_tau_us.exp(), self.log_tau_held_us.exp()
        return _constant(self._preset.tau_output_us), _constant(self._preset.tau_held_us)


class PoseSNN(nn.Module):
    """The spiking U-Net of a preset; layers are named as there."""

    def __init__(self, preset: Preset):
        super().__init__()
        self._layers = preset.spiking
        convs = {conv.name: conv for conv in convolutions(preset)}
        for layer in preset.spiking:
            self.add_module(layer.name, SpikingConv(convs[f'snn.{layer.name}'], layer, preset))
        self.output = OutputConv(convs['snn.output'], preset.output, preset)

    def forward(self, counts: Tensor, states: Sequence[LIFState],
                dt_us: float) -> tuple[dict[str, Tensor], tuple[LIFState, ...]]:
        """Advance all spiking layers one time bin.

        Args:
            counts: events of the bin, OFF and ON, (B, 2, H, W).
            states: one a layer, in the order of the preset.
            dt_us: length of the bin [us].

        Returns:
            Spikes (B, C, H, W) of each layer, the counts among them, and the next states.
        """
        maps, next_states = {EVENTS: counts}, []
        for layer, state in zip(self._layers, states, strict=True):
            maps[layer.name], state = self.get_submodule(layer.name)(maps, state, dt_us)
            next_states.append(state)
        return maps, tuple(next_states)


def _joined(maps: dict[str, Tensor], names: Sequence[str]) -> Tensor:
    return torch.cat([maps[name] for name in names], dim=1)


def _constant(tau_us: float) -> Tensor:
    """Return a scalar that does not raise the precision of the tensors that it meets."""
    return torch.tensor(tau_us, dtype=torch.float64)
