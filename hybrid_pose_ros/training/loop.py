# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop of a stage: optimizer steps, progress, and checkpoints for resuming.

A stage derives the batch of iteration i only from its seed and i, so that an interrupted and
resumed run ends with the same weights as an uninterrupted one. For several processes see `ranks`.
"""

import io
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.interrupts import postponed
from hybrid_pose_ros.networks.torch_files import read_torch
from hybrid_pose_ros.outputs import writing
from hybrid_pose_ros.training.log import Log
from hybrid_pose_ros.training.ranks import Ranks, any_of, average, gather

GRADIENT_NORM = 1.0


class Stage(Protocol):
    """A trainable stage."""

    name: str

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the parameter groups: `params`, and `scale`, a learning rate factor."""
        ...

    def loss(self, iteration: int) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of an iteration's batch, and metrics for the log."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next iteration depends on, except the optimizer."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from such a state."""
        ...


@dataclass(frozen=True)
class Schedule:
    """Duration and learning rate: warm-up, then cosine decay to a fraction of the maximum."""

    iterations: int
    learning_rate: float
    weight_decay: float = 0.0
    warm_up: int = 30
    last_share: float = 0.01
    save_every: int = 100
    gradient_norm: float = GRADIENT_NORM  # gradients are clipped to this norm
    averaged: float = 0.0  # decay of the moving average of the weights; 0: no average

    def rate(self, iteration: int) -> float:
        """Return the learning rate of an iteration, counted from 0."""
        progress = min(1.0, iteration / max(1, self.iterations))
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        share = self.last_share + (1 - self.last_share) * cosine
        return self.learning_rate * share * min(1.0, (iteration + 1) / self.warm_up)


def fit(stage: Stage, schedule: Schedule, folder: Path,
        progress: Callable[[int, dict[str, float]], None] = lambda iteration, figures: None,
        *, ranks: Ranks = Ranks(), buffers: Sequence[Tensor] = ()) -> int:
    """Train a stage, resuming from its file in the folder; return the number of iterations.

    If the schedule has a moving average, the stage ends with the averaged weights. This function
    writes `<stage>.pt` for resuming, and the files of `log.Log`. After SIGINT or SIGTERM it
    completes and saves the iteration, then raises KeyboardInterrupt.

    Args:
        stage: the stage, which is trained in place.
        schedule: the schedule, which may be longer or shorter than that of the resumed run.
        folder: output folder; created.
        progress: called after every iteration with the metrics of this process's batch.
        ranks: rank of this process among the connected processes of the run.
        buffers: non-parameter tensors that batches change, such as batch norm statistics.

    Raises:
        InputError: the file to resume from is damaged or belongs to another network or number of
            processes, or the disk is full. The last file to resume from is kept.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    optimizer = torch.optim.AdamW(stage.parameter_groups(), lr=schedule.learning_rate,
                                  weight_decay=schedule.weight_decay)
    path = folder / f'{stage.name}.pt'
    first, saved_average = _resume(path, stage, optimizer, ranks, schedule.iterations)
    mean = MovingAverage([*_parameters(optimizer), *buffers], schedule.averaged, saved_average)
    if first >= schedule.iterations:
        mean.take()
        return first
    with (nullcontext() if ranks.rank else Log(folder, stage.name, first=first) as log,
          postponed() as interrupted):
        for iteration in range(first, schedule.iterations):
            for group in optimizer.param_groups:
                group['lr'] = group['scale'] * schedule.rate(iteration)
            figures = _step(stage, iteration, optimizer, schedule.gradient_norm, ranks, buffers)
            mean.update(iteration)
            progress(iteration, figures)
            done = iteration + 1
            if log is not None:
                log.add(done, figures)
            stop = any_of(ranks, interrupted())
            if stop or done % schedule.save_every == 0 or done == schedule.iterations:
                states = gather(ranks, stage.state_dict())
                if ranks.rank == 0:
                    _save(path, {'iteration': done, 'stage': states[0], 'others': states[1:],
                                 'optimizer': optimizer.state_dict(),
                                 'average': mean.tensors})
            if stop:
                raise KeyboardInterrupt
    mean.take()
    return schedule.iterations


class MovingAverage:
    """An exponential moving average of tensors that training changes in place."""

    def __init__(self, tensors: Sequence[Tensor], decay: float,
                 saved: Sequence[Tensor] | None = None):
        """Start from the current tensors or from their saved average; decay 0: no averaging."""
        self._of = tensors if decay else []
        self._decay = decay
        begun = self._of if saved is None or len(saved) != len(self._of) else saved
        self.tensors = [tensor.detach().clone() for tensor in begun]

    @torch.no_grad()
    def update(self, iteration: int) -> None:
        """Update the average after an iteration (counted from 0); early iterations weigh more."""
        weight = 1.0 - min(self._decay, (1 + iteration) / (10 + iteration))
        for mean, tensor in zip(self.tensors, self._of, strict=True):
            if tensor.is_floating_point():
                mean.lerp_(tensor, weight)
            else:
                mean.copy_(tensor)

    @torch.no_grad()
    def take(self) -> None:
        """Copy the average into the tensors."""
        for mean, tensor in zip(self.tensors, self._of, strict=True):
            tensor.copy_(mean)


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group['params']]


def _step(stage: Stage, iteration: int, optimizer: torch.optim.Optimizer, longest: float,
          ranks: Ranks, buffers: Sequence[Tensor]) -> dict[str, float]:
    """Train on the batches of an iteration; return the metrics of this process's batch."""
    loss, figures = stage.loss(ranks.index(iteration))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    parameters = _parameters(optimizer)
    average(ranks, parameters, buffers)
    norm = torch.nn.utils.clip_grad_norm_(parameters, longest)
    if torch.isfinite(norm):
        optimizer.step()
    return {'loss': loss.item(), 'gradient_norm': norm.item()} | figures


def _resume(path: Path, stage: Stage, optimizer: torch.optim.Optimizer, ranks: Ranks,
            iterations: int) -> tuple[int, list[Tensor] | None]:
    """Return the completed iterations according to a file, and the averaged weights, if saved."""
    if not path.exists():
        return 0, None
    saved = _read(path)
    with _fitting(path):
        states = [saved['stage'], *saved.get('others', ())]
        going_on = saved['iteration'] < iterations
    if going_on and len(states) != ranks.count:
        raise InputError(f'{path} is from a run of {len(states)} processes, but this run has '
                         f'{ranks.count}: resume with the same number')
    with _fitting(path):
        stage.load_state_dict(states[ranks.rank if going_on else 0])
        optimizer.load_state_dict(saved['optimizer'])
    return saved['iteration'], saved.get('average')


@contextmanager
def _fitting(path: Path) -> Iterator[None]:
    """Convert torch's errors about mismatched tensors to InputError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise InputError(f'{path} belongs to another network or stage: '
                         'train into another folder') from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_torch(path)
    except InputError as error:
        raise InputError(f'{path} cannot be resumed from, it is damaged or not a training file: '
                         'delete it to train from the start') from error


def _save(path: Path, content: dict[str, Any]) -> None:
    """Write a file atomically, so that a kill or a full disk leaves the old content intact."""
    serialized = io.BytesIO()  # errors of torch.save do not mention a full disk
    torch.save(content, serialized)
    temporary = path.with_suffix('.new')
    with writing(path):
        try:
            with open(temporary, 'wb') as file:
                file.write(serialized.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
