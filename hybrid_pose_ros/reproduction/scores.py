# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's metric: the error of each system at each step after the ANN pass.

Predicted joints are the maxima of the heatmaps; the ground truth is the pixel of each joint.
Errors are averaged over visible joints, then over windows; the headline figure is the mean over
steps. Every window starts from a new state.

Source: arXiv 2303.14176 and its published code.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from hybrid_pose_ros.energy.operations import TECHNOLOGIES, Operations, dense_macs, paper_step
from hybrid_pose_ros.evaluation.metrics import distances
from hybrid_pose_ros.model.presets import Preset
from hybrid_pose_ros.networks.snn import SpikingConv
from hybrid_pose_ros.networks.system import System
from hybrid_pose_ros.training.windows import Window, Windows

ANN, HELD = 'ann', 'ann_held'
"""Rows of the ANN: a pass at every step, and the heatmaps of the window's start, held."""


@torch.no_grad()
def score_system(system: str, network: System, windows: Windows, step_us: int,
                 device: torch.device, *, batch: int = 4,
                 progress: Callable[[int], None] = lambda done: None) -> dict[str, np.ndarray]:
    """Return the errors (windows, T) [px] by row: two rows for the ANN, otherwise one.

    Steps without a visible joint are NaN.

    Args:
        system: one of networks.systems.SYSTEMS.
        network: the network; set to evaluation mode.
        windows: windows for evaluation.
        step_us: length of a bin [us].
        device: device of the network.
        batch: batch size.
        progress: called with the number of finished windows.
    """
    network.eval()
    errors: dict[str, list[np.ndarray]] = {
        row: [] for row in ((ANN, HELD) if system == 'ann' else (system,))}
    for first in range(0, len(windows.all), batch):
        some = windows.all[first:first + batch]
        frames = _on(device, [windows.frame(window) for window in some])
        counts = _on(device, [windows.counts(window) for window in some]).transpose(0, 1)
        found = {HELD if system == 'ann' else system: _steps(network, frames, counts, step_us)}
        if system == 'ann':
            found[ANN] = (network.initialize(_on(device, [
                windows.frame(window, later_us=step * step_us) for window in some]))
                for step in range(1, len(counts) + 1))
        for row, heatmaps in found.items():
            cells = np.stack([_peaks(maps) for maps in heatmaps], axis=1)  # (B, T, J, 2)
            errors[row] += [_errors(windows, window, poses)
                            for window, poses in zip(some, cells, strict=True)]
        progress(first + len(some))
    return {row: np.stack(values) for row, values in errors.items()}


@contextmanager
def firing_rates(network: nn.Module) -> Iterator[dict[str, float]]:
    """Yield a dictionary that is filled after the block with spikes per neuron and step, by layer.

    The rates are averaged over all steps and samples; there are none without spiking layers.
    """
    spikes: dict[str, float] = {}
    samples: dict[str, int] = {}
    rates: dict[str, float] = {}

    def note(module: SpikingConv, _: object, output: tuple[Tensor, object]) -> None:
        name, fired = module.layer.name, output[0]
        spikes[name] = spikes.get(name, 0.0) + fired.mean().item() * len(fired)
        samples[name] = samples.get(name, 0) + len(fired)

    hooks = [module.register_forward_hook(note) for module in network.modules()
             if isinstance(module, SpikingConv)]
    try:
        yield rates
    finally:
        for hook in hooks:
            hook.remove()
        rates |= {name: spikes[name] / samples[name] for name in spikes}


def modelled_mw(row: str, preset: Preset, size: tuple[int, int], steps: int,
                rates: dict[str, float]) -> dict[str, float] | None:
    """Return the power of a row [mW] by technology node, as in the paper; None for the RNNs.

    Args:
        row: row of the report.
        preset: preset of the networks.
        size: width and height of the input [cells].
        steps: number of steps between two ANN passes.
        rates: spikes per neuron and step by layer.
    """
    if 'rnn' in row:
        return None
    steps_hz = 1e6 / preset.step_us
    looks_hz = {ANN: steps_hz, 'snn': 0.0}.get(row, steps_hz / steps)
    parts = ('ann.', 'heads.') if 'hybrid' in row else ('ann.',)
    macs = sum(dense_macs(preset, *size, part) for part in parts)
    total = Operations(macs=macs).times(looks_hz)
    if rates:
        step = paper_step(preset, *size, np.array([rates[layer.name] for layer in preset.spiking]))
        total = total.plus(step.times(steps_hz))
    return {name: total.millijoules(technology) for name, technology in TECHNOLOGIES.items()}


def _steps(network: System, frames: Tensor, counts: Tensor, step_us: int) -> Iterator[Tensor]:
    state = network.initialize(frames)
    for bin_counts in counts:
        heatmaps, state = network.step(bin_counts, state, step_us)
        yield heatmaps


def _on(device: torch.device, arrays: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32)).to(device)


def _peaks(heatmaps: Tensor) -> np.ndarray:
    """Return x and y of the maximum (the first, if several) of each heatmap, (B, J, 2)."""
    cells, width = heatmaps.flatten(2).argmax(dim=2).cpu().numpy(), heatmaps.shape[-1]
    return np.stack([cells % width, cells // width], axis=-1)


def _errors(windows: Windows, window: Window, cells: np.ndarray) -> np.ndarray:
    """Return the mean error of each step (T,) [px] for cells (T, J, 2)."""
    targets = windows.step_targets(window)
    found = distances(windows.geometry.to_px(cells), targets.pixels, targets.shown)
    counted = targets.shown.sum(axis=1)
    return np.where(counted > 0, np.nansum(found, axis=1) / np.maximum(counted, 1), np.nan)
