# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""libcaer and libcaer_cmp, the packet encodings of libcaer_driver (DAVIS, DVXplorer).

`libcaer` is the 64-bit format of the device library. `libcaer_cmp` has 16-bit words like EVT3,
with x and y swapped. The driver's compressor sends up to 4 % of the single events with the row of
an earlier event. Packets do not indicate which, so a decoder cannot correct this.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.events.codec import Codec, Decoded, pairs, records
from hybrid_pose_ros.lanes import trailing_zeros

TIME_HIGH = 0
TIME_LOW = 1
ADDR_X = 2
ADDR_Y = 3  # one event
VECT_BASE_Y = 4
VECT_8 = 5  # 8 consecutive pixels of a column, one bit each

TIME_BITS = 31  # of a libcaer event's own time
UNKNOWN = 1 << 20  # a row or column outside any sensor, so that events are out of bounds


class LibcaerCmpState(NamedTuple):
    """Decoder state between packets, except for the time."""

    x: int = 0
    base_y: int = 0  # next pixel of a vector
    polarity: int = 0  # of a vector


AFTER_GAP = LibcaerCmpState(UNKNOWN, UNKNOWN, 0)


@njit(cache=True, nogil=True)
def count_libcaer_cmp(words: np.ndarray) -> int:
    """Return the number of events in words (N,) uint16, including out-of-bounds ones."""
    events = 0
    for i in range(len(words)):
        kind = words[i] >> 12
        pixels = np.uint16(words[i] & 0xFF if kind == VECT_8 else kind == ADDR_Y)
        pixels -= (pixels >> np.uint16(1)) & np.uint16(0x5555)
        pixels = (pixels & np.uint16(0x3333)) + ((pixels >> np.uint16(2)) & np.uint16(0x3333))
        events += (pixels + (pixels >> np.uint16(4))) & 0xF
    return events


@njit(cache=True, nogil=True)
def decode_libcaer_cmp_into(events: np.ndarray, words: np.ndarray, state: LibcaerCmpState,
                            width: int, height: int, time_base_us: int
                            ) -> tuple[int, tuple[int, int, int]]:
    """Decode the words of one packet; return the number of events written, and the next state.

    Args:
        events: (N + 1, 2) int64, written; each row is an EVENT_DTYPE record.
        words: whole words of a packet, uint16.
        state: LibcaerCmpState after the previous packet.
        width: sensor width [px]; events outside are dropped.
        height: sensor height [px].
        time_base_us: time base of the packet, to which the words are relative.
    """
    x, base, polarity = state
    high = 0
    low = 0
    time = time_base_us
    limit = height if x < width else 0  # 0: this column is outside the sensor
    sign = polarity << 32
    count = 0
    for i in range(len(words)):
        kind = words[i] >> 12
        payload = np.int64(words[i] & 0xFFF)
        if kind == ADDR_Y:
            y = payload & 0x7FF
            events[count, 0] = time
            events[count, 1] = x | y << 16 | (payload & 0x800) << 21
            count += y < limit
        elif kind == ADDR_X:
            x = payload & 0x7FF
            limit = height if x < width else 0
        elif kind == TIME_LOW:
            low = payload
            time = time_base_us + high + low
        elif kind == TIME_HIGH:
            high = payload << 12
            time = time_base_us + high + low
        elif kind == VECT_BASE_Y:
            base = payload & 0x7FF
            sign = (payload & 0x800) << 21
        elif kind == VECT_8:
            mask = payload & 0xFF
            while mask:
                y = base + trailing_zeros(mask)
                mask &= mask - 1
                events[count, 0] = time
                events[count, 1] = x | y << 16 | sign
                count += y < limit
            base += 8
    return count, (x, base, sign >> 32)


@njit(cache=True, nogil=True)
def decode_libcaer_into(events: np.ndarray, words: np.ndarray, width: int, height: int,
                        time_base_us: int) -> int:
    """Decode 64-bit events given as words (N, 2) uint32; return the number written.

    Each row of `events`, (N + 1, 2) int64, is an EVENT_DTYPE record. The time of an event has 31
    bits; a step back within a packet is a wrap.
    """
    count = 0
    base_us = time_base_us
    previous_us = np.int64(0)
    for i in range(len(words)):
        pixel = np.int64(words[i, 0])
        time_us = np.int64(words[i, 1]) & ((1 << TIME_BITS) - 1)
        base_us += np.int64(time_us < previous_us) << TIME_BITS
        previous_us = time_us
        x = pixel >> 17
        y = pixel >> 2 & 0x7FFF
        events[count, 0] = base_us + time_us
        events[count, 1] = x | y << 16 | (pixel & 2) << 31
        count += (x < width) & (y < height)
    return count


def _decode(words: np.ndarray, state: None, size: tuple[int, int],
            time_base_ns: int) -> tuple[Decoded, None]:
    """Decode one packet of libcaer."""
    found = records(len(words))
    count = decode_libcaer_into(pairs(found.events), words.view('<u4').reshape(-1, 2), *size,
                                time_base_ns // 1000)
    return Decoded(found.events[:count], found.triggers), None


def _decode_cmp(words: np.ndarray, state: LibcaerCmpState, size: tuple[int, int],
                time_base_ns: int) -> tuple[Decoded, LibcaerCmpState]:
    """Decode one packet of libcaer_cmp."""
    found = records(count_libcaer_cmp(words))
    count, after = decode_libcaer_cmp_into(pairs(found.events), words, state, *size,
                                           time_base_ns // 1000)
    return Decoded(found.events[:count], found.triggers), LibcaerCmpState(*after)


LIBCAER = Codec(word_bytes=8, address_bits=15, decode=_decode)
LIBCAER_CMP = Codec(word_bytes=2, address_bits=11, decode=_decode_cmp, start=LibcaerCmpState(),
                    after_gap=lambda state, elapsed_us: AFTER_GAP)
