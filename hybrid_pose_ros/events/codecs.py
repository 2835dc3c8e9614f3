# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From bytes to events: one streaming decoder for all encodings of packets and .raw files.

Unknown words, an incomplete last word, and events outside the sensor are dropped, so a decoder
accepts any bytes. Payloads are little-endian, like all supported hosts.
"""

from typing import TYPE_CHECKING

import numpy as np

from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events import evt2, evt3, libcaer, mono
from hybrid_pose_ros.events.codec import Codec, Decoded

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CODECS: dict[str, Codec] = {
    'evt3': evt3.CODEC, 'libcaer': libcaer.LIBCAER, 'libcaer_cmp': libcaer.LIBCAER_CMP,
    'mono': mono.MONO, 'trigger': mono.TRIGGER, 'evt2': evt2.CODEC}
"""All encodings by name. To add one, write a module and add an entry here."""

PACKET_ENCODINGS = tuple(name for name, codec in CODECS.items() if codec.in_packets)

LATEST_NS = 1 << 62
"""Maximum time base, in the year 2116."""

MAX_PIXELS = 1 << 24
"""Maximum sensor size, above any event camera's; limits the allocation for a forged packet."""


class PacketDecoder:
    """Decodes the packets of one sensor in order, carrying state from packet to packet."""

    def __init__(self, encoding: str, width: int, height: int):
        """Create a decoder for one of CODECS and a sensor of width x height [px].

        Raises:
            PacketError: the encoding is unknown or does not support this size.
        """
        if encoding not in CODECS:
            raise PacketError(f'unknown encoding {encoding!r}: expected one of '
                              f'{", ".join(CODECS)}')
        self._codec = CODECS[encoding]
        largest = 1 << self._codec.address_bits
        if not (0 < width <= largest and 0 < height <= largest and width * height <= MAX_PIXELS):
            raise PacketError(f'a sensor of {width}x{height} px cannot send {encoding}: expected '
                              f'1x1 to {largest}x{largest}, and at most {MAX_PIXELS} pixels')
        self._size = width, height
        self._state = self._codec.start

    def after_gap(self, elapsed_us: int) -> None:
        """Reset the state that lost packets may have changed, `elapsed_us` after the last packet.

        evt3 resumes at the next complete time and known row; `elapsed_us` determines how often its
        clock wrapped during the gap. libcaer_cmp waits for a column.
        """
        self._state = self._codec.after_gap(self._state, elapsed_us)

    def decode(self, payload: 'ReadableBuffer', time_base: int = 0) -> Decoded:
        """Return the events and triggers of a packet.

        Args:
            payload: bytes, or any object with the buffer protocol.
            time_base: time base of the packet [ns].

        Raises:
            PacketError: `time_base` is out of range.
        """
        _check_time_base(time_base)
        decoded, self._state = self._codec.decode(self._words(payload), self._state, self._size,
                                                  time_base)
        return decoded

    def _words(self, payload: 'ReadableBuffer') -> np.ndarray:
        """Return the whole words of a payload; read-only, so that one compiled kernel suffices."""
        size = self._codec.word_bytes
        content = memoryview(payload).toreadonly().cast('B')
        words = np.frombuffer(content[:len(content) // size * size], f'<u{size}')
        if not words.flags.aligned:
            words = words.copy()
            words.flags.writeable = False
        return words


def compile_codecs() -> None:
    """Compile the decoders or load them from the cache, to avoid a delay at the first packet."""
    for encoding in CODECS:
        PacketDecoder(encoding, 1, 1).decode(b'')


def check_payload(encoding: str, payload: 'ReadableBuffer', time_base: int) -> None:
    """Raise PacketError unless a packet is plausible for its encoding.

    A payload truncated within a word has also lost an unknown number of other words.
    """
    _check_time_base(time_base)
    size, word_bytes = memoryview(payload).nbytes, CODECS[encoding].word_bytes
    if size % word_bytes:
        raise PacketError(f'payload of {size} bytes was truncated: {encoding} has words of '
                          f'{word_bytes} bytes')


def period_us(encoding: str) -> int:
    """Return the clock period of an encoding [us], see `clock.nearest_turn`.

    It is 0 if the clock does not wrap or the encoding is unknown.
    """
    return CODECS[encoding].period_us if encoding in CODECS else 0


def _check_time_base(time_base: int) -> None:
    if not 0 <= time_base < LATEST_NS:
        raise PacketError(f'time base {time_base} ns is out of range: expected 0 to 2^62')
