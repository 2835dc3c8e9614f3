# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times state transfer between two processes: shared memory versus the same bytes through DDS.

The time is measured from when the writer has written the last byte of the state to when the reader
has usable arrays, on one clock (CLOCK_MONOTONIC). The methods alternate within one run. DDS gets
its best case: the writer computes the state in the message's own buffer. The notice is about 1 kB
of JSON instead of StateTensors. Shared memory copies nothing, so it is bounded not by memory
bandwidth but by Python and the wake-up of the reader.
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
"""Shared memory announced by a small DDS message; shared memory polled by the reader
(`StateReader.newest_sequence`, no message); the state itself as a DDS message."""

SENSOR = (346, 260)
TIMEOUT_S = 30.0
WARM_UP = 5
SETTLE_S = 0.005  # so that the reader is already waiting when the state is complete


def transport_benchmark(*, presets: Sequence[str] = ('paper', 'edge'),
                        rounds: int = 40) -> dict[str, Any]:
    """Return, for each preset, the size of its state, the slowdown of DDS, and latencies [ms].

    Args:
        presets: names of the presets whose states are sent.
        rounds: number of transfers of each state by each method, after a warm-up.

    Returns:
        By preset: `bytes`, `dds_over_notice` and `dds_over_look` (ratios of medians), and
        `median_ms` and `p95_ms` for each of WAYS.

    Raises:
        InputError: ROS 2 is not available.
        TransportError: shared memory is full or unavailable.
    """
    spawn = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as reader_process:
        return {name: reader_process.submit(_read, name, rounds).result() for name in presets}


def _tensors(preset_name: str) -> tuple[TensorSpec, ...]:
    preset = PRESETS[preset_name]
    geometry = input_geometry(preset, *SENSOR)
    return tensor_specs(state_layout(preset, geometry.width, geometry.height))


def _read(preset_name: str, rounds: int) -> dict[str, Any]:
    """Run the reader: start the writer, alternate between the methods, return the figures."""
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
    """Return, for each method, a function that waits for a state and returns its tensors."""
    tensors = _tensors(preset_name)
    reader = StateReader(model=preset_name, tensors=tensors)
    reader.read(first)

    def notice() -> dict[str, np.ndarray]:
        return reader.read(_descriptor(topics['notice'].receive(TIMEOUT_S).tobytes())).tensors

    def look() -> dict[str, np.ndarray]:
        before, deadline_s = reader.newest_sequence(), time.monotonic() + TIMEOUT_S
        while reader.newest_sequence() == before:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f'no state arrived within {TIMEOUT_S} s')
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
                raise RuntimeError(f'{way} delivered a different state than was written')
            latencies_ms[way].append((usable_ns - writer.recv()) / 1e6)
            del tensors  # freeing 34 MiB takes 2 ms, which must not count toward the next method
    return {way: values[WARM_UP:] for way, values in latencies_ms.items()}


def _write(preset_name: str, domain_id: int, reader: Connection) -> None:
    """Run the writer: send the reader a first state, or the reason for failure; then serve it."""
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
    """Write and send a state on each request from the reader until it disconnects."""
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
