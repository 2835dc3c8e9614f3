# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The hybrid: the ANN initializes the SNN's state, and the SNN updates the pose bin by bin.

    frame  - ANN - heatmaps ---------------------> held
              |
              features - heads - membrane potentials
                                   |
    counts of a bin ------------- SNN - output --> integrated      heatmaps = integrated + held
                                   |
                                  flow ----------> offset          joints = peaks + offset

With flow, the maps of a joint move with the joint: when its offset approaches a whole cell, both
maps are shifted by that cell.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.layout import heatmap_shape, spike_maps
from hybrid_pose_ros.model.presets import Preset
from hybrid_pose_ros.networks.ann import PoseANN
from hybrid_pose_ros.networks.heads import StateHeads
from hybrid_pose_ros.networks.neurons import LIFState
from hybrid_pose_ros.networks.snn import PoseSNN
from hybrid_pose_ros.networks.system import System


class HybridState(NamedTuple):
    """State of the hybrid between time bins."""

    layers: tuple[LIFState, ...]  # one per spiking layer, in the order of the preset
    integrated: Tensor  # decaying sum of the SNN's output since the initialization, (B, J, h, w)
    held: Tensor  # the ANN's heatmaps, decayed, (B, J, h, w)
    offset: Tensor  # from each joint's heatmap position to the joint [cells], (B, J, 2)

    @classmethod
    def begin(cls, layers: tuple[LIFState, ...], heatmaps: Tensor) -> 'HybridState':
        """Return a new state with no SNN output accumulated yet."""
        offset = heatmaps.new_zeros((*heatmaps.shape[:2], 2))
        return cls(layers, torch.zeros_like(heatmaps), heatmaps, offset)

    @property
    def heatmaps(self) -> Tensor:
        """Heatmaps of the network at the end of the last bin, (B, J, h, w)."""
        return self.integrated + self.held

    @property
    def peaks(self) -> Tensor:
        """Row and column of the first maximum of each heatmap, (B, J, 2) int64."""
        heatmaps = self.heatmaps.detach()
        cells, width = heatmaps.flatten(2).argmax(dim=2), heatmaps.shape[-1]
        return torch.stack([cells // width, cells % width], dim=-1)


class Hybrid(System):
    """The network of a preset; weights are zero until a checkpoint is loaded."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.preset = preset
        self.ann = PoseANN(preset)
        self.heads = StateHeads(preset)
        self.snn = PoseSNN(preset)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> 'Hybrid':
        """Return the network with these weights, in evaluation mode."""
        hybrid = cls(checkpoint.preset)
        with torch.no_grad():
            for name, tensor in hybrid.state_dict().items():
                tensor.copy_(torch.from_numpy(np.array(checkpoint.tensors[name])))
        return hybrid.eval()

    def to_checkpoint(self, card: dict[str, Any]) -> Checkpoint:
        """Return the current weights with a card that records their origin."""
        tensors = {name: tensor.float().cpu().numpy().copy()
                   for name, tensor in self.state_dict().items()}
        return Checkpoint(self.preset, tensors, card)

    def initialize(self, frame: Tensor) -> HybridState:
        """Return the state for a frame of event counts (B, 2 * bins, H, W).

        No gradient flows from the SNN to the ANN; call `ann` to train on its heatmaps.
        """
        heatmaps, features = self.ann(frame)
        features = {name: feature.detach() for name, feature in features.items()}
        height, width = frame.shape[-2:]
        membranes = self.heads(features, width, height)
        layers = tuple(LIFState(membranes[layer.name]) for layer in self.preset.spiking)
        return HybridState.begin(layers, heatmaps.detach())

    def resting_state(self, batch: int, width: int, height: int) -> HybridState:
        """Return the state of a network that has had no input, for an input of width x height."""
        return resting_state(self.snn, batch, width, height)

    def step(self, counts: Tensor, state: HybridState,
             dt_us: float) -> tuple[Tensor, HybridState]:
        """Return the heatmaps (B, J, h, w) at the end of a time bin, and the next state.

        Args:
            counts: events of the bin, OFF and ON, (B, 2, H, W).
            state: state after the previous bin or `initialize`.
            dt_us: length of the bin [us].
        """
        heatmaps, state, _ = self.step_with_spikes(counts, state, dt_us)
        return heatmaps, state

    def step_with_spikes(self, counts: Tensor, state: HybridState,
                         dt_us: float) -> tuple[Tensor, HybridState, dict[str, Tensor]]:
        """Return the results of `step`, and the spikes (B, C, H, W) of each layer."""
        return advance(self.snn, counts, state, dt_us)


def resting_state(snn: PoseSNN, batch: int, width: int, height: int) -> HybridState:
    """Return the state of an SNN that has had no input, for an input of width x height."""
    def zeros(shape):
        return snn.output.weight.new_zeros((batch, *shape))

    maps = spike_maps(snn.preset, width, height)
    layers = tuple(LIFState(zeros(shape)) for shape in maps.values())
    return HybridState.begin(layers, zeros(heatmap_shape(snn.preset, width, height)))


def advance(snn: PoseSNN, counts: Tensor, state: HybridState,
            dt_us: float) -> tuple[Tensor, HybridState, dict[str, Tensor]]:
    """Advance a stand-alone SNN; like `Hybrid.step_with_spikes`."""
    peaks = state.peaks
    maps, layers = snn(counts.to(state.held.dtype), state.layers, dt_us, peaks)
    integrated, held = snn.output(maps, state.integrated, state.held, dt_us)
    offset = state.offset
    if snn.flow is not None:
        offset = offset + snn.flow(maps, peaks)
        cells = offset.detach().round()
        offset = offset - cells
        integrated, held = _shifted(integrated, cells), _shifted(held, cells)
    state = HybridState(layers, integrated, held, offset)
    spikes = {layer.name: maps[layer.name] for layer in snn.preset.spiking}
    return state.heatmaps, state, spikes


def _shifted(maps: Tensor, cells: Tensor) -> Tensor:
    """Return maps (B, J, h, w), each shifted by whole cells x, y (B, J, 2); borders replicate."""
    if not cells.any():
        return maps
    height, width = maps.shape[-2:]
    rows = torch.arange(height, device=maps.device) - cells[..., 1:].long()
    columns = torch.arange(width, device=maps.device) - cells[..., :1].long()
    maps = maps.gather(2, rows.clamp(0, height - 1)[..., None].expand_as(maps))
    return maps.gather(3, columns.clamp(0, width - 1)[..., None, :].expand_as(maps))
