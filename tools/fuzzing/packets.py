# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets: streams of event packets in every encoding, and the messages that carry them."""

import struct
from contextlib import contextmanager
from random import Random

import numpy as np
from bag_files import cdr_of

from fuzzing.campaign import Target, Wrong, place_of
from fuzzing.mutations import extreme, mutated, sequence_mutated
from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events.codecs import (
    CODECS, PACKET_ENCODINGS, PacketDecoder, compile_codecs)
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.recordings.event_packet_cdr import parse_event_packet

SIZES = ((640, 480), (346, 260), (1, 1), (1280, 720), (2048, 2048))
KINDS = {'evt3': (0, 2, 2, 3, 4, 5, 6, 8, 10, 15), 'libcaer_cmp': (0, 1, 2, 3, 3, 4, 5, 15),
         'evt2': (0, 1, 8, 10, 15)}
"""Upper 4 bits of a word, where they say what it is."""

MS = 1_000_000  # [ns]
UINT32, UINT64 = (0, (1 << 32) - 1), (0, (1 << 64) - 1)
STAMPS = (-(1 << 31) * 10**9, (1 << 31) * 10**9 + (1 << 32))  # of a ROS time [ns]


def payload(rng: Random, encoding: str, words: int) -> bytes:
    """Return words of the kinds that an encoding has, each with a random rest."""
    size = CODECS[encoding].word_bytes
    if encoding == 'libcaer':  # x and y of at most 10 bits, then the time
        return b''.join(struct.pack('<II', rng.getrandbits(10) << 17 | rng.getrandbits(10) << 2
                                    | rng.getrandbits(2), rng.getrandbits(31))
                        for _ in range(words))
    if encoding in ('mono', 'trigger'):
        return b''.join(struct.pack('<IHH', rng.getrandbits(20), rng.getrandbits(9),
                                    rng.getrandbits(8) | rng.getrandbits(1) << 15)
                        for _ in range(words))
    shift = 8 * size - 4
    return b''.join((rng.choice(KINDS[encoding]) << shift | rng.getrandbits(shift))
                    .to_bytes(size, 'little') for _ in range(words))


def _stream(rng: Random, encoding: str) -> tuple[Packet, ...]:
    width, height = rng.choice(SIZES)
    encoder = Evt3Encoder(width, height)
    start_us, seq, stamp_ns = rng.getrandbits(25), rng.getrandbits(8), rng.getrandbits(60)
    packets = []
    for index in range(rng.randrange(1, 5)):
        count = rng.randrange(12)
        if encoding == 'evt3' and rng.randrange(2):
            times = sorted(start_us + 4000 * index + rng.randrange(4000) for _ in range(count))
            words = encoder.encode(event_array(
                times, [rng.randrange(width) for _ in times],
                [rng.randrange(height) for _ in times], [rng.randrange(2) for _ in times]))
        else:
            words = payload(rng, encoding, 3 * count)
        packets.append(Packet(stamp_ns + 4 * MS * index, 'camera', width, height, seq + index,
                              start_us * 1000, encoding, words))
    return tuple(packets)


def _mutated_stream(rng: Random, stream: tuple, other: tuple) -> tuple[Packet, ...]:
    if not stream or not rng.randrange(8):
        stream = tuple(sequence_mutated(rng, stream, other))
    changed = list(stream)
    for _ in range(rng.randrange(1, 4)):
        if changed:
            index = rng.randrange(len(changed))
            changed[index] = _mutated_packet(rng, changed[index], other[-1] if other else None)
    return tuple(changed[:8])


