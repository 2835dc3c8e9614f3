# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EVT2, the 32-bit words of older Prophesee .raw files; not used by drivers."""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.events.codec import Codec, Decoded, pairs, records

CD_ON = 0x1  # 0x0 is CD_OFF
TIME_HIGH = 0x8
EXT_TRIGGER = 0xA

TIME_BITS = 34
STEP_BACK = (1 << TIME_BITS) - (1 << 28)  # a smaller step back of HIGH is not a wrap [us]


class Evt2State(NamedTuple):
    """Decoder state between pieces of a file."""

    high_us: int = 0  # time without its lower 6 bits, with wraps counted
    joined: bool = False  # a HIGH has been received


@njit(cache=True, nogil=True)
def count_evt2(words: np.ndarray) -> tuple[int, int]:
    """Return the numbers of events and triggers in words (N,) uint32."""
    events = 0
    triggers = 0
    for i in range(len(words)):
        kind = words[i] >> 28
        events += kind <= CD_ON
        triggers += kind == EXT_TRIGGER
    return events, triggers


@njit(cache=True, nogil=True)
def decode_evt2_into(events: np.ndarray, triggers: np.ndarray, words: np.ndarray,
                     state: Evt2State, width: int, height: int
                     ) -> tuple[int, int, tuple[int, bool]]:
    """Decode words; return the numbers of events and triggers written, and the next state.

    Args:
        events: (N + 1, 2) int64, written; each row is an EVENT_DTYPE record.
        triggers: (M, 2) int64, written; each row is a TRIGGER_DTYPE record.
        words: words to decode, uint32.
        state: Evt2State after the previous words.
        width: sensor width [px]; events outside are dropped.
        height: sensor height [px].
    """
    high, joined = state
    start = 0
    while not joined and start < len(words):  # there is no time before the first HIGH
        if words[start] >> 28 == TIME_HIGH:
            high = np.int64(words[start] & 0xFFFFFFF) << 6
            joined = True
        start += 1
    count = 0
    count_triggers = 0
    words = words[start:]  # indices from 0 need no check for negative ones
    for i in range(len(words)):
        word = np.int64(words[i])
        kind = word >> 28
        if kind <= CD_ON:
            x = word >> 11 & 0x7FF
            y = word & 0x7FF
            events[count, 0] = high | (word >> 22 & 0x3F)
            events[count, 1] = x | y << 16 | kind << 32
            count += (x < width) & (y < height)
        elif kind == TIME_HIGH:
            new = (word & 0xFFFFFFF) << 6
            old = high & ((1 << TIME_BITS) - 1)
            high += new - old + (np.int64(old - new > STEP_BACK) << TIME_BITS)
        elif kind == EXT_TRIGGER:
            triggers[count_triggers, 0] = high | (word >> 22 & 0x3F)
            triggers[count_triggers, 1] = word >> 8 & 0x1F | (word & 1) << 8
            count_triggers += 1
    return count, count_triggers, (high, joined)


def _decode(words: np.ndarray, state: Evt2State, size: tuple[int, int],
            time_base_ns: int) -> tuple[Decoded, Evt2State]:
    """Decode a piece of a file; the time base is not used."""
    found = records(*count_evt2(words))
    events, triggers, after = decode_evt2_into(
        pairs(found.events), pairs(found.triggers), words, state, *size)
    return Decoded(found.events[:events], found.triggers[:triggers]), Evt2State(*after)


CODEC = Codec(word_bytes=4, address_bits=11, decode=_decode, start=Evt2State(),
              period_us=1 << TIME_BITS, in_packets=False)
