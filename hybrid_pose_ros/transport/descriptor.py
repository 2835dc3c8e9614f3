# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Description of a state: location and type of its tensors, and the model to which they belong."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.errors import TransportError

ALIGNMENT = 64
"""Alignment of tensors [bytes]: one cache line, which suits SIMD loads."""

DTYPES = ('float32', 'float16', 'int8', 'uint8', 'int16', 'int32', 'int64')
MAX_TENSORS = 64
MAX_DIMENSIONS = 8
MAX_BYTES = 1 << 40
MAX_SEQUENCE = (1 << 62) - 1  # twice this number must fit an int64

SEGMENT_NAME = re.compile(r'hybrid_pose\.[0-9]{1,10}\.[0-9a-f]{16}')
TENSOR_NAME = re.compile(r'[A-Za-z0-9_.]{1,64}')
PRINTABLE = re.compile(r'[!-~]{0,128}')


class TensorSpec(NamedTuple):
    """One tensor of a state."""

    name: str
    dtype: str  # one of DTYPES, in the machine's byte order
    shape: tuple[int, ...]
    offset: int  # from the first byte of the state [bytes]

    @property
    def byte_count(self) -> int:
        """Size of the tensor [bytes]."""
        return np.dtype(self.dtype).itemsize * prod(self.shape)


@dataclass(frozen=True)
class StateDescriptor:
    """Announcement of a complete state; with `payload`, it contains the state itself."""

    sensor_time_us: int  # sensor time of the last event in the state
    sequence: int  # 1, 2, ... per writer
    model: str  # identity of preset and weights
    host: str  # host that owns the shared memory; '' if there is none
    segment: str  # name of the writer's segment in /dev/shm
    slot: int
    generation: int  # of the slot, see segment.py
    byte_count: int
    checksum: int  # CRC-32 of the bytes; 0: not computed
    tensors: tuple[TensorSpec, ...]
    payload: bytes = b''  # the state's byte_count bytes, for readers without access to the segment


def tensor_specs(shapes: Mapping[str, Sequence[int]], *,
                 dtype: str = 'float32') -> tuple[TensorSpec, ...]:
    """Return the specs of consecutive tensors, each aligned."""
    specs, offset = [], 0
    for name, shape in shapes.items():
        specs.append(TensorSpec(name, dtype, tuple(int(length) for length in shape), offset))
        offset += aligned(specs[-1].byte_count)
    check_tensors(specs, byte_count=offset)
    return tuple(specs)


def aligned(byte_count: int, alignment: int = ALIGNMENT) -> int:
    """Return the size rounded up to a multiple of the alignment."""
    return -(-byte_count // alignment) * alignment


def state_bytes(tensors: Sequence[TensorSpec]) -> int:
    """Return the size of a state [bytes], including the padding after its last tensor."""
    return max(aligned(tensor.offset + tensor.byte_count) for tensor in tensors)


def check_tensors(tensors: Sequence[TensorSpec], *, byte_count: int) -> None:
    """Raise TransportError if tensors are invalid, overlap or exceed the state."""
    if not 1 <= len(tensors) <= MAX_TENSORS:
        raise TransportError(f'a state has 1 to {MAX_TENSORS} tensors, not {len(tensors)}')
    for tensor in tensors:
        _check_tensor(tensor, byte_count)
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise TransportError('two tensors have the same name')
    in_order = sorted(tensors, key=lambda tensor: tensor.offset)
    for before, after in zip(in_order, in_order[1:]):
        if before.offset + before.byte_count > after.offset:
            raise TransportError(f'tensors {before.name} and {after.name} overlap')


def check_segment_name(name: str) -> None:
    """Raise TransportError if a name is not a valid name for a segment in /dev/shm."""
    check_text('segment', name, SEGMENT_NAME)


def check_model(model: str) -> None:
    """Raise TransportError if a model identity is not short, printable text."""
    check_text('model', model, PRINTABLE)


def check_integer(what: str, value: int, low: int, high: int) -> None:
    """Raise TransportError if a value is not an integer from low to high."""
    if type(value) is not int or not low <= value <= high:
        raise TransportError(f'{what} = {value!r:.80} must be an integer from {low} to {high}')


def _check_tensor(tensor: TensorSpec, byte_count: int) -> None:
    check_text('tensor name', tensor.name, TENSOR_NAME)
    what = f'tensor {tensor.name}: '
    if tensor.dtype not in DTYPES:
        raise TransportError(f'{what}dtype {tensor.dtype!r:.80} must be one of '
                             f'{", ".join(DTYPES)}')
    if type(tensor.shape) is not tuple or len(tensor.shape) > MAX_DIMENSIONS:
        raise TransportError(f'{what}shape {tensor.shape!r:.80} must be a tuple of at most '
                             f'{MAX_DIMENSIONS} lengths')
    for length in tensor.shape:
        check_integer(f'{what}length', length, 1, MAX_BYTES)
    check_integer(f'{what}offset', tensor.offset, 0, MAX_BYTES)
    if tensor.offset % ALIGNMENT:
        raise TransportError(f'{what}offset {tensor.offset} is not a multiple of {ALIGNMENT}')
    if tensor.offset + tensor.byte_count > byte_count:
        raise TransportError(f'{what}bytes {tensor.offset} to {tensor.offset + tensor.byte_count} '
                             f'are outside a state of {byte_count} bytes')


def check_text(what: str, value: Any, pattern: re.Pattern) -> None:
    """Raise TransportError if a value is not text that matches a pattern."""
    if type(value) is not str or not pattern.fullmatch(value):
        raise TransportError(f'{what} {value!r:.80} must be text of the form {pattern.pattern}')
