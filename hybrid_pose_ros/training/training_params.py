# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a training run, in a module that the command line reads without torch."""

from dataclasses import dataclass
from typing import Any

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.simulation.corpus import motion_files
from hybrid_pose_ros.simulation.kinds import KINDS
from hybrid_pose_ros.tasks.table import TASKS

PRECISIONS = ('auto', 'bf16', 'fp32')


@dataclass(frozen=True)
class TrainingParams:
    """Parameters of a training run; a resumed run can be extended."""

    preset: str = param('edge', 'Network preset, with logits and learned time constants.')
    network: str = param('', 'Network description (.json) with other sizes than the preset; '
                         'empty: the preset unchanged, or the network of the initial weights.')
    task: str = param('pose', 'Task of the network.', choices=tuple(TASKS))
    start: str = param('', 'Initial weights (.safetensors); empty: random.')
    seed: int = param(0, 'Random seed of initial weights and batches.', low=0, high=2**31)
    device: str = param('auto', 'Device; auto: cuda if available.',
                        choices=('auto', 'cpu', 'cuda'))
    precision: str = param('auto', 'Precision of convolutions: bf16 (autocast), fp32, or auto: '
                           'bf16 on GPUs and on CPUs with bf16 instructions, fp32 on others.',
                           choices=PRECISIONS)
    ann_iterations: int = param(20_000, 'Number of training batches for the ANN.', low=0,
                                high=10**8)
    ann_learning_rate: float = param(3e-3, 'Maximum learning rate of the ANN.', low=0.0, high=1.0)
    ann_batch: int = param(16, 'Batch size of the ANN [windows].', low=1, high=4096)
    alone: bool = param(False, 'Train an SNN without an ANN and heads, as a baseline.')
    snn_iterations: int = param(20_000, 'Number of training batches for the SNN and the heads.',
                                low=0, high=10**8)
    snn_learning_rate: float = param(2e-3, 'Maximum learning rate of the SNN and the heads.',
                                     low=0.0, high=1.0)
    snn_batch: int = param(8, 'Batch size of the SNN [streams].', low=1, high=4096)
    save_every: int = param(200, 'Iterations between two saved files to resume from.',
                            low=1, high=10**8)
    columns: int = param(96, 'Width of the training input around the person [cells]; must be '
                         'even.', low=16, high=4096)
    averaged: float = param(0.0, 'Decay of the moving average of the ANN weights, which is used '
                            'as the final weights; 0: no average.', low=0.0, high=0.999999)
    absent_price: float = param(0.1, 'Loss weight of the heatmaps of joints known to be out of '
                                'view, whose target is flat; used only with streams.',
                                low=0.0, high=100.0)

    def __post_init__(self):
        check(self)
        if self.columns % 2:
            raise InputError(f'columns = {self.columns} must be even')


@dataclass(frozen=True)
class StreamParams:
    """Content of a stream and reuse of its scenes."""

    motion: str = param('', 'Folder with motion capture (.npz).')
    kind: str = param('mixed', 'Kind of scenes.', choices=KINDS)
    own: float = param(0.15, 'Fraction of scenes with generated motion.', low=0.0, high=1.0)
    scene_s: float = param(0.4, 'Duration of most scenes [s].', low=0.05, high=10.0)
    kept: int = param(256, 'Number of scenes from which each batch is drawn.', low=1, high=100_000)
    draws: float = param(16.0, 'Mean number of windows drawn from each scene.', low=0.1,
                         high=10_000.0)
    workers: int = param(1, 'Number of rendering processes; 0: render in the training process.',
                         low=0, high=1024)

    def __post_init__(self):
        check(self)

    def content(self) -> dict[str, Any]:
        """Return everything that the scenes depend on, as JSON values."""
        return {'kind': self.kind, 'own': self.own, 'scene_s': self.scene_s, 'kept': self.kept,
                'draws': self.draws, 'motions': [
                    file.name for file in motion_files(self.motion)]}
