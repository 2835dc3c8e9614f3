# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes to events: one streaming decoder for all encodings of packets and .raw files.

Unknown words, incomplete words at the end, and events outside of the sensor are dropped, so that a
decoder accepts any bytes. Payloads are little endian, like all supported hosts.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events import evt2, evt3, libcaer, mono
from hybrid_pose_ros.events.event_array import EVENT_DTYPE, TRIGGER_DTYPE, no_events

LATEST_NS = 1 << 62
"""Upper limit of time bases, in the year 2116."""

WORD_BYTES = {'evt3': 2, 'libcaer': 8, 'libcaer_cmp': 2, 'mono': 8, 'trigger': 8, 'evt2': 4}
ADDRESS_BITS = {'evt3': 11, 'libcaer': 15, 'libcaer_cmp': 11, 'mono': 15, 'trigger': 16,
                'evt2': 11}
"""Address bits of x and y, which limit the sensor size of an encoding."""


class Decoded(NamedTuple):
    """Contents of one packet, in the order of its words."""

    events: np.ndarray  # (N,) of EVENT_DTYPE
    triggers: np.ndarray  # (M,) of TRIGGER_DTYPE

MAX_PIXELS = 1 << 24
"""Larger than any event camera; limits the allocation caused by a forged packet."""


class PacketDecoder:
    """Decodes the packets of one sensor in order, with state carried between packets."""

    def __init__(self, encoding: str, width: int, height: int):
        """Create a decoder for one of WORD_BYTES and a sensor of width x height [px].

        Raises:
            PacketError: the encoding is unknown, or it does not support the size.
        """
        if encoding not in WORD_BYTES:
            raise PacketError(f'unknown encoding {encoding!r}: expected one of '
                              f'{", ".join(WORD_BYTES)}')
        largest = 1 << ADDRESS_BITS[encoding]
        if not (0 < width <= largest and 0 < height <= largest and width * height <= MAX_PIXELS):
            raise PacketError(f'a sensor of {width}x{height} px cannot send {encoding}: expected '
                              f'1x1 to {largest}x{largest}, and at most {MAX_PIXELS} pixels')
        self._encoding = encoding
        self._width = width
        self._height = height
        self._state = {'evt3': evt3.Evt3State(), 'evt2': evt2.Evt2State(),
                       'libcaer_cmp': libcaer.LibcaerCmpState()}.get(encoding)
        self._decode = getattr(self, f'_decode_{encoding}')

    def after_gap(self, elapsed_us: int) -> None:
        """Reset the state that lost packets may have changed, `elapsed_us` after the last one.

        evt3 resumes at the next complete time and known row; `elapsed_us` determines how often its
        clock rolled over in the gap. libcaer_cmp waits for a column.
        """
        if self._encoding == 'evt3':
            self._state = evt3.after_gap(self._state, elapsed_us)
        elif self._encoding == 'libcaer_cmp':
            self._state = libcaer.AFTER_GAP

    def decode(self, payload, time_base: int = 0) -> Decoded:
        """Return the events and triggers of a packet.

        Args:
            payload: bytes, or any object with the buffer protocol.
            time_base: time base of the packet [ns].

        Raises:
            PacketError: `time_base` is out of range.
        """
        _check_time_base(time_base)
        return self._decode(self._words(payload), time_base)

    def _words(self, payload) -> np.ndarray:
        """Return the whole words of a payload, read-only so that one compiled kernel fits all."""
        size = WORD_BYTES[self._encoding]
        payload = memoryview(payload).toreadonly().cast('B')
        dtype = f'<u{min(size, 4) if self._encoding == "libcaer" else size}'
        words = np.frombuffer(payload[:len(payload) // size * size], dtype)
        if not words.flags.aligned:
            words = words.copy()
            words.flags.writeable = False
        return words

    def _decode_evt3(self, words: np.ndarray, _) -> Decoded:
        count, count_triggers = evt3.count_evt3(words)
        events = np.empty(count + 1, EVENT_DTYPE)
        triggers = np.empty(count_triggers, TRIGGER_DTYPE)
        count, count_triggers, state = evt3.decode_evt3_into(
            _pairs(events), _pairs(triggers), words, self._state, self._width, self._height)
        self._state = evt3.Evt3State(*state)
        return Decoded(events[:count], triggers[:count_triggers])

    def _decode_libcaer_cmp(self, words: np.ndarray, time_base: int) -> Decoded:
        events = np.empty(libcaer.count_libcaer_cmp(words) + 1, EVENT_DTYPE)
        count, state = libcaer.decode_libcaer_cmp_into(
            _pairs(events), words, self._state, self._width, self._height, time_base // 1000)
        self._state = libcaer.LibcaerCmpState(*state)
        return Decoded(events[:count], _no_triggers())

    def _decode_libcaer(self, words: np.ndarray, time_base: int) -> Decoded:
        events = np.empty(len(words) // 2 + 1, EVENT_DTYPE)
        count = libcaer.decode_libcaer_into(_pairs(events), words.reshape(-1, 2), self._width,
                                            self._height, time_base // 1000)
        return Decoded(events[:count], _no_triggers())

    def _decode_mono(self, words: np.ndarray, time_base: int) -> Decoded:
        events = np.empty(len(words) + 1, EVENT_DTYPE)
        count = mono.decode_mono_into(_pairs(events), words, self._width, self._height, time_base)
        return Decoded(events[:count], _no_triggers())

    def _decode_trigger(self, words: np.ndarray, time_base: int) -> Decoded:
        triggers = np.empty(len(words), TRIGGER_DTYPE)
        mono.decode_trigger_into(_pairs(triggers), words, time_base)
        return Decoded(no_events(), triggers)

    def _decode_evt2(self, words: np.ndarray, _) -> Decoded:
        count, count_triggers = evt2.count_evt2(words)
        events = np.empty(count + 1, EVENT_DTYPE)
        triggers = np.empty(count_triggers, TRIGGER_DTYPE)
        count, count_triggers, state = evt2.decode_evt2_into(
            _pairs(events), _pairs(triggers), words, self._state, self._width, self._height)
        self._state = evt2.Evt2State(*state)
        return Decoded(events[:count], triggers[:count_triggers])


def compile_codecs() -> None:
    """Compile the decoders or load them from the cache, to avoid a delay at the first packet."""
    for encoding in WORD_BYTES:
        PacketDecoder(encoding, 1, 1).decode(b'')


def check_payload(encoding: str, payload, time_base: int) -> None:
    """Raise PacketError unless a packet is plausible for its encoding.

    A payload truncated within a word has also lost an unknown number of words.
    """
    _check_time_base(time_base)
    size = memoryview(payload).nbytes
    if size % WORD_BYTES[encoding]:
        raise PacketError(f'payload of {size} bytes was truncated: {encoding} has words of '
                          f'{WORD_BYTES[encoding]} bytes')


def _check_time_base(time_base: int) -> None:
    if not 0 <= time_base < LATEST_NS:
        raise PacketError(f'time base {time_base} ns is out of range: expected 0 to 2^62')


def _pairs(records: np.ndarray) -> np.ndarray:
    """Return a view of 16-byte records as (N, 2) int64, which kernels write in two stores."""
    return records.view(np.int64).reshape(-1, 2)


def _no_triggers() -> np.ndarray:
    return np.empty(0, TRIGGER_DTYPE)
