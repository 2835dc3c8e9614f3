# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's training recipes: Adam with a constant learning rate, mean squared error to blobs.

There is no learning rate schedule, weight decay, gradient clipping or augmentation. `epochs` are
those of the checkpoints behind the published figures (the configurations allow 200). They are
unknown for `hybrid_rnn`, which uses those of `rnn`, and for hybrids without a part of the
initialization, which use those of the full hybrid. The ANN is trained first; the hybrids start
from it and keep it frozen, while their recurrent or spiking parts start from random weights.

For presets other than `paper` the recipes deviate from the paper: `paper_small` uses higher
learning rates, at which SNN gradients may explode, and therefore clips gradients.

Source: configurations and trainers of the published code of arXiv 2303.14176.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hybrid_pose_ros.errors import InputError

if TYPE_CHECKING:
    from hybrid_pose_ros.training.loop import Schedule

SEED = 2022
STEPS = 10
"""Number of bins between two ANN states."""


@dataclass(frozen=True)
class Recipe:
    """Training settings of one system."""

    system: str  # one of networks.systems.SYSTEMS
    learning_rate: float
    batch: int  # windows
    epochs: float
    output_divisor: float = 1.0  # of the initial output weights, so that outputs start near 0
    iterations: int | None = None  # batches, instead of epochs
    gradient_norm: float = math.inf  # gradients are clipped to this norm
    save_every: int = 100  # iterations between files to resume from

    def schedule(self, windows: int, processes: int = 1) -> 'Schedule':
        """Return the schedule for this number of windows."""
        from hybrid_pose_ros.training.loop import Schedule  # imports torch
        iterations = self.iterations
        if iterations is None:
            iterations = math.ceil(self.epochs * windows / (self.batch * processes))
        return Schedule(iterations, self.learning_rate, warm_up=1, last_share=1.0,
                        save_every=self.save_every, gradient_norm=self.gradient_norm)


PAPER = (
    Recipe('ann', 1e-4, 8, epochs=6, output_divisor=2500),
    Recipe('snn', 5e-5, 2, epochs=4),
    Recipe('rnn', 1e-4, 2, epochs=10),
    Recipe('hybrid_rnn', 1e-4, 2, epochs=10),
    Recipe('hybrid_snn', 5e-5, 2, epochs=3, output_divisor=2500),
    Recipe('hybrid_snn_no_state_init', 5e-5, 2, epochs=3, output_divisor=2500),
    Recipe('hybrid_snn_no_output_init', 5e-5, 2, epochs=3),
    Recipe('hybrid_rnn_no_state_init', 1e-4, 2, epochs=10),
)
SMALL_CHANGES = ((3e-3, 30), (5e-3, 1), (5e-3, 1), (5e-3, 1), (2e-3, 1), (2e-3, 1), (5e-3, 1),
                 (5e-3, 1))
"""Learning rates and epochs in the order of PAPER, for hundreds of batches, not ten thousands."""
SMALL = tuple(replace(recipe, learning_rate=rate, epochs=epochs, gradient_norm=1.0)
              for recipe, (rate, epochs) in zip(PAPER, SMALL_CHANGES, strict=True))
RECIPES = {'paper': PAPER, 'paper_small': SMALL}


def recipes(preset_name: str) -> dict[str, Recipe]:
    """Return the recipe of each system, in training order.

    Raises:
        InputError: the preset has no recipes.
    """
    if preset_name not in RECIPES:
        raise InputError(f'preset {preset_name} has no published recipe: choose from '
                         f'{", ".join(RECIPES)}')
    return {recipe.system: recipe for recipe in RECIPES[preset_name]}
