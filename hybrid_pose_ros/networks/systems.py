# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The systems that the paper compares, each with `initialize(frame)` and `step(counts)`.

    ann         the ANN's heatmaps, held until it looks again
    snn         the spiking U-Net alone, from rest
    rnn         the recurrent U-Net alone, from zeros
    hybrid_rnn  the ANN sets hidden states and heatmaps, the recurrent U-Net goes on
    hybrid_snn  the ANN sets membrane potentials and heatmaps, the spiking U-Net goes on

    hybrid_snn_no_state_init   of the last, without the membrane potentials
    hybrid_snn_no_output_init  and without the heatmaps: the output is as that of `snn`
    hybrid_rnn_no_state_init   of hybrid_rnn, without the hidden states
"""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hybrid_pose_ros.layout import Convolution
from hybrid_pose_ros.networks.ann import PoseANN
from hybrid_pose_ros.networks.blocks import ConvNorm
from hybrid_pose_ros.networks.heads import Head
from hybrid_pose_ros.networks.hybrid import Hybrid, HybridState, advance, resting_state
from hybrid_pose_ros.networks.neurons import leak_and_gain
from hybrid_pose_ros.networks.rnn import LEVELS, LSTMState, PoseRNN
from hybrid_pose_ros.networks.snn import PoseSNN
from hybrid_pose_ros.presets import Preset, alone


class AnnAlone(nn.Module):
    """The ANN, whose heatmaps are held."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.ann = PoseANN(preset)

    def initialize(self, frame: Tensor) -> Tensor:
        """Return the heatmaps (B, J, h, w) of a frame (B, 2 * bins, H, W)."""
        return self.ann(frame)[0]

    def step(self, counts: Tensor, heatmaps: Tensor, dt_us: float) -> tuple[Tensor, Tensor]:
        """Return the heatmaps as they are, twice: as an answer and as a state."""
        return heatmaps, heatmaps


class SnnAlone(nn.Module):
    """The spiking U-Net as published to run alone; its heatmaps are potentials of its output."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.snn = PoseSNN(alone(preset))

    def initialize(self, frame: Tensor) -> HybridState:
        """Return a state at rest; of the frame its size is all that is looked at."""
        batch, _, height, width = frame.shape
        return resting_state(self.snn, batch, width, height)

    def step(self, counts: Tensor, state: HybridState,
             dt_us: float) -> tuple[Tensor, HybridState]:
        """Return heatmaps (B, J, h, w) at the end of a bin of counts, and the next state."""
        heatmaps, state, _ = advance(self.snn, counts, state, dt_us)
        return heatmaps, state


class RnnState(NamedTuple):
    """What the recurrent systems carry from one time bin to the next."""

    levels: tuple[LSTMState | None, ...]
    heatmaps: Tensor | None = None  # of the hybrid, (B, J, h, w)


class RnnAlone(nn.Module):
    """The recurrent U-Net; its steps are as long as those that it was trained with."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.rnn = PoseRNN(preset)

    def initialize(self, frame: Tensor) -> RnnState:
        """Return a state of zeros."""
        return RnnState(LEVELS * (None,))

    def step(self, counts: Tensor, state: RnnState, dt_us: float) -> tuple[Tensor, RnnState]:
        """Return heatmaps (B, J, h, w) at the end of a bin of counts, and the next state."""
        heatmaps, levels = self.rnn(counts, state.levels)
        return heatmaps, RnnState(levels)


class HybridRnn(nn.Module):
    """The recurrent U-Net, its hidden states set by the ANN; cells begin as zeros."""

    def __init__(self, preset: Preset):
        super().__init__()
        self._tau_held_us = torch.tensor(preset.tau_held_us, dtype=torch.float64)
        self.ann, self.rnn = PoseANN(preset), PoseRNN(preset)
        self.heads = nn.ModuleList(
            _head(level, channels, width) for level, ((channels, _), width)
            in enumerate(zip(preset.ann.down, self.rnn.widths[1:])))

    def initialize(self, frame: Tensor) -> RnnState:
        """Return the state that the ANN sees in a frame; no gradient flows into the ANN."""
        heatmaps, features = self.ann(frame)
        hidden = [head(features[f's{level + 2}'].detach())
                  for level, head in enumerate(self.heads)]
        return RnnState(tuple(LSTMState(maps, torch.zeros_like(maps)) for maps in hidden),
                        heatmaps.detach())

    def step(self, counts: Tensor, state: RnnState, dt_us: float) -> tuple[Tensor, RnnState]:
        """Return heatmaps (B, J, h, w) at the end of a bin of counts, and the next state."""
        output, levels = self.rnn(counts, state.levels)
        leak, _ = leak_and_gain(self._tau_held_us, dt_us)
        state = RnnState(levels, leak * state.heatmaps + output)
        return state.heatmaps, state


def _head(level: int, in_channels: int, out_channels: int) -> Head:
    conv1, conv2 = (
        Convolution(f'heads.{level}.{name}', channels, out_channels, 1, level + 1, bias=True,
                    norm=True) for name, channels in (('conv1', in_channels),
                                                      ('conv2', out_channels)))
    return Head(ConvNorm(conv1, activated=True), ConvNorm(conv2))


class HybridNoStateInit(Hybrid):
    """The hybrid, but neurons begin at rest; its heads are not used."""

    def initialize(self, frame: Tensor) -> HybridState:
        """Return a state at rest over the heatmaps that the ANN sees in a frame."""
        height, width = frame.shape[-2:]
        rest = resting_state(self.snn, len(frame), width, height)
        return rest._replace(held=self.ann(frame)[0].detach())


class HybridNoOutputInit(Hybrid):
    """The hybrid, but its output begins at 0 and is a leaky potential, as that of an SNN alone."""

    def __init__(self, preset: Preset):
        super().__init__(replace(preset, tau_output_us=preset.tau_us,
                                 output=replace(preset.output, neurons=True)))

    def initialize(self, frame: Tensor) -> HybridState:
        """Return the membrane potentials that the ANN sees in a frame."""
        state = super().initialize(frame)
        return state._replace(held=torch.zeros_like(state.held))


class HybridRnnNoStateInit(HybridRnn):
    """The recurrent hybrid, but hidden states begin as zeros, too; its heads are not used."""

    def initialize(self, frame: Tensor) -> RnnState:
        """Return zeros, and the heatmaps that the ANN sees in a frame."""
        return RnnState(LEVELS * (None,), self.ann(frame)[0].detach())


SYSTEMS = {'ann': AnnAlone, 'snn': SnnAlone, 'rnn': RnnAlone, 'hybrid_rnn': HybridRnn,
           'hybrid_snn': Hybrid, 'hybrid_snn_no_state_init': HybridNoStateInit,
           'hybrid_snn_no_output_init': HybridNoOutputInit,
           'hybrid_rnn_no_state_init': HybridRnnNoStateInit}
