# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""State hand-over between two processes: shared memory against the same bytes through DDS.

Measured from the moment the writer has written the state's last byte to the moment the reader
holds usable arrays, on one clock (CLOCK_MONOTONIC), the ways taking turns in one run. DDS is given
its best case: the writer has made the state inside the message's own buffer. The notice is JSON
of about 1 kB in place of StateTensors. Memory bandwidth does not bound shared memory, which moves
nothing: Python and the wake-up of the reader do.
"""

import array
import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from hybrid_pose_ros.benchmarks.dds_topic import DdsTopic
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.ros_domain import own_domain
from hybrid_pose_ros.model.layout import state_layout
from hybrid_pose_ros.model.presets import PRESETS
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.transport.descriptor import (
    StateDescriptor, TensorSpec, state_bytes, tensor_specs)
from hybrid_pose_ros.transport.reader import StateReader
from hybrid_pose_ros.transport.ring import StateRing
from hybrid_pose_ros.transport.segment import tensor_views

WAYS = ('notice', 'look', 'dds')
"""Shared memory announced by a small DDS message; shared memory that the reader keeps looking at
(`StateReader.newest_sequence`, no message); the state itself as a DDS message."""

SENSOR = (346, 260)
TIMEOUT_S = 30.0
WARM_UP = 5
SETTLE_S = 0.005  # after the reader said it is ready: it must be waiting when the state is done


def transport_benchmark(*, presets: Sequence[str] = ('paper', 'edge'),
                        rounds: int = 40) -> dict[str, Any]:
    """Return for each preset its state's size, how much DDS is slower, and latencies [ms].

    Args:
        presets: names of the presets whose states are sent.
        rounds: how often each state goes each way, after a warm-up.

    Returns:
        By preset: `bytes`, `dds_over_notice` and `dds_over_look` (of the medians), and for each
        of WAYS `median_ms` and `p95_ms`.

    Raises:
        InputError: ROS 2 is not at hand.
        TransportError: shared memory is full or not there.
    """
    spawn = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as reader_process:
        return {name: reader_process.submit(_read, name, rounds).result() for name in presets}


def _tensors(preset_name: str) -> tuple[TensorSpec, ...]:
    preset = PRESETS[preset_name]
    geometry = input_geometry(preset, *SENSOR)
    return tensor_specs(state_layout(preset, geometry.width, geometry.height))


def _read(preset_name: str, rounds: int) -> dict[str, Any]:
    """Be the reader: start the writer, let the ways take turns, return the figures."""
    with own_domain() as environment:
        return _read_in(int(environment['ROS_DOMAIN_ID']), preset_name, rounds)


def _read_in(domain_id: int, preset_name: str, rounds: int) -> dict[str, Any]:
    spawn = multiprocessing.get_context('spawn')
    topics = {way: DdsTopic(f'{way}_{preset_name}', domain_id=domain_id, publishes=False)
              for way in ('notice', 'dds')}
    writer, theirs = spawn.Pipe()
    process = spawn.Process(target=_write, args=(preset_name, domain_id, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        first = writer.recv()
        if isinstance(first, InputError):
            raise first
        for topic in topics.values():
            topic.wait_for_peer()
        latencies_ms = _take_turns(_receivers(preset_name, first, topics), writer, rounds)
    finally:
        writer.close()
        process.join(TIMEOUT_S)
        for topic in topics.values():
            topic.close()
    medians = {way: float(np.median(values)) for way, values in latencies_ms.items()}
    return {
        'bytes': state_bytes(_tensors(preset_name)),
        'dds_over_notice': medians['dds'] / medians['notice'],
        'dds_over_look': medians['dds'] / medians['look'],
    } | {way: {'median_ms': medians[way], 'p95_ms': float(np.percentile(values, 95))}
         for way, values in latencies_ms.items()}


def _receivers(preset_name: str, first: StateDescriptor,
               topics: dict[str, DdsTopic]) -> dict[str, Callable[[], dict[str, np.ndarray]]]:
    """Return for each way the function that waits for a state and returns its tensors."""
    tensors = _tensors(preset_name)
    reader = StateReader(model=preset_name, tensors=tensors)
    reader.read(first)

    def notice() -> dict[str, np.ndarray]:
        return reader.read(_descriptor(topics['notice'].receive(TIMEOUT_S).tobytes())).tensors

    def look() -> dict[str, np.ndarray]:
        before, deadline_s = reader.newest_sequence(), time.monotonic() + TIMEOUT_S
        while reader.newest_sequence() == before:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f'no state came in {TIMEOUT_S} s')
        state = reader.latest()
        if state is None:
            raise RuntimeError('the newest state was overwritten, although none was requested')
        return state.tensors

    def dds() -> dict[str, np.ndarray]:
        return tensor_views(np.frombuffer(topics['dds'].receive(TIMEOUT_S), np.uint8), tensors)

    return {'notice': notice, 'look': look, 'dds': dds}


def _take_turns(receivers: dict[str, Callable[[], dict[str, np.ndarray]]], writer: Connection,
                rounds: int) -> dict[str, list[float]]:
    latencies_ms: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(1, WARM_UP + rounds + 1):
        for way in WAYS:
            writer.send((way, number))
            tensors = receivers[way]()
            usable_ns = time.monotonic_ns()
            if not all((tensor == number).all() for tensor in tensors.values()):
                raise RuntimeError(f'{way} delivered another state than was written')
            latencies_ms[way].append((usable_ns - writer.recv()) / 1e6)
            del tensors  # freeing 34 MiB takes 2 ms, which are not the next way's
    return {way: values[WARM_UP:] for way, values in latencies_ms.items()}


def _write(preset_name: str, domain_id: int, reader: Connection) -> None:
    """Be the writer: tell the reader of a first state, or why there is none; then serve it."""
    tensors = _tensors(preset_name)
    try:
        topics = {way: DdsTopic(f'{way}_{preset_name}', domain_id=domain_id, publishes=True)
                  for way in ('notice', 'dds')}
        ring = StateRing(tensors, model=preset_name)
        for topic in topics.values():
            topic.wait_for_peer()
    except InputError as error:
        reader.send(error)
        return
    with ring:
        reader.send(ring.begin().commit(sensor_time_us=0))
        _serve(ring, tensors, topics, reader)
    for topic in topics.values():
        topic.close()


def _serve(ring: StateRing, tensors: tuple[TensorSpec, ...], topics: dict[str, DdsTopic],
           reader: Connection) -> None:
    """Write and send a state on each request of the reader, until it disconnects."""
    message = array.array('B', bytes(state_bytes(tensors)))
    in_message = tensor_views(np.frombuffer(message, np.uint8), tensors)
    while True:
        try:
            way, number = reader.recv()
        except EOFError:
            return
        write = ring.begin()
        for tensor in (in_message if way == 'dds' else write.tensors).values():
            tensor[...] = number
        time.sleep(SETTLE_S)
        complete_ns = time.monotonic_ns()
        if way == 'dds':
            topics['dds'].publish(message)
        else:
            descriptor = write.commit(sensor_time_us=number)
            if way == 'notice':
                topics['notice'].publish(array.array('B', _json(descriptor)))
        reader.send(complete_ns)


def _json(descriptor: StateDescriptor) -> bytes:
    return json.dumps(vars(descriptor) | {'payload': ''}).encode()


def _descriptor(text: bytes) -> StateDescriptor:
    fields = json.loads(text)
    tensors = tuple(TensorSpec(name, dtype, tuple(shape), offset)
                    for name, dtype, shape, offset in fields['tensors'])
    return StateDescriptor(**fields | {'tensors': tensors, 'payload': b''})
