# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The systems compared in the paper, each with `initialize(frame)` and `step(counts)`.

    ann         the ANN's heatmaps, held until its next pass
    snn         the stand-alone spiking U-Net, from rest
    rnn         the stand-alone recurrent U-Net, from zeros
    hybrid_rnn  the ANN initializes hidden states and heatmaps, the recurrent U-Net continues
    hybrid_snn  the ANN initializes membrane potentials and heatmaps, the spiking U-Net continues

    hybrid_snn_no_state_init   hybrid_snn without the membrane potentials
    hybrid_snn_no_output_init  hybrid_snn without the heatmaps; its output is like that of `snn`
    hybrid_rnn_no_state_init   hybrid_rnn without the hidden states
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hybrid_pose_ros.model.layout import Convolution
from hybrid_pose_ros.model.presets import Preset, alone
from hybrid_pose_ros.networks.ann import PoseANN
from hybrid_pose_ros.networks.blocks import ConvNorm
from hybrid_pose_ros.networks.heads import Head
from hybrid_pose_ros.networks.hybrid import Hybrid, HybridState, advance, resting_state
from hybrid_pose_ros.networks.neurons import leak_and_gain
from hybrid_pose_ros.networks.rnn import LEVELS, LSTMState, PoseRNN
from hybrid_pose_ros.networks.snn import PoseSNN
from hybrid_pose_ros.networks.system import System


class AnnAlone(System):
    """The ANN with held heatmaps."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.ann = PoseANN(preset)

    def initialize(self, frame: Tensor) -> Tensor:
        """Return the heatmaps (B, J, h, w) of a frame (B, 2 * bins, H, W)."""
        return self.ann(frame)[0]

    def step(self, counts: Tensor, heatmaps: Tensor, dt_us: float) -> tuple[Tensor, Tensor]:
        """Return the unchanged heatmaps twice: as output and as state."""
        return heatmaps, heatmaps


class SnnAlone(System):
    """The published stand-alone spiking U-Net; its heatmaps are the potentials of the output."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.snn = PoseSNN(alone(preset))

    def initialize(self, frame: Tensor) -> HybridState:
        """Return a resting state; only the size of the frame is used."""
        batch, _, height, width = frame.shape
        return resting_state(self.snn, batch, width, height)

    def step(self, counts: Tensor, state: HybridState,
             dt_us: float) -> tuple[Tensor, HybridState]:
        """Return the heatmaps (B, J, h, w) at the end of a bin, and the next state."""
        heatmaps, state, _ = advance(self.snn, counts, state, dt_us)
        return heatmaps, state


class RnnState(NamedTuple):
    """State of the recurrent U-Net between time bins; None: zeros."""

    levels: tuple[LSTMState | None, ...]


class RnnAlone(System):
    """The recurrent U-Net; it must run with the step length used in training."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.rnn = PoseRNN(preset)

    def initialize(self, frame: Tensor) -> RnnState:
        """Return a state of zeros."""
        return RnnState(LEVELS * (None,))

    def step(self, counts: Tensor, state: RnnState, dt_us: float) -> tuple[Tensor, RnnState]:
        """Return the heatmaps (B, J, h, w) at the end of a bin, and the next state."""
        heatmaps, levels = self.rnn(counts, state.levels)
        return heatmaps, RnnState(levels)


class HybridRnnState(NamedTuple):
    """State of the recurrent hybrid between time bins."""

    levels: tuple[LSTMState | None, ...]
    heatmaps: Tensor  # decayed ANN heatmaps plus the outputs since, (B, J, h, w)


class HybridRnn(System):
    """The recurrent U-Net with hidden states initialized by the ANN; cell states are zeros."""

    def __init__(self, preset: Preset):
        super().__init__()
        self._tau_held_us = torch.tensor(preset.tau_held_us, dtype=torch.float64)
        self.ann, self.rnn = PoseANN(preset), PoseRNN(preset)
        self.heads = nn.ModuleList(
            _head(level, channels, width) for level, ((channels, _), width)
            in enumerate(zip(preset.ann.down, self.rnn.widths[1:])))

    def initialize(self, frame: Tensor) -> HybridRnnState:
        """Return the state for a frame; no gradient flows to the ANN."""
        heatmaps, features = self.ann(frame)
        hidden = [head(features[f's{level + 2}'].detach())
                  for level, head in enumerate(self.heads)]
        return HybridRnnState(
            tuple(LSTMState(maps, torch.zeros_like(maps)) for maps in hidden), heatmaps.detach())

    def step(self, counts: Tensor, state: HybridRnnState,
             dt_us: float) -> tuple[Tensor, HybridRnnState]:
        """Return the heatmaps (B, J, h, w) at the end of a bin, and the next state."""
        output, levels = self.rnn(counts, state.levels)
        leak, _ = leak_and_gain(self._tau_held_us, dt_us)
        state = HybridRnnState(levels, leak * state.heatmaps + output)
        return state.heatmaps, state


def _head(level: int, in_channels: int, out_channels: int) -> Head:
    conv1, conv2 = (
        Convolution(f'heads.{level}.{name}', channels, out_channels, 1, level + 1, bias=True,
                    norm=True) for name, channels in (('conv1', in_channels),
                                                      ('conv2', out_channels)))
    return Head(ConvNorm(conv1, activated=True), ConvNorm(conv2))


class HybridNoStateInit(Hybrid):
    """The hybrid whose neurons start at rest; its heads are not used."""

    def initialize(self, frame: Tensor) -> HybridState:
        """Return a resting state with the ANN's heatmaps for a frame."""
        height, width = frame.shape[-2:]
        rest = resting_state(self.snn, len(frame), width, height)
        return rest._replace(held=self.ann(frame)[0].detach())


class HybridNoOutputInit(Hybrid):
    """The hybrid whose output starts at 0 and is a leaky potential, as for a stand-alone SNN."""

    def __init__(self, preset: Preset):
        super().__init__(replace(preset, tau_output_us=preset.tau_us,
                                 output=replace(preset.output, neurons=True)))

    def initialize(self, frame: Tensor) -> HybridState:
        """Return the membrane potentials for a frame."""
        state = super().initialize(frame)
        return state._replace(held=torch.zeros_like(state.held))


class HybridRnnNoStateInit(HybridRnn):
    """The recurrent hybrid whose hidden states start from zeros; its heads are not used."""

    def initialize(self, frame: Tensor) -> HybridRnnState:
        """Return hidden states of zeros, and the ANN's heatmaps for a frame."""
        return HybridRnnState(LEVELS * (None,), self.ann(frame)[0].detach())


SYSTEMS: dict[str, Callable[[Preset], System]] = {
    'ann': AnnAlone, 'snn': SnnAlone, 'rnn': RnnAlone, 'hybrid_rnn': HybridRnn,
    'hybrid_snn': Hybrid, 'hybrid_snn_no_state_init': HybridNoStateInit,
    'hybrid_snn_no_output_init': HybridNoOutputInit,
    'hybrid_rnn_no_state_init': HybridRnnNoStateInit}
