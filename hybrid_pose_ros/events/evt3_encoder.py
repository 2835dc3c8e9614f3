# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encodes events as EVT3 packets, like metavision_driver; decoding yields the same events.

Every packet starts with a complete time and a row, so a decoder can start at any packet and
tolerates lost packets. A 24-bit clock does not encode the periods before the first packet, so a
stream that starts at t is decoded as starting at t modulo 2^24 us.
"""

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.evt3 import (
    ADDR_X, ADDR_Y, STEP_BACK, TIME_BITS, TIME_HIGH, TIME_LOW, VECT_8, VECT_12,
    VECT_BASE_X)

MAX_SIZE = 2048
"""Maximum number of rows or columns [px]; addresses have 11 bits."""

LONGEST_GAP_US = 1 << 40
"""Maximum time between two events, 12 days."""

_LONGEST_STEP = 1 << (TIME_BITS - 3)  # between HIGH words [us], so a damaged one adds no period
_WORDS_AN_EVENT = 4  # HIGH, LOW, row, column
_VECTOR_WORDS = 4  # base, 12 pixels, 12 and 8: some decoders require all three together
_VECTOR_PIXELS = 32


class Evt3Encoder:
    """Encodes the events of one sensor, packet by packet, in decoding order."""

    def __init__(self, width: int, height: int):
        """Create an encoder for the events of a sensor.

        Raises:
            InputError: the sensor has more rows or columns than EVT3 can address.
        """
        if not (0 < width <= MAX_SIZE and 0 < height <= MAX_SIZE):
            raise InputError(f'EVT3 does not support a sensor of {width}x{height} px: expected '
                             f'1x1 to {MAX_SIZE}x{MAX_SIZE}')
        self._last_us: int | None = None

    def encode(self, events: np.ndarray) -> bytes:
        """Return the packet payload for events (N,) of EVENT_DTYPE; empty without events.

        Raises:
            InputError: time steps back or ahead by more than the words can express.
        """
        if not len(events):
            return b''
        times = events['t']
        if self._last_us is None:
            self._last_us = int(times[0])
        steps = np.diff(times, prepend=self._last_us)
        if steps.min() < -STEP_BACK or steps.max() > LONGEST_GAP_US:
            raise InputError(f'events cannot be {steps.min()} us before or {steps.max()} us '
                             f'after the previous one: EVT3 allows {-STEP_BACK} to '
                             f'{LONGEST_GAP_US}')
        turns = int((steps // _LONGEST_STEP).clip(0).sum())
        words = np.empty(3 + turns + _WORDS_AN_EVENT * len(events), np.uint16)
        pairs = np.ascontiguousarray(events).view(np.int64).reshape(-1, 2)
        count = _encode_into(words, pairs, self._last_us)
        self._last_us = int(times[-1])
        return words[:count].tobytes()


@njit(cache=True, nogil=True)
def _encode_into(words: np.ndarray, events: np.ndarray, last_us: int) -> int:
    """Write the words of EVENT_DTYPE records viewed as (N, 2) int64; return their number."""
    count = 0
    time = last_us
    row = high = low = -1
    i = 0
    while i < len(events):
        while events[i, 0] - time > _LONGEST_STEP:  # as in idle sensors
            time += _LONGEST_STEP
            words[count] = TIME_HIGH << 12 | time >> 12 & 0xFFF
            count += 1
            high = -1
        time = events[i, 0]
        if time >> 12 != high:
            high = time >> 12
            low = -1
            words[count] = TIME_HIGH << 12 | high & 0xFFF
            count += 1
        if time & 0xFFF != low:
            low = time & 0xFFF
            words[count] = TIME_LOW << 12 | low
            count += 1
        place = events[i, 1]
        x = place & 0x7FF
        polarity = place >> 32 & 1
        if place >> 16 & 0x7FF != row:
            row = place >> 16 & 0x7FF
            words[count] = ADDR_Y << 12 | row
            count += 1
        length, mask = _vector(events, i)
        if length > _VECTOR_WORDS:
            words[count] = VECT_BASE_X << 12 | polarity << 11 | x
            words[count + 1] = VECT_12 << 12 | mask & 0xFFF
            words[count + 2] = VECT_12 << 12 | mask >> 12 & 0xFFF
            words[count + 3] = VECT_8 << 12 | mask >> 24
            count += _VECTOR_WORDS
            i += length
        else:
            words[count] = ADDR_X << 12 | polarity << 11 | x
            count += 1
            i += 1
    return count


@njit(cache=True, nogil=True)
def _vector(events: np.ndarray, first: int) -> tuple[int, int]:
    """Return the number of events from `first` that fit in one vector, and its mask.

    They share time, row and polarity, and increase in x within the vector's 32 pixels.
    """
    start_x = events[first, 1] & 0x7FF
    mask = 0
    last_x = -1
    i = first
    while i < len(events) and events[i, 0] == events[first, 0]:
        x = events[i, 1] & 0x7FF
        if (events[i, 1] ^ events[first, 1]) >> 16 & 0x1FFFF or not (
                last_x < x < start_x + _VECTOR_PIXELS):
            break
        mask |= 1 << (x - start_x)
        last_x = x
        i += 1
    return i - first, mask
