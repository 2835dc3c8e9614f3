# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets: forged descriptors of states, and forged segments of shared memory."""

import dataclasses
import os
from contextlib import closing, contextmanager
from random import Random

from fuzzing.campaign import Target, Wrong, place_of
from fuzzing.mutations import EXTREMES, extreme, mutated, sequence_mutated
from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.transport.descriptor import (
    DTYPES, StateDescriptor, TensorSpec, state_bytes, tensor_specs)
from hybrid_pose_ros.transport.reader import StateReader
from hybrid_pose_ros.transport.ring import StateRing
from hybrid_pose_ros.transport.segment import (
    MAX_BYTES, host_identity, private_segment, remove_segment, segment_path)

MODEL = 'edge:0123abcd'
TENSORS = tensor_specs({'membrane.a': (3, 5), 'membrane.b': (2, 2, 4), 'heatmap': (7,)})
BYTES = state_bytes(TENSORS)
SEGMENT, HOST = 'hybrid_pose.0.0123456789abcdef', 'here'
"""Stand for the ring's segment and for this host, which have another name in every run."""

STATES = 5  # the ring has 3 slots: the first two are overwritten
HEADER = 1 << 10  # of a segment, what is mutated [bytes]; the rest is zeros
ODD = (None, True, 1.0, float('nan'), '', 'x' * 200, b'x', (), [], '1', '\n', 'hybrid_pose.1.0')
TEXTS = {'model': (MODEL, 'paper:ff', '', 'a b'), 'host': (HOST, '', 'elsewhere'),
         'segment': (SEGMENT, 'hybrid_pose.1.ffffffffffffffff', '../shm/' + SEGMENT, '')}


def _descriptors(rng: Random) -> list[tuple]:
    ring = [StateDescriptor(
        sensor_time_us=1000 * n, sequence=n, model=MODEL, host=HOST, segment=SEGMENT, slot=n % 3,
        generation=2 * n, byte_count=BYTES, checksum=0, tensors=TENSORS)
        for n in range(1, STATES + 1)]
    inline = [dataclasses.replace(one, payload=bytes([one.sequence]) * BYTES) for one in ring]
    return [(one,) for one in ring + inline] + [tuple(ring), tuple(inline)]


def _mutated_descriptors(rng: Random, some: tuple, others: tuple) -> tuple:
    if not some or not rng.randrange(4):
        some = tuple(sequence_mutated(rng, some, others))
    changed = list(some)
    for _ in range(rng.randrange(1, 4)):
        if changed:
            index = rng.randrange(len(changed))
            changed[index] = _mutated_descriptor(rng, changed[index])
    return tuple(changed[:6])


def _mutated_descriptor(rng: Random, one: StateDescriptor) -> StateDescriptor:
    name = rng.choice([field.name for field in dataclasses.fields(one)])
    match name:
        case 'tensors':
            value = _mutated_tensors(rng, one.tensors)
        case 'payload':
            value = rng.choice((b'', bytes(BYTES), mutated(rng, _bytes(one.payload), b'')))
        case 'model' | 'host' | 'segment':
            value = rng.choice((*TEXTS[name], rng.randbytes(9).decode('latin-1')))
        case 'byte_count':
            value = rng.choice((64, BYTES + 64, len(_bytes(one.payload)), extreme(rng, *_far())))
        case _:
            value = rng.choice((rng.randrange(8), extreme(rng, *_far())))
    if name != 'tensors' and not rng.randrange(8):
        value = rng.choice(ODD)
    return dataclasses.replace(one, **{name: value})


def _mutated_tensors(rng: Random, tensors: tuple) -> tuple:
    if not tensors or not rng.randrange(4):
        tensors = tuple(sequence_mutated(rng, tensors, TENSORS))
    changed = list(tensors)
    if changed:
        index = rng.randrange(len(changed))
        changed[index] = _mutated_tensor(rng, changed[index])
    return tuple(changed)


def _mutated_tensor(rng: Random, tensor: TensorSpec) -> TensorSpec:
    name = rng.choice(TensorSpec._fields)
    value = {'name': lambda: rng.choice(('heatmap', 'a/b', '', 'x' * 99)),
             'dtype': lambda: rng.choice((*DTYPES, 'object', 'float64', '>f4', 'O', '')),
             'shape': lambda: _mutated_shape(rng, tensor.shape),
             'offset': lambda: rng.choice((0, 64, 128, 192, 4, -64, extreme(rng, *_far())))
             }[name]()
    return tensor._replace(**{name: rng.choice(ODD) if not rng.randrange(10) else value})


