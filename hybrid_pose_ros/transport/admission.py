# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Determines which of the announced states a reader admits.

Any process may publish a descriptor, so nothing in it is trusted. Whether an admitted state is
complete and still in its slot is known only when it is read, see `reader.py`. The tracker decides
whether its time is useful.
"""

from collections.abc import Callable, Mapping, Sequence

from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.transport.descriptor import (
    MAX_BYTES, MAX_SEQUENCE, PRINTABLE, StateDescriptor, TensorSpec, check_integer, check_model,
    check_segment_name, check_tensors, check_text)
from hybrid_pose_ros.transport.faults import ForeignModel, InaccessibleState, StaleState
from hybrid_pose_ros.transport.segment import Segment, host_identity


def admit(descriptor: StateDescriptor, segment_of: Callable[[str], Segment], *,
          model: str | None = None, expected: Sequence[TensorSpec] = (),
          used: Mapping[str, int] | None = None) -> Segment | None:
    """Check everything about an announced state that can be known before it is read.

    Args:
        descriptor: received, untrusted descriptor.
        segment_of: function that returns the segment with a name; called only with a valid name on
            this host.
        model: model identity of the reader; None: any.
        expected: tensors that the reader needs; offsets may differ, additional tensors are
            allowed.
        used: sequence numbers of the newest states that the reader has used, by segment.

    Returns:
        The segment that contains the state; None if the state is in the descriptor.

    Raises:
        ForeignModel: the state belongs to another preset or other weights.
        InaccessibleState: the state is in memory that this process cannot access.
        StaleState: this state, or a newer one from the same writer, was already used.
        TransportError: the descriptor is forged or lacks a tensor, or its segment no longer
            exists.
    """
    _check_fields(descriptor)
    _check_expected(descriptor, model, expected)
    segment = None
    if not len(descriptor.payload):
        _check_host(descriptor)
        segment = segment_of(descriptor.segment)
        _check_fits(descriptor, segment)
    newest = (used or {}).get(descriptor.segment, 0)
    if descriptor.sequence <= newest:
        raise StaleState(f'state {descriptor.sequence} of {descriptor.segment} is not newer than '
                         f'state {newest}, which was read before')
    return segment


def _check_fields(descriptor: StateDescriptor) -> None:
    """Raise TransportError if a field has a type or value that no writer produces."""
    check_segment_name(descriptor.segment)
    check_model(descriptor.model)
    check_text('host', descriptor.host, PRINTABLE)
    check_integer('sensor_time_us', descriptor.sensor_time_us, -1 << 63, (1 << 63) - 1)
    check_integer('sequence', descriptor.sequence, 1, MAX_SEQUENCE)
    check_integer('slot', descriptor.slot, 0, 1 << 16)
    check_integer('generation', descriptor.generation, 1, 2 * MAX_SEQUENCE)
    check_integer('byte_count', descriptor.byte_count, 1, MAX_BYTES)
    check_integer('checksum', descriptor.checksum, 0, (1 << 32) - 1)
    check_tensors(descriptor.tensors, byte_count=descriptor.byte_count)
    try:
        payload_bytes = memoryview(descriptor.payload).nbytes
    except TypeError as error:
        raise TransportError(f'payload {descriptor.payload!r:.80} must be bytes') from error
    if payload_bytes not in (0, descriptor.byte_count):
        raise TransportError(f'payload has {payload_bytes} bytes, the descriptor announces '
                             f'{descriptor.byte_count}')


def _check_expected(descriptor: StateDescriptor, model: str | None,
                    expected: Sequence[TensorSpec]) -> None:
    """Raise if a well-formed state cannot be used by this reader."""
    if model is not None and descriptor.model != model:
        raise ForeignModel(f'the state belongs to model {descriptor.model!r}, this node runs '
                           f'{model!r}: start both nodes with the same preset and weights')
    found = {tensor.name: tensor for tensor in descriptor.tensors}
    missing = [tensor.name for tensor in expected if tensor.name not in found]
    if missing:
        raise TransportError(f'the state lacks the tensors {", ".join(missing)}')
    for wanted in expected:
        came = found[wanted.name]
        if (came.dtype, came.shape) != (wanted.dtype, wanted.shape):
            raise TransportError(f'tensor {wanted.name} is {came.dtype} {came.shape}, expected '
                                 f'{wanted.dtype} {wanted.shape}')


def _check_host(descriptor: StateDescriptor) -> None:
    """Raise InaccessibleState if the state is in the memory of another host."""
    try:
        here = host_identity()
    except TransportError as error:
        raise InaccessibleState(str(error)) from error
    if descriptor.host != here:
        raise InaccessibleState(f'segment {descriptor.segment} is in the memory of another host '
                                'or container: send states inline or share /dev/shm (docker run '
                                '--ipc=host)')


def _check_fits(descriptor: StateDescriptor, segment: Segment) -> None:
    """Raise TransportError if a well-formed descriptor does not match its segment."""
    in_segment = {'model': segment.model, 'tensors': segment.tensors,
                  'byte_count': segment.byte_count, 'slot': descriptor.sequence % segment.slots,
                  'generation': 2 * descriptor.sequence}
    for name, value in in_segment.items():
        if getattr(descriptor, name) != value:
            raise TransportError(f'descriptor and segment {segment.name} disagree: {name} is '
                                 f'{value!r:.200}, not {getattr(descriptor, name)!r:.200}')
