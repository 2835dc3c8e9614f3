# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""mono and trigger, the 64-bit words of old bags; times are nanoseconds since the time base."""

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.events.codec import Codec, Decoded, pairs, records


@njit(cache=True, nogil=True)
def decode_mono_into(events: np.ndarray, words: np.ndarray, width: int, height: int,
                     time_base_ns: int) -> int:
    """Decode words (N,) uint64; return the number of events written.

    Each row of `events`, (N + 1, 2) int64, is an EVENT_DTYPE record.
    """
    count = 0
    for i in range(len(words)):
        word = np.int64(words[i])
        x = word >> 32 & 0xFFFF
        y = word >> 48 & 0x7FFF
        events[count, 0] = (time_base_ns + (word & 0xFFFFFFFF)) // 1000
        events[count, 1] = x | y << 16 | (word >> 63 & 1) << 32
        count += (x < width) & (y < height)
    return count


@njit(cache=True, nogil=True)
def decode_trigger_into(triggers: np.ndarray, words: np.ndarray, time_base_ns: int) -> None:
    """Decode words (N,) uint64 into triggers (N, 2) int64; each row is a TRIGGER_DTYPE record."""
    for i in range(len(words)):
        word = np.int64(words[i])
        triggers[i, 0] = (time_base_ns + (word & 0xFFFFFFFF)) // 1000
        triggers[i, 1] = word >> 48 & 0xFF | (word >> 63 & 1) << 8


def _decode(words: np.ndarray, state: None, size: tuple[int, int],
            time_base_ns: int) -> tuple[Decoded, None]:
    """Decode one mono packet."""
    found = records(len(words))
    count = decode_mono_into(pairs(found.events), words, *size, time_base_ns)
    return Decoded(found.events[:count], found.triggers), None


def _decode_trigger(words: np.ndarray, state: None, size: tuple[int, int],
                    time_base_ns: int) -> tuple[Decoded, None]:
    """Decode one trigger packet, which has no events."""
    found = records(0, len(words))
    decode_trigger_into(pairs(found.triggers), words, time_base_ns)
    return Decoded(found.events[:0], found.triggers), None


MONO = Codec(word_bytes=8, address_bits=15, decode=_decode)
TRIGGER = Codec(word_bytes=8, address_bits=16, decode=_decode_trigger)
