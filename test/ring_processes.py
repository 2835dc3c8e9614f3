# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that write and read small states until they are killed.

They are forked by a server that has one thread and has compiled and loaded everything: a round
takes milliseconds, and no lock of the tests' process is copied.
"""

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from ring_states import MODEL, TENSORS, new_ring, write_state

from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.transport.descriptor import StateDescriptor
from hybrid_pose_ros.transport.reader import StateReader, StateView

processes = multiprocessing.get_context('forkserver')
processes.set_forkserver_preload(['__main__', 'ring_processes'])


def start_writer() -> tuple[BaseProcess, Connection]:
    """Return a process that writes states, and the end of a pipe that brings the first notice."""
    notices, sending = processes.Pipe(duplex=False)
    writer = processes.Process(target=_write_forever, args=(sending,), daemon=True)
    writer.start()
    sending.close()
    return writer, notices


def start_reader(descriptor: StateDescriptor) -> BaseProcess:
    """Return a process that reads the newest state over and over."""
    reader = processes.Process(target=_read_forever, args=(descriptor,), daemon=True)
    reader.start()
    return reader


def newest_state(reader: StateReader, descriptor: StateDescriptor) -> StateView | None:
    """Return a new state, the descriptor's or a newer one, or None."""
    try:
        return reader.read(descriptor)
    except TransportError:
        try:
            return reader.latest()
        except TransportError:
            return None


def _write_forever(notices: Connection) -> None:
    with new_ring() as ring:
        notices.send(write_state(ring))
        while True:
            write_state(ring)


def _read_forever(descriptor: StateDescriptor) -> None:
    reader = StateReader(model=MODEL, tensors=TENSORS)
    while True:
        newest_state(reader, descriptor)


def _load() -> None:
    """Compile what a child process would have to load before its first state."""
    with new_ring() as ring:
        StateReader(model=MODEL, tensors=TENSORS).read(write_state(ring))


_load()
