# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reader of the shared-memory ring, which returns views of states, never torn or foreign ones.

The tracker decides whether the sensor time of a state is useful.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.transport.admission import admit
from hybrid_pose_ros.transport.descriptor import StateDescriptor, TensorSpec
from hybrid_pose_ros.transport.faults import OverwrittenState, TornState
from hybrid_pose_ros.transport.fence import load
from hybrid_pose_ros.transport.segment import (
    HEAD, Segment, lock_word, open_segment, segment_path, state_checksum, tensor_views)

REMEMBERED_WRITERS = 16
ATTEMPTS = 100


@dataclass(frozen=True, eq=False)
class StateView:
    """One state. Its tensors are read-only views that keep the segment mapped."""

    sensor_time_us: int  # sensor time of the last event in the state
    sequence: int  # of the writer
    segment: str
    tensors: dict[str, np.ndarray]
    inline: bool  # from the message rather than shared memory
    _words: np.ndarray | None = None
    _slot: int = 0

    def is_intact(self) -> bool:
        """Return whether the state has not been overwritten; call this after use.

        Results computed or copied from a state that is not intact must be discarded.
        """
        return self._words is None or (
            load(self._words, lock_word(self._slot)) == 2 * self.sequence)


class StateReader:
    """Opens the segments named by descriptors and keeps the newest ones mapped."""

    def __init__(self, *, model: str | None = None, tensors: Sequence[TensorSpec] = ()):
        """Create a reader; no segment is opened yet.

        Args:
            model: model identity that states must have; None: any.
            tensors: tensors that every state must have, see `tensor_specs`; offsets may differ.
        """
        self._model = model
        self._expected = tuple(tensors)
        self._segments: dict[str, Segment] = {}
        self._current: Segment | None = None
        self._used: dict[str, int] = {}  # sequence of the newest state returned, by segment
        load(np.frombuffer(bytes(8), np.int64), 0)  # compile now rather than when a state arrives

    def read(self, descriptor: StateDescriptor) -> StateView:
        """Return the state that a descriptor announces.

        Raises:
            OverwrittenState: the reader was too slow; `latest` returns the newest state.
            TornState: the state is incomplete, or its checksum does not match.
            TransportError: the state is not admitted, see `admission.admit`.
        """
        segment = admit(descriptor, self._segment, model=self._model, expected=self._expected,
                        used=self._used)
        if segment is None:
            view = _inline_view(descriptor)
        else:
            self._current = segment  # even if its state is lost, since `latest` uses it
            view = _shared_view(descriptor, segment)
        self._mark_used(view)
        return view

    def newest_sequence(self) -> int:
        """Return the sequence number of the last used writer's newest complete state; 0: none.

        This takes well under a microsecond, so a loop can poll it at every step instead of waiting
        for a message.
        """
        return 0 if self._current is None else load(self._current.words, HEAD)

    def latest(self) -> StateView | None:
        """Return the last used writer's newest complete state, or None.

        It also works after a failed `read` if the segment of the descriptor could be opened.

        Raises:
            OverwrittenState: states are overwritten faster than they can be read.
        """
        current = self._current
        if current is None:
            return None
        for _ in range(ATTEMPTS):
            sequence = self.newest_sequence()
            if sequence <= self._used.get(current.name, 0):
                return None
            view = _slot_view(current, sequence)
            if view.is_intact():  # otherwise the writer has wrapped around the ring
                self._mark_used(view)
                return view
        raise OverwrittenState(f'the writer of {current.name} overwrites its states faster '
                               'than they can be read')

    def _segment(self, name: str) -> Segment:
        if name not in self._segments:
            segment = open_segment(name)
            self._segments = {known: mapped for known, mapped in self._segments.items()
                              if os.path.exists(segment_path(known))} | {name: segment}
        return self._segments[name]

    def _mark_used(self, view: StateView) -> None:
        self._used.pop(view.segment, None)
        self._used[view.segment] = view.sequence
        for forgotten in list(self._used)[:-REMEMBERED_WRITERS]:
            del self._used[forgotten]


def _inline_view(descriptor: StateDescriptor) -> StateView:
    state = np.frombuffer(memoryview(descriptor.payload).toreadonly(), np.uint8)
    if not _fits_checksum(state, descriptor):
        raise TornState(f'the payload of state {descriptor.sequence} does not match its checksum')
    return StateView(descriptor.sensor_time_us, descriptor.sequence, descriptor.segment,
                     tensor_views(state, descriptor.tensors), inline=True)


def _shared_view(descriptor: StateDescriptor, segment: Segment) -> StateView:
    where = f'state {descriptor.sequence} in slot {descriptor.slot} of {segment.name}'
    lock = lock_word(descriptor.slot)
    if load(segment.words, lock) < descriptor.generation:
        raise TornState(f'{where} is not complete')
    view = _slot_view(segment, descriptor.sequence)
    written = view.sensor_time_us, int(segment.words[lock + 2])
    fits_checksum = _fits_checksum(segment.state(descriptor.slot), descriptor)
    if not view.is_intact():
        raise OverwrittenState(f'{where} was overwritten: the reader is too slow')
    if written != (descriptor.sensor_time_us, descriptor.checksum):
        raise TransportError(f'{where} differs from its descriptor: its sensor time and checksum '
                             f'are {written}')
    if not fits_checksum:
        raise TornState(f'{where} does not match its checksum')
    return view


def _slot_view(segment: Segment, sequence: int) -> StateView:
    slot = sequence % segment.slots
    return StateView(int(segment.words[lock_word(slot) + 1]), sequence, segment.name,
                     segment.views(slot), inline=False, _words=segment.words, _slot=slot)


def _fits_checksum(state: np.ndarray, descriptor: StateDescriptor) -> bool:
    return not descriptor.checksum or descriptor.checksum == state_checksum(state)
