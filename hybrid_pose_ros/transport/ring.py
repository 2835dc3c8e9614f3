# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writer of the shared-memory ring, in whose slots states are computed in place."""

import dataclasses
import os
import weakref
from collections.abc import Callable, Sequence

import numpy as np

from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.transport.descriptor import (
    StateDescriptor, TensorSpec, check_integer, check_model, check_tensors, state_bytes)
from hybrid_pose_ros.transport.fence import load, store
from hybrid_pose_ros.transport.segment import (
    HEAD, MAX_SLOTS, collect_stale, create_segment, host_identity, lock_word, private_segment,
    remove_segment, state_checksum)


class StateRing:
    """Owns a segment of states; the oldest slot is overwritten next.

    Only a single thread may write: `begin`, fill the tensors, `commit`. A state that is not
    committed, because of an exception or a kill, stays marked as incomplete; the next `begin`
    reuses its slot.

    The lock that marks the writer as alive is inherited by forked children and held until the last
    of them has exited. Start children with spawn; otherwise the segment outlives a killed writer.
    """

    def __init__(self, tensors: Sequence[TensorSpec], *, model: str, slots: int = 3,
                 shared: bool = True):
        """Remove the segments of dead writers and create a new one.

        Args:
            tensors: tensors of a state, see `tensor_specs`.
            model: identity of preset and weights, printable ASCII.
            slots: number of slots; a state stays readable during the next slots - 1 writes.
            shared: False if /dev/shm cannot be used; states are then only sent `inline`.

        Raises:
            TransportError: /dev/shm is full or missing, or an argument is invalid.
        """
        check_integer('slots', slots, 3, MAX_SLOTS)
        tensors = tuple(tensors)
        check_tensors(tensors, byte_count=state_bytes(tensors))
        check_model(model)
        self.collected: tuple[str, ...] = ()  # names of removed segments of dead writers
        self._closed = False
        self._remove: Callable[[], object] = lambda: None
        if shared:
            self.collected = collect_stale()
            self._segment, lock_fd = create_segment(tensors, model=model, slots=slots)
            self._remove = weakref.finalize(
                self, _discard, self._segment.name, lock_fd, os.getpid())
        else:
            self._segment = private_segment(tensors, model=model, slots=slots)
        self._host = host_identity() if shared else ''
        self._sequence = 0
        self._write: StateWrite | None = None

    @property
    def name(self) -> str:
        """Name of the segment."""
        return self._segment.name

    def begin(self) -> 'StateWrite':
        """Return the oldest slot, marked as incomplete; an open write is abandoned.

        Raises:
            TransportError: the ring is closed.
        """
        if self._closed:
            raise TransportError(f'ring {self.name} is closed')
        segment, sequence = self._segment, self._sequence + 1
        slot = sequence % segment.slots
        store(segment.words, lock_word(slot), 2 * sequence - 1)
        self._write = StateWrite(self, sequence, slot, segment.views(slot))
        return self._write

    def inline(self, descriptor: StateDescriptor) -> StateDescriptor:
        """Return a descriptor of this ring with the bytes of its state added, for other hosts.

        Raises:
            TransportError: the state was overwritten; call this before the second next write.
        """
        if load(self._segment.words, lock_word(descriptor.slot)) != descriptor.generation:
            raise TransportError(f'state {descriptor.sequence} was overwritten')
        payload = self._segment.state(descriptor.slot).tobytes()
        return dataclasses.replace(descriptor, payload=payload)

    def close(self) -> None:
        """Remove the segment; existing views stay valid. Further calls have no effect."""
        self._write = None
        self._closed = True
        self._remove()

    def __enter__(self) -> 'StateRing':
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _commit(self, write: 'StateWrite', sensor_time_us: int, checksum: bool) -> StateDescriptor:
        if write is not self._write:
            raise TransportError(f'state {write.sequence} was already committed, or another was '
                                 'begun')
        self._write = None
        sensor_time_us = int(sensor_time_us)  # readers reject NumPy integers
        segment, words = self._segment, self._segment.words
        crc = state_checksum(segment.state(write.slot)) if checksum else 0
        lock = lock_word(write.slot)
        words[lock + 1:lock + 3] = sensor_time_us, crc
        store(words, lock, 2 * write.sequence)
        store(words, HEAD, write.sequence)
        self._sequence = write.sequence
        return StateDescriptor(
            sensor_time_us=sensor_time_us, sequence=write.sequence, model=segment.model,
            host=self._host, segment=segment.name, slot=write.slot,
            generation=2 * write.sequence, byte_count=segment.byte_count, checksum=crc,
            tensors=segment.tensors)


class StateWrite:
    """A state that is being written."""

    def __init__(self, ring: StateRing, sequence: int, slot: int, tensors: dict[str, np.ndarray]):
        self.sequence = sequence
        self.slot = slot
        self.tensors = tensors  # writable views of the slot by name; they contain its old content
        self._ring = ring

    def commit(self, *, sensor_time_us: int, checksum: bool = False) -> StateDescriptor:
        """Publish the state in the ring; return its descriptor. Its tensors become read-only.

        Args:
            sensor_time_us: sensor time of the last event in the state.
            checksum: add a CRC-32 of the bytes, which takes 0.1 to 1 ms per MiB on each side.

        Raises:
            TransportError: the state was already committed, or another one was begun.
        """
        descriptor = self._ring._commit(self, sensor_time_us, checksum)
        for tensor in self.tensors.values():
            tensor.flags.writeable = False
        return descriptor


def _discard(name: str, lock_fd: int, creator: int) -> None:
    os.close(lock_fd)
    if os.getpid() == creator:  # not in a forked child that exits before its parent
        remove_segment(name)
