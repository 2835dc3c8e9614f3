# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recurrent baseline of the paper: a U-Net with one ConvLSTM per level.

    counts - head ------------------------------ (+) - output - heatmaps
              level 0 ------------------ (+) - decoder 2
               level 1 --------- (+) - decoder 1        level: stride-2 convolution, ConvLSTM
                level 2 - residual blocks - decoder 0   decoder: transposed convolution, stride 2
Activations are ReLU except for the output, which has none (the published one is a LeakyReLU with
slope 1). The channel widths are those of the preset's SNN.

Source: the published code of arXiv 2303.14176; Rebecq et al., "High Speed and High Dynamic Range
Video with an Event Camera" (E2VID, arXiv 1906.07165).
"""

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybrid_pose_ros.model.presets import Preset
from hybrid_pose_ros.networks.blocks import crop

LEVELS = 3
RESIDUAL_BLOCKS = 2


class LSTMState(NamedTuple):
    """State of a level between time bins."""

    hidden: Tensor  # output of the level, (B, C, H, W)
    cell: Tensor  # (B, C, H, W)


class RecurrentLevel(nn.Module):
    """A stride-2 convolution and a ConvLSTM."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 5, 2, 2, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        self.gates = nn.Conv2d(2 * out_channels, 4 * out_channels, 3, padding=1)

    def forward(self, maps: Tensor, state: LSTMState | None) -> LSTMState:
        """Return the next state; None denotes a state of zeros."""
        maps = F.relu(self.norm(self.conv(maps)))
        if state is None:
            state = LSTMState(torch.zeros_like(maps), torch.zeros_like(maps))
        gates = self.gates(torch.cat([maps, state.hidden], dim=1))
        enter, keep, leave, new = gates.chunk(4, dim=1)
        cell = keep.sigmoid() * state.cell + enter.sigmoid() * new.tanh()
        return LSTMState(leave.sigmoid() * cell.tanh(), cell)


class ResidualBlock(nn.Module):
    """Two convolutions with a residual connection."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, C, H, W)."""
        inner = F.relu(self.norm1(self.conv1(maps)))
        return F.relu(self.norm2(self.conv2(inner)) + maps)


class Decoder(nn.Module):
    """A transposed convolution with stride 2."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 5, 2, 2, output_padding=1,
                                       bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        """Return maps of size (H, W), which is twice the input size or one row or column less."""
        return F.relu(self.norm(crop(self.conv(maps), size)))


class PoseRNN(nn.Module):
    """The recurrent U-Net of a preset."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.widths = tuple(preset.spiking[0].out_channels * 2 ** i for i in range(LEVELS + 1))
        self.head = nn.Conv2d(2, self.widths[0], 5, padding=2)
        self.levels = nn.ModuleList(RecurrentLevel(*pair) for pair in pairwise(self.widths))
        self.residuals = nn.ModuleList(ResidualBlock(self.widths[-1])
                                       for _ in range(RESIDUAL_BLOCKS))
        self.decoders = nn.ModuleList(Decoder(*pair) for pair in pairwise(self.widths[::-1]))
        self.output = nn.Conv2d(self.widths[0], preset.joints, 1, bias=False)
        self.output_norm = nn.BatchNorm2d(preset.joints)

    def forward(self, counts: Tensor, states: tuple[LSTMState | None, ...] = LEVELS * (None,)
                ) -> tuple[Tensor, tuple[LSTMState, ...]]:
        """Return heatmaps (B, J, H, W) and next states for the counts of a bin (B, 2, H, W)."""
        skips, next_states = [F.relu(self.head(counts))], []
        for level, state in zip(self.levels, states, strict=True):
            next_states.append(level(skips[-1], state))
            skips.append(next_states[-1].hidden)
        maps = skips[-1]
        for block in self.residuals:
            maps = block(maps)
        for decoder in self.decoders:
            maps = decoder(maps + skips.pop(), skips[-1].shape[-2:])
        return self.output_norm(self.output(maps + skips.pop())), tuple(next_states)
