# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a reproduction, in a module that the command line reads without torch."""

from dataclasses import dataclass, replace

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.training.recipes import SEED, Recipe, recipes


@dataclass(frozen=True)
class ReproductionParams:
    """Parameters of a reproduction; a resumed run can have more epochs and systems."""

    preset: str = param('paper', 'Network: paper, or paper_small for a quick run that is not a '
                        'reproduction.')
    systems: str = param('ann,snn,rnn,hybrid_rnn,hybrid_snn', 'Systems, separated by commas; '
                         'also hybrid_snn_no_state_init, hybrid_snn_no_output_init and '
                         'hybrid_rnn_no_state_init.')
    epochs: float = param(0.0, 'Number of epochs for every system; 0: as in its recipe.', low=0.0,
                          high=1e6)
    seed: int = param(SEED, 'Random seed of initial weights and window order.', low=0, high=2**31)
    published: str = param('', 'Published weights (.pt) to evaluate instead of training: '
                           'hybrid_snn=FILE, separated by commas.')

    def __post_init__(self):
        check(self)
        self.recipes()

    def published_files(self) -> dict[str, str]:
        """Return the file of each system that is not trained."""
        files = dict(part.partition('=')[::2] for part in self.published.split(',') if part)
        if unknown := [name for name, file in files.items()
                       if name not in self.systems.split(',') or not file]:
            raise InputError(f'published weights of {unknown[0]!r} must be given as SYSTEM=FILE, '
                             f'for one of the systems {self.systems}')
        return files

    def recipes(self) -> list[Recipe]:
        """Return the recipes of the systems; the ANN's precedes those of the hybrids."""
        known = recipes(self.preset)
        named = self.systems.split(',')
        if unknown := [name for name in named if name not in known]:
            raise InputError(f'unknown system {unknown[0]!r}: choose from {", ".join(known)}')
        files = self.published_files()
        needs_ann = any(name.startswith('hybrid') and name not in files for name in named)
        found = [recipe for name, recipe in known.items()
                 if name in named or (name == 'ann' and needs_ann)]
        if self.epochs:
            found = [replace(recipe, epochs=self.epochs) for recipe in found]
        return found
