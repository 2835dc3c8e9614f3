# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of the paper's systems by their recipes, one system per stage."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hybrid_pose_ros.model.presets import Preset
from hybrid_pose_ros.networks.blocks import ConvTensors
from hybrid_pose_ros.networks.system import System
from hybrid_pose_ros.networks.systems import SYSTEMS
from hybrid_pose_ros.training.loop import fit
from hybrid_pose_ros.training.losses import blob_loss
from hybrid_pose_ros.training.ranks import Ranks
from hybrid_pose_ros.training.recipes import SEED, Recipe
from hybrid_pose_ros.training.windows import Targets, Window, Windows

OUTPUTS = ('ann.output', 'snn.output')


def first_network(recipe: Recipe, preset: Preset, seed: int = SEED) -> System:
    """Return a system with random weights determined by the seed.

    Convolutions use Xavier initialization; biases and transposed convolutions use torch's default,
    uniform.
    """
    network = SYSTEMS[recipe.system](preset)
    generator = torch.Generator().manual_seed(seed)
    for name, module in network.named_modules():
        if not isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, ConvTensors)):
            continue
        out_channels, in_channels, kernel, _ = module.weight.shape
        fan_in, fan_out = in_channels * kernel ** 2, out_channels * kernel ** 2
        reach = 1 / math.sqrt(fan_in)
        with torch.no_grad():
            if isinstance(module, nn.ConvTranspose2d):
                module.weight.uniform_(-reach, reach, generator=generator)
            else:
                module.weight.normal_(0, math.sqrt(2 / (fan_in + fan_out)), generator=generator)
            if name in OUTPUTS:
                module.weight /= recipe.output_divisor
            if module.bias is not None:
                module.bias.uniform_(-reach, reach, generator=generator)
    return network


def train_system(recipe: Recipe, preset: Preset, windows: Windows, folder: Path,
                 device: torch.device, *, start: nn.Module | None = None,
                 ann: nn.Module | None = None, seed: int = SEED, ranks: Ranks = Ranks(),
                 progress: Callable[[str, int, int, str], None] = lambda *_: None
                 ) -> tuple[System, int]:
    """Return a trained system and the number of batches; resumes from the folder.

    Args:
        recipe: training settings.
        preset: preset of the networks.
        windows: training windows.
        folder: folder for the file to resume from, `<system>.pt`, and the log.
        device: device for training.
        start: initial values for tensors of the system; those not included are random.
        ann: trained PoseANN, for a hybrid.
        seed: random seed of initial weights and of the order of windows.
        ranks: rank of this process among the connected processes of the run.
        progress: called with the system, the batches done, their total, and the loss.

    Raises:
        InputError: the file to resume from does not match, or a file cannot be written.
    """
    network = first_network(recipe, preset, seed)
    if start is not None:
        network.load_state_dict(start.state_dict(), strict=False)
    frozen = frozen_ann(recipe, network)
    if ann is not None and frozen is not None:
        frozen.load_state_dict(ann.state_dict())
    network.to(device)
    stage = SystemStage(recipe, network, windows, preset, device, seed)
    schedule = recipe.schedule(len(stage.drawn), ranks.count)
    done = fit(stage, schedule, folder,
               lambda iteration, figures: progress(
                   recipe.system, iteration + 1, schedule.iterations,
                   f'loss {1e6 * figures["loss"]:.0f}e-6'),
               ranks=ranks, buffers=[buffer for buffer in network.buffers()
                                     if buffer.is_floating_point()])
    return network, done


def frozen_ann(recipe: Recipe, network: System) -> nn.Module | None:
    """Return the ANN of a system that is kept frozen; None if there is none."""
    return None if recipe.system == 'ann' else dict(network.named_children()).get('ann')


class SystemStage:
    """Trains one system; the ANN of a hybrid is frozen."""

    def __init__(self, recipe: Recipe, network: System, windows: Windows, preset: Preset,
                 device: torch.device, seed: int = SEED):
        """Create the stage for training windows and a network that is already on the device."""
        self.name = recipe.system
        self.network, self._windows, self._recipe = network, windows, recipe
        self.drawn = windows.frames if recipe.system == 'ann' else windows.all
        self._preset, self._device, self._seed = preset, device, seed
        frozen = frozen_ann(recipe, network)
        if frozen is not None:
            frozen.requires_grad_(False)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all weights except those of a frozen ANN."""
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        return [{'params': trained, 'scale': 1.0}]

    def loss(self, iteration: int) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of an iteration's windows, averaged over all bins."""
        windows = self._drawn(iteration)
        self.network.train()
        if self.name == 'ann':
            targets = [self._windows.frame_targets(window) for window in windows]
            return self._loss(self.network.initialize(self._frames(windows)), targets, 0), {}
        counts = self._on_device(
            np.stack([self._windows.counts(window) for window in windows], axis=1))
        targets = [self._windows.step_targets(window) for window in windows]
        state, losses = self.network.initialize(self._frames(windows)), []
        for step, bin_counts in enumerate(counts):
            heatmaps, state = self.network.step(bin_counts, state, self._preset.step_us)
            losses.append(self._loss(heatmaps, targets, step))
        return torch.stack(losses).mean(), {}

    def state_dict(self) -> dict[str, Any]:
        """Return the system's tensors."""
        return self.network.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the system's tensors.

        Raises:
            ValueError: the network's ANN is frozen, and the tensors contain a different one.
        """
        own = self.network.state_dict()
        if self.name != 'ann' and not all(torch.equal(own[name].cpu(), state[name].cpu())
                                          for name in own if name.startswith('ann.')):
            raise ValueError('trained with another ANN')
        self.network.load_state_dict(state)

    def _drawn(self, iteration: int) -> list[Window]:
        """Return the windows of an iteration; each occurs once per epoch, in random order."""
        size, found = len(self.drawn), []
        for number in range(iteration * self._recipe.batch, (iteration + 1) * self._recipe.batch):
            epoch, place = divmod(number, size)
            order = np.random.default_rng([self._seed, epoch]).permutation(size)
            found.append(self.drawn[order[place]])
        return found

    def _frames(self, windows: list[Window]) -> Tensor:
        return self._on_device(np.stack([self._windows.frame(window) for window in windows]))

    def _on_device(self, counts: np.ndarray) -> Tensor:
        return torch.from_numpy(counts.astype(np.float32)).to(self._device)

    def _loss(self, heatmaps: Tensor, targets: list[Targets], step: int) -> Tensor:
        cells, shown = (
            torch.from_numpy(np.stack([getattr(target, name)[step] for target in targets]))
            for name in ('cells', 'shown'))
        return blob_loss(heatmaps, cells.to(self._device), shown.to(self._device))
