# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fast, sparse SNN: a spiking U-Net for the event counts of one time bin."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybrid_pose_ros.model.layout import Convolution, convolutions
from hybrid_pose_ros.model.presets import EVENTS, Flow, OutputLayer, Preset, SpikingLayer
from hybrid_pose_ros.networks.blocks import ConvTensors, crop, upsample
from hybrid_pose_ros.networks.neurons import LIFState, leak_and_gain, lif_step


class SpikingConv(ConvTensors):
    """A convolution of spikes, and the neurons that it charges."""

    def __init__(self, conv: Convolution, layer: SpikingLayer, preset: Preset):
        super().__init__(conv)
        self.layer, self._preset = layer, preset
        self.fire = lif_step

    def forward(self, maps: dict[str, Tensor], state: LIFState, dt_us: float,
                current: Tensor | None = None) -> tuple[Tensor, LIFState]:
        """Return spikes (B, C, H, W) and the next state from the maps of the previous layers.

        Args:
            maps: spikes of the previous layers, and the event counts.
            state: state of this layer.
            dt_us: length of the bin [us].
            current: additional input current, (B, C, H, W).
        """
        leak, gain = leak_and_gain(self._tau_us(), dt_us)
        height, width = state.membrane.shape[-2:]
        charge = self._convolve(_joined(maps, self.layer.inputs), (height, width))
        if self.layer.residual:
            charge = charge + maps[self.layer.residual]
        if self._preset.current_input:
            charge = gain * charge
        if self.bias is not None:
            charge = charge + gain * self.bias[:, None, None]
        if current is not None:
            charge = charge + gain * current
        return self.fire(charge, state, leak=leak, threshold=self._preset.threshold)

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
    """A convolution of the last layers' spikes into neurons that integrate without firing."""

    def __init__(self, conv: Convolution, output: OutputLayer, preset: Preset):
        super().__init__(conv)
        self.output, self._preset = output, preset

    def forward(self, maps: dict[str, Tensor], integrated: Tensor, held: Tensor,
                dt_us: float) -> tuple[Tensor, Tensor]:
        """Return the next `integrated` and `held`, (B, J, H, W), whose sum is the heatmaps."""
        tau_us, tau_held_us = self._taus_us()
        leak, gain = leak_and_gain(tau_us, dt_us)
        held_leak, _ = leak_and_gain(tau_held_us, dt_us)
        charge = self.norm(F.conv2d(_joined(maps, self.output.inputs), self.weight, None, 1,
                                    self.output.kernel // 2))
        if self.output.neurons:
            charge = gain * charge
        if self.bias is not None:
            charge = charge + gain * self.bias[:, None, None]
        return leak * integrated + charge, held_leak * held

    def _taus_us(self) -> tuple[Tensor, Tensor]:
        if self._preset.learned_tau:
            return self.log_tau_us.exp(), self.log_tau_held_us.exp()
        return _constant(self._preset.tau_output_us), _constant(self._preset.tau_held_us)


class FeedbackConv(ConvTensors):
    """Feedback currents from the joints' peaks to the neurons around them."""

    def forward(self, peaks: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the currents, (B, C, H, W).

        Args:
            peaks: row and column of each joint, (B, J, 2) int64.
            size: size of the map, (H, W).
        """
        channels, joints, kernel, _ = self.weight.shape
        height, width = size[0] + kernel - 1, size[1] + kernel - 1
        weights = self.weight.flip((2, 3)).permute(1, 2, 3, 0).reshape(-1, channels)
        batch = len(peaks)
        currents = self.weight.new_zeros(batch * height * width, channels)
        cells = _window(peaks, kernel, width) + height * width * torch.arange(
            batch, device=peaks.device)[:, None, None]
        currents = currents.index_add(0, cells.flatten(), weights.repeat(batch, 1))
        border = kernel // 2
        return currents.view(batch, height, width, channels)[
            :, border:border + size[0], border:border + size[1]].permute(0, 3, 1, 2)


class FlowConv(ConvTensors):
    """Computes the displacement of each joint from the spikes around it."""

    def __init__(self, conv: Convolution, flow: Flow):
        super().__init__(conv)
        self._inputs = flow.inputs

    def forward(self, maps: dict[str, Tensor], peaks: Tensor) -> Tensor:
        """Return the displacement of each joint, x and y [cells], (B, J, 2)."""
        kernel, joints = self.weight.shape[-1], peaks.shape[1]
        padded = F.pad(_joined(maps, self._inputs).to(self.weight.dtype), 4 * (kernel // 2,))
        channels = padded.shape[1]
        cells = _window(peaks, kernel, padded.shape[-1]).flatten(1)
        windows = padded.flatten(2).gather(2, cells[:, None].expand(-1, channels, -1))
        weights = self.weight.view(2, joints, channels, -1)
        return torch.einsum('bcjk,ajck->bja', windows.unflatten(2, (joints, -1)), weights)


class PoseSNN(nn.Module):
    """The spiking U-Net of a preset; layers are named as in the preset."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.preset = preset
        convs = {conv.name: conv for conv in convolutions(preset)}
        for layer in preset.spiking:
            self.add_module(layer.name, SpikingConv(convs[f'snn.{layer.name}'], layer, preset))
        self.output = OutputConv(convs['snn.output'], preset.output, preset)
        self.feedback = FeedbackConv(convs['snn.feedback']) if preset.feedback else None
        self.flow = FlowConv(convs['snn.flow'], preset.flow) if preset.flow else None
        self._fed = preset.feedback.layer if preset.feedback else ''

    def forward(self, counts: Tensor, states: Sequence[LIFState], dt_us: float,
                peaks: Tensor) -> tuple[dict[str, Tensor], tuple[LIFState, ...]]:
        """Advance all spiking layers by one time bin.

        Args:
            counts: events of the bin, OFF and ON, (B, 2, H, W).
            states: one per layer, in the order of the preset.
            dt_us: length of the bin [us].
            peaks: row and column of each joint's peak before the bin, (B, J, 2) int64.

        Returns:
            Spikes (B, C, H, W) of each layer, including the counts, and the next states.
        """
        maps, next_states = {EVENTS: counts}, []
        for layer, state in zip(self.preset.spiking, states, strict=True):
            current = None
            if layer.name == self._fed and self.feedback is not None:
                current = self.feedback(peaks, state.membrane.shape[-2:])
            maps[layer.name], state = self.get_submodule(layer.name)(maps, state, dt_us, current)
            next_states.append(state)
        return maps, tuple(next_states)


def _joined(maps: dict[str, Tensor], names: Sequence[str]) -> Tensor:
    return torch.cat([maps[name] for name in names], dim=1)


def _window(peaks: Tensor, kernel: int, width: int) -> Tensor:
    """Return the indices (B, J, kernel ** 2) of cells around peaks in a map padded by kernel // 2.

    Args:
        peaks: row and column in the unpadded map, (B, J, 2).
        kernel: number of rows and columns of a window.
        width: number of columns of the padded map.
    """
    steps = torch.arange(kernel, device=peaks.device)
    inside = (steps[:, None] * width + steps).flatten()
    return peaks[..., :1] * width + peaks[..., 1:] + inside


def _constant(tau_us: float) -> Tensor:
    """Return a scalar tensor that does not promote the precision of other tensors."""
    return torch.tensor(tau_us, dtype=torch.float64)
