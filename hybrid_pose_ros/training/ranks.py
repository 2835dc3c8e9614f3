# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data-parallel training with several processes started by `torchrun`, or with a single one.

With W processes, rank r draws for iteration i the batch that a single process draws for iteration
W * i + r, and all ranks use the mean of the W gradients. Only rank 0 writes files.
"""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from hybrid_pose_ros.errors import InputError


@dataclass(frozen=True)
class Ranks:
    """Rank of this process in the run."""

    rank: int = 0
    count: int = 1
    local: int = 0  # rank among the processes on this machine

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> 'Ranks':
        """Return the ranks given by torchrun in RANK, WORLD_SIZE and LOCAL_RANK.

        Raises:
            InputError: there are several processes, but the rank of this one is missing.
        """
        try:
            count = int(environment.get('WORLD_SIZE', 1))
            if count == 1:
                return cls()
            return cls(int(environment['RANK']), count, int(environment['LOCAL_RANK']))
        except (KeyError, ValueError) as error:
            raise InputError('WORLD_SIZE, RANK and LOCAL_RANK in the environment are not set by '
                             f'torchrun ({error}): start with torchrun, or unset them') from error

    def index(self, iteration: int) -> int:
        """Return the index from which this rank draws its batch of an iteration."""
        return iteration * self.count + self.rank


@contextmanager
def connected(ranks: Ranks, device: torch.device) -> Iterator[None]:
    """Connect the processes of a run: gloo on CPUs, nccl for tensors on GPUs."""
    if ranks.count == 1:
        yield
        return
    if device.type == 'cuda':
        torch.cuda.set_device(device)
    with _others_at_work():
        dist.init_process_group('cpu:gloo,cuda:nccl' if device.type == 'cuda' else 'gloo')
    try:
        yield
    finally:
        dist.destroy_process_group()


@torch.no_grad()
def average(ranks: Ranks, parameters: list[Tensor], buffers: Sequence[Tensor] = ()) -> None:
    """Replace gradients and buffers by their means over all processes.

    A gradient that only some processes have counts as 0 in the others. A gradient that no process
    has stays None, as with a single process.
    """
    if ranks.count == 1:
        return
    values = [torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
              for parameter in parameters] + list(buffers)
    present = values[0].new_tensor([parameter.grad is not None for parameter in parameters])
    flat = torch.cat([value.flatten() for value in (*values, present)])
    with _others_at_work():
        dist.all_reduce(flat)
    *means, present = (flat / ranks.count).split([value.numel() for value in (*values, present)])
    for parameter, mean, share in zip(parameters, means, present.tolist()):
        parameter.grad = mean.view_as(parameter) if share else None
    for buffer, mean in zip(buffers, means[len(parameters):], strict=True):
        buffer.copy_(mean.view_as(buffer))


def any_of(ranks: Ranks, mine: bool) -> bool:
    """Return, in all processes, whether a value is true in any of them."""
    if ranks.count == 1:
        return mine
    found = torch.tensor(float(mine))
    with _others_at_work():
        dist.all_reduce(found, dist.ReduceOp.MAX)
    return bool(found)


def gather(ranks: Ranks, content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return, at rank 0 only, the content of each process by rank, with tensors on the CPU."""
    if ranks.count == 1:
        return [content]
    serialized = io.BytesIO()
    torch.save(content, serialized)
    gathered = None if ranks.rank else [b''] * ranks.count
    with _others_at_work():
        dist.gather_object(serialized.getvalue(), gathered)
    return [torch.load(io.BytesIO(one), map_location='cpu', weights_only=True)
            for one in gathered or ()]


@contextmanager
def _others_at_work() -> Iterator[None]:
    """Convert torch's error about an unresponsive process to InputError."""
    try:
        yield
    except RuntimeError as error:
        first_line = str(error).split('\n')[0]
        raise InputError('another process of this run has ended or cannot be reached, see its '
                         f'output for the reason ({first_line})') from error