def _mutated_shape(rng: Random, shape) -> tuple:
    if type(shape) is not tuple:
        return (1,)
    changed = sequence_mutated(rng, shape, (1, 2, 16, MAX_BYTES))
    if changed:
        changed[rng.randrange(len(changed))] = rng.choice((0, 1, 4, extreme(rng, *_far())))
    return tuple(changed)


def _bytes(payload) -> bytes:
    return payload if type(payload) is bytes else b''


def _far() -> tuple[int, int]:
    return min(EXTREMES), max(EXTREMES)


@contextmanager
def _open_ring(_):
    with closing(StateRing(TENSORS, model=MODEL, slots=3)) as ring:
        for _ in range(STATES):
            write = ring.begin()
            for tensor in write.tensors.values():
                tensor[...] = write.sequence
            write.commit(sensor_time_us=1000 * write.sequence)
        places = {'segment': {SEGMENT: ring.name}, 'host': {HOST: host_identity()}}

        def read(descriptors):
            reader = StateReader(model=MODEL, tensors=TENSORS[:2])
            return frozenset(_read_state(reader, _placed(one, places)) for one in descriptors)
        yield read


def _placed(descriptor: StateDescriptor, places: dict) -> StateDescriptor:
    named = {name: known[value] for name, known in places.items()
             if type(value := getattr(descriptor, name)) is str and value in known}
    return dataclasses.replace(descriptor, **named)


def _read_state(reader: StateReader, descriptor: StateDescriptor) -> tuple:
    outcomes = []
    for read in (lambda: reader.read(descriptor), reader.latest):
        try:
            outcomes.append(_look_at(read(), descriptor))
        except TransportError as error:
            outcomes.append(place_of(error))
    return tuple(outcomes)


def _look_at(view, descriptor: StateDescriptor):
    if view is None:
        return None
    if not {tensor.name for tensor in TENSORS[:2]} <= set(view.tensors):
        raise Wrong('a tensor that is needed is not there')
    for tensor in view.tensors.values():
        tensor.tobytes()  # reads it all
        if not view.inline and (tensor != view.sequence).any():
            raise Wrong(f'state {view.sequence} holds {tensor}')
    return view.inline, view.is_intact(), len(view.tensors)


def _segments(rng: Random) -> list[bytes]:
    segment = private_segment(TENSORS, model=MODEL, slots=3)
    words = segment.words
    seeds = [bytes(segment.mapping[:HEADER])]
    words[8] = 2
    for slot, state in ((1, 1), (2, 2), (0, 3)):
        words[8 * (2 + slot):8 * (2 + slot) + 2] = 2 * state, 1000 * state
        seeds.append(bytes(segment.mapping[:HEADER]))
    return seeds


def _mutated_segment(rng: Random, header: bytes, other: bytes) -> bytes:
    if not rng.randrange(3):
        return mutated(rng, header, other)[:HEADER]
    changed = bytearray(header)
    for _ in range(rng.randrange(1, 3)):  # a word, so that the rest stays in its place
        at = 8 * rng.randrange(min(len(changed) // 8, 40) or 1)
        value = rng.choice((rng.randrange(8), 64, 4096, extreme(rng, *_far())))
        changed[at:at + 8] = (value % (1 << 64)).to_bytes(8, 'little')
    return bytes(changed)


@contextmanager
def _open_segment(_):
    name = f'hybrid_pose.{os.getpid()}.fedcba9876543210'
    size = len(private_segment(TENSORS, model=MODEL, slots=3).mapping)
    good = [dataclasses.replace(one, segment=name, host=host_identity())
            for one, in _descriptors(Random(0))[:3]]

    def read(header):
        remove_segment(name)
        with open(segment_path(name), 'xb') as file:
            file.write(header)
            file.truncate(size if len(header) % 8 == 0 else len(header))
        reader = StateReader(model=MODEL, tensors=TENSORS[:2])
        outcome = []
        for descriptor in good[len(header) % 3:]:
            for step in (lambda: reader.read(descriptor), reader.latest):
                try:
                    view = step()
                    outcome.append(view and [tensor.tobytes() for tensor in view.tensors.values()]
                                   and view.is_intact())
                except TransportError as error:
                    outcome.append(place_of(error))
        return frozenset(outcome)
    try:
        yield read
    finally:
        remove_segment(name)


TARGETS = {'state': Target(_descriptors, _mutated_descriptors, _open_ring, (TransportError,),
                           ('hybrid_pose_ros/transport/',)),
           'segment': Target(_segments, _mutated_segment, _open_segment, (TransportError,),
                             ('hybrid_pose_ros/transport/',))}
