# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Power of a running graph, from the counts of `operations`, updated every second."""

from typing import Any

import numpy as np

from hybrid_pose_ros.energy import operations as energy
from hybrid_pose_ros.engine.estimator import SpikingEngine
from hybrid_pose_ros.model.layout import neurons
from hybrid_pose_ros.model.presets import Preset

NODE = energy.TECHNOLOGIES['45nm']


class SpikePower:
    """Computes the power of a spiking network from its total steps and spikes."""

    def __init__(self, engine: SpikingEngine):
        """Start with totals of 0."""
        self._network = engine.preset, engine.width, engine.height
        self._per_spike = engine.operations_per_spike
        self._reach = energy.folded(self._per_spike)
        self._last_steps, self._last_spikes = 0, np.zeros(len(self._per_spike))

    def since_last(self, steps: int, spikes: np.ndarray, seconds: float) -> dict[str, float]:
        """Return the figures for the interval since the last call.

        Args:
            steps: total number of steps so far.
            spikes: totals of cells with events, then of spikes of the layers in order, (1 + L,).
            seconds: time since the last call.

        Returns:
            Spikes in percent of the neurons, synaptic operations per second, and power at 45 nm by
            both counts [mW].
        """
        taken, fired = steps - self._last_steps, spikes - self._last_spikes
        self._last_steps, self._last_spikes = steps, spikes.copy()
        mean = fired / max(1, taken)
        rates = energy.spike_rates(*self._network, mean)
        per_s = taken / seconds
        return {
            'spikes_percent': float(100 * mean[1:].sum() / neurons(*self._network)),
            'synaptic_operations_per_s': float(mean @ self._per_spike * per_s),
            'power_mw': energy.honest_step(*self._network, mean, self._reach).times(
                per_s).millijoules(NODE),
            'power_mw_as_the_paper_counts': energy.paper_step(*self._network, rates).times(
                per_s).millijoules(NODE)}


def ann_power(preset: Preset, width: int, height: int, states_per_s: float) -> float:
    """Return the power of the ANN and heads at 45 nm [mW] for a given state rate."""
    macs = sum(energy.dense_macs(preset, width, height, part) for part in ('ann.', 'heads.'))
    return energy.Operations(macs=macs).times(states_per_s).millijoules(NODE)


def power_figures(tracker_mw: list[float], initializer_mw: list[float],
                  always_mw: float) -> dict[str, Any]:
    """Return the mean powers of a run, and the saving compared with an ANN pass at every step."""
    parts = {'snn_tracker': float(np.mean(tracker_mw)),
             'ann_initializer': float(np.mean(initializer_mw))}
    total = sum(parts.values())
    return {'mw': {name: round(value, 3) for name, value in parts.items()},
            'ann_at_every_step_mw': round(always_mw, 1),
            'saving': round(1 - total / always_mw, 4)}
