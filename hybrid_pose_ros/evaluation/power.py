# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Computes the power of each row of an evaluation from its rates and the observed spikes.

Bins that a state replays while catching up are counted as steps.
"""

from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.energy import operations as energy
from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.metrics import rounded
from hybrid_pose_ros.evaluation.outcome import Outcome
from hybrid_pose_ros.evaluation.trackers import ALONE, INITIALIZED
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.model.presets import Preset

COUNTS = PAPER, HONEST = 'paper', 'honest'


class _Spiking(NamedTuple):
    """A spiking network, and the operations caused by a spike of each layer."""

    preset: Preset
    reach: energy.Reach


class PowerOfRows:
    """Computes the power of each row, with both counts and for both technologies."""

    def __init__(self, checkpoint: Checkpoint, snn_checkpoint: Checkpoint, width: int, height: int,
                 params: EvaluationParams, outcomes: list[Outcome]):
        """Use outcomes of the hybrid and of the SNN alone, for inputs of width x height cells."""
        self._size = width, height
        self._steps_hz, self._looks_hz = 1e6 / params.step_us, params.ann_rate_hz
        self._outcomes = outcomes
        self._hybrid, self._alone = (
            _Spiking(weights.preset, energy.folded(SpikingEngine(
                weights, width, height, params.step_us).operations_per_spike))
            for weights in (checkpoint, snn_checkpoint))
        self._ann, self._heads = (
            energy.Operations(macs=energy.dense_macs(checkpoint.preset, width, height, part))
            for part in ('ann.', 'heads.'))

    def row(self, name: str) -> dict[str, Any]:
        """Return the power [mW] of a row with its parts, and its spikes if it has any."""
        return {'energy': self._energy(name)} | self._spike_figures(name)

    def _energy(self, name: str) -> dict[str, Any]:
        parts = self._parts(name)
        always = self._ann.times(self._steps_hz)
        energy_of: dict[str, dict[str, Any]] = {}
        for count, operations in parts.items():
            total = energy.Operations()
            for part in operations.values():
                total = total.plus(part)
            energy_of[count] = {
                node: {'mw': rounded(total.millijoules(technology)),
                       'mj_per_pose': round(total.millijoules(technology) / self._steps_hz, 7),
                       'saving_against_ann': rounded(1 - total.millijoules(technology)
                                                     / always.millijoules(technology)),
                       'parts_mw': {part: rounded(ops.millijoules(technology))
                                    for part, ops in operations.items()}}
                for node, technology in energy.TECHNOLOGIES.items()}
            energy_of[count] |= {'macs_per_s': round(total.macs),
                                 'additions_per_s': round(total.additions)}
        return energy_of

    def _spike_figures(self, name: str) -> dict[str, Any]:
        """Return how often the neurons of a row fire, and the memory traffic of its steps."""
        if name not in self._outcomes[0].work:
            return {}
        spikes, (preset, reach) = self._spikes(name), self._network(name)
        rates = energy.spike_rates(preset, *self._size, spikes)
        moved = energy.memory_bytes(preset, *self._size, spikes, reach)
        figures: dict[str, Any] = {
            'spikes_percent_of_neurons_a_step': {
                layer.name: rounded(100 * rate)
                for layer, rate in zip(preset.spiking, rates, strict=True)},
            'cells_with_events_a_step': rounded(spikes[0]),
            'steps_computed_per_pose': rounded(self._steps_per_pose(name)),
            'memory_bytes_per_step': round(moved),
            'memory_45nm_mw': rounded(moved * energy.SRAM_PJ_PER_BYTE * 1e-9 * self._steps_hz)}
        if any(layer.upsampling == 'bilinear' for layer in preset.spiking):
            step = energy.honest_step(preset, *self._size, spikes, energy.unfolded(preset))
            figures['honest_unfolded_mw'] = {
                node: rounded(step.times(self._steps_hz).millijoules(technology))
                for node, technology in energy.TECHNOLOGIES.items()}
        return figures

    def _parts(self, name: str) -> dict[str, dict[str, energy.Operations]]:
        """Return the operations per second, by count and part."""
        parts: dict[str, dict[str, energy.Operations]] = {count: {} for count in COUNTS}
        for count, operations in parts.items():
            if name not in ALONE:
                rate_hz = self._steps_hz if name == 'ann' else self._looks_hz
                operations['ann'] = self._ann.times(rate_hz)
            if name in INITIALIZED and INITIALIZED[name][0]:
                operations['heads'] = self._heads.times(self._looks_hz)
            if name in self._outcomes[0].work:
                step = self._step(name, count)
                operations['snn'] = step.times(self._steps_hz * self._steps_per_pose(name))
        return parts

    def _step(self, name: str, count: str) -> energy.Operations:
        spikes, (preset, reach) = self._spikes(name), self._network(name)
        if count == HONEST:
            return energy.honest_step(preset, *self._size, spikes, reach)
        return energy.paper_step(preset, *self._size,
                                 energy.spike_rates(preset, *self._size, spikes))

    def _network(self, name: str) -> _Spiking:
        return self._alone if name in ALONE else self._hybrid

    def _spikes(self, name: str) -> np.ndarray:
        """Return the spikes per step (1 + L,), averaged over all steps of all recordings."""
        work = [outcome.work[name] for outcome in self._outcomes]
        steps = sum(track.steps for track in work)
        return np.sum([track.spikes for track in work], axis=0) / max(1, steps)

    def _steps_per_pose(self, name: str) -> float:
        return float(np.mean([outcome.work[name].steps_per_pose for outcome in self._outcomes]))
