# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the paper trains each system: Adam at one rate, squared distance from blobs, no tricks.

No schedule of the rate, no weight decay, no clipped gradients, no augmentation. `epochs` are
those of the checkpoints behind the published figures (the configurations allow 200); of
`hybrid_rnn` they are not known, and taken to be as many as of `rnn`; of the hybrids without a part
of the initialization likewise as of those with it. The ANN is trained first, the hybrids begin
with it and leave it as it is, and with recurrent or spiking parts that are random.

Where the preset is not `paper`, the recipe is not the paper's: `paper_small` trains at higher
rates, at which gradients of the SNN may explode, and shortens them.

Source: configurations and trainers of the published code of arXiv 2303.14176.
"""

import math
from dataclasses import dataclass, replace

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.training.loop import Schedule

SEED = 2022
STEPS = 10
"""Bins from one state of the ANN to the next."""


@dataclass(frozen=True)
class Recipe:
    """How one system is trained."""

    system: str  # of networks.systems.SYSTEMS
    learning_rate: float
    batch: int  # windows
    epochs: float
    output_divisor: float = 1.0  # of the first weights of the output, so that it starts near 0
    iterations: int | None = None  # batches, instead of epochs
    gradient_norm: float = math.inf  # longer gradients are shortened to it
    save_every: int = 100  # iterations from one file to resume from to the next

    def schedule(self, windows: int, processes: int = 1) -> Schedule:
        """Return how long and fast it is trained on so many windows."""
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
"""Rates and epochs in the order of PAPER, for hundreds of batches instead of ten thousands."""
SMALL = tuple(replace(recipe, learning_rate=rate, epochs=epochs, gradient_norm=1.0)
              for recipe, (rate, epochs) in zip(PAPER, SMALL_CHANGES, strict=True))
RECIPES = {'paper': PAPER, 'paper_small': SMALL}


def recipes(preset_name: str) -> dict[str, Recipe]:
    """Return the recipe of each system, in the order in which they are trained.

    Raises:
        InputError: there are none for the preset.
    """
    if preset_name not in RECIPES:
        raise InputError(f'preset {preset_name} has no published recipe: choose from '
                         f'{", ".join(RECIPES)}')
    return {recipe.system: recipe for recipe in RECIPES[preset_name]}