def _mutated_packet(rng: Random, packet: Packet, other: Packet | None) -> Packet:
    match rng.randrange(12):
        case 0:
            step = rng.choice((-100, -65, -64, -2, -1, 0, 1, 2, 70, 100_000, 100_001))
            return packet._replace(seq=max(packet.seq + step, 0))
        case 1:
            return packet._replace(seq=extreme(rng, *UINT64))
        case 2:
            step = rng.choice((-5000, -501, -499, -1, 0, 1, 3999, 4001, 20_000, 10**8))
            return packet._replace(stamp_ns=packet.stamp_ns + step * MS)
        case 3:
            return packet._replace(stamp_ns=extreme(rng, *STAMPS))
        case 4:
            return packet._replace(time_base=extreme(rng, *UINT64))
        case 5 if rng.randrange(2):
            name = rng.choice(('width', 'height'))
            return packet._replace(**{name: extreme(rng, *UINT32)})
        case 6 if not rng.randrange(4):
            return packet._replace(encoding=rng.choice((*PACKET_ENCODINGS, '', 'evt2', 'evt4')))
        case 7:
            return packet._replace(payload=rng.randbytes(8 * rng.randrange(20)))
        case 8 | 9:
            words = mutated(rng, packet.payload, other.payload if other else b'')
            codec = CODECS.get(packet.encoding)  # whole words go deeper
            size = 1 if codec is None else codec.word_bytes
            return packet._replace(payload=words[:len(words) // size * size])
    return packet._replace(payload=mutated(rng, packet.payload, other.payload if other else b''))


def _check_events(events: np.ndarray, width: int, height: int) -> None:
    if len(events) and (events['x'].max() >= width or events['y'].max() >= height
                        or events['p'].max() > 1):
        raise Wrong(f'an event of {events} lies outside {width}x{height}')


def _check_triggers(triggers: np.ndarray) -> None:
    if len(triggers) and triggers['edge'].max() > 1:
        raise Wrong(f'a trigger of {triggers} has no edge')


def _magnitude(number: int) -> int:
    return int(number).bit_length() // 2


@contextmanager
def _open_stream(_):
    compile_codecs()
    yield _read_stream


def _read_stream(packets):
    stream = PacketStream()
    outcome = []
    for packet in packets:
        # A view into a message, at any address.
        words = memoryview(b'\0' * (packet.seq % 8) + packet.payload)[packet.seq % 8:]
        try:
            update = stream.update(packet._replace(payload=words))
        except PacketError as error:
            outcome.append(place_of(error))
            continue
        _check_events(update.events, packet.width, packet.height)
        _check_triggers(update.triggers)
        outcome.append((_magnitude(len(update.events)), _magnitude(len(update.triggers)),
                        min(update.lost_packets, 2), update.restarted))
    counts = stream.counts
    if counts.packets != len(packets) or min(vars(counts).values()) < 0:
        raise Wrong(f'{len(packets)} packets count as {counts}')
    return frozenset(outcome), counts.duplicated > 0, counts.out_of_order > 0


@contextmanager
def _open_evt2(_):
    compile_codecs()
    yield _read_evt2


def _read_evt2(packets):
    outcome = []
    decoder = None
    for packet in packets:
        if decoder is None:
            decoder = PacketDecoder('evt2', packet.width, packet.height)
            size = packet.width, packet.height
        events, triggers = decoder.decode(packet.payload, packet.time_base)
        _check_events(events, *size)
        _check_triggers(triggers)
        outcome.append((_magnitude(len(events)), _magnitude(len(triggers))))
    return frozenset(outcome)


@contextmanager
def _open_message(_):
    compile_codecs()
    yield _read_message


def _read_message(cdr):
    packet = parse_event_packet(cdr)
    if len(packet.payload) > len(cdr) or len(packet.frame_id) > len(cdr):
        raise Wrong(f'{len(cdr)} bytes hold {packet}')
    return 'packet', len(PacketStream().update(packet).events) > 0


def _messages(rng: Random) -> list[bytes]:
    return [cdr_of(packet, rng.choice('<>')) for encoding in PACKET_ENCODINGS
            for packet in _stream(rng, encoding)]


def _stream_target(encoding: str) -> Target:
    return Target(lambda rng: [_stream(rng, encoding) for _ in range(100)], _mutated_stream,
                  _open_evt2 if encoding == 'evt2' else _open_stream, (PacketError,))


TARGETS = {encoding: _stream_target(encoding) for encoding in (*PACKET_ENCODINGS, 'evt2')} | {
    'message': Target(_messages, mutated, _open_message, (PacketError,),
                      ('recordings/event_packet_cdr.py', 'events/packet_stream.py'))}
