# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EVT3, the 16-bit words of Prophesee sensors: packets of metavision_driver and .raw files.

The upper 4 bits of a word are its type. Time is a 24-bit counter [us] in two words, HIGH and LOW.
Wraps are detected only in HIGH: in real sensors LOW steps back by a few microseconds, because two
event sources share one time field.

Sensors send HIGH at least every 4096 us, with or without events. A HIGH more than STEP_BACK ahead
therefore follows missing data or is damaged. The next HIGH decides: if the path through the
suspicious HIGH is a whole period longer than the direct one, the suspicious HIGH is skipped. At
the end of a packet it is used provisionally until the next packet decides.
"""

from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.events.codec import Codec, Decoded, pairs, records
from hybrid_pose_ros.lanes import trailing_zeros

ADDR_Y = 0x0
ADDR_X = 0x2  # one event
VECT_BASE_X = 0x3
VECT_12 = 0x4  # 12 consecutive pixels, one bit each
VECT_8 = 0x5
TIME_LOW = 0x6
TIME_HIGH = 0x8
EXT_TRIGGER = 0xA

TIME_BITS = 24
TURN = 1 << TIME_BITS  # [us]
STEP_BACK = 10 << 12  # a step back of HIGH by more than this is a wrap [us]
UNKNOWN = 1 << 20  # a row or column outside any sensor, so that events are out of bounds
NONE = -1  # no time


class Evt3State(NamedTuple):
    """Decoder state between packets."""

    high_us: int = 0  # time without its lower 12 bits, with wraps counted
    low_us: int = 0
    y: int = 0
    base_x: int = 0  # next pixel of a vector
    polarity: int = 0  # of a vector
    joined: bool = False  # a HIGH followed by a LOW has been received
    high_seen: bool = False  # a HIGH has been received
    before_us: int = NONE  # HIGH before the last one, if the last one is an unconfirmed jump


@njit(cache=True, nogil=True)
def count_evt3(words: np.ndarray) -> tuple[int, int]:
    """Return the numbers of events (also out of bounds) and triggers in words (N,) uint16."""
    events = 0
    triggers = 0
    for i in range(len(words)):
        kind = words[i] >> 12
        payload = words[i] & 0xFFF
        pixels = np.uint16(payload if kind == VECT_12 else payload & 0xFF if kind == VECT_8
                           else kind == ADDR_X)
        # Bits are summed in pairs, fours and eights, so that the compiler can vectorize it.
        pixels -= (pixels >> np.uint16(1)) & np.uint16(0x5555)
        pixels = (pixels & np.uint16(0x3333)) + ((pixels >> np.uint16(2)) & np.uint16(0x3333))
        pixels = (pixels + (pixels >> np.uint16(4))) & np.uint16(0x0F0F)
        events += (pixels + (pixels >> np.uint16(8))) & 0x1F
        triggers += kind == EXT_TRIGGER
    return events, triggers


@njit(cache=True, nogil=True)
def decode_evt3_into(events: np.ndarray, triggers: np.ndarray, words: np.ndarray,
                     state: Evt3State, width: int, height: int
                     ) -> tuple[int, int, tuple[int, int, int, int, int, bool, bool, int]]:
    """Decode words; return the numbers of events and triggers written, and the next state.

    Args:
        events: (N + 1, 2) int64, written; each row is an EVENT_DTYPE record. The last row is space
            for an event that is written before it is known to be valid.
        triggers: (M, 2) int64, written; each row is a TRIGGER_DTYPE record.
        words: whole words of a packet, uint16.
        state: Evt3State after the previous packet.
        width: sensor width [px]; events outside are dropped.
        height: sensor height [px].
    """
    high, low, y, base, polarity, joined, high_seen, before = state
    if before != NONE:
        high, before = _confirmed(words, 0, before, high)
    start = 0
    while not joined and start < len(words):  # before a time nothing is valid, not even rows
        kind = words[start] >> 12
        payload = np.int64(words[start] & 0xFFF)
        if kind == TIME_HIGH:
            high = _nearest_high(high + low, payload << 12)
            high_seen = True
        elif kind == TIME_LOW and high_seen:
            low = payload
            joined = True
        start += 1
    time = high + low
    row = y << 16
    limit = width if y < height else 0  # 0: this row is outside the sensor
    sign = polarity << 32
    count = 0
    count_triggers = 0
    while start < len(words):
        words = words[start:]  # indices from 0 need no check for negative ones
        start = len(words)
        for i in range(len(words)):
            kind = words[i] >> 12
            payload = np.int64(words[i] & 0xFFF)
            if kind | ADDR_X == ADDR_X:  # or ADDR_Y: an unpredictable branch
                address = payload & 0x7FF
                events[count, 0] = time
                events[count, 1] = address | row | (payload & 0x800) << 21
                is_row = kind == ADDR_Y
                count += (not is_row) & (address < limit)
                row = address << 16 if is_row else row
                limit = (width if address < height else 0) if is_row else limit
            elif kind == TIME_LOW:
                low = payload
                time = high + low
            elif kind == TIME_HIGH:
                step = (payload << 12) - (high & TURN - 1)
                if step < 0 or step > STEP_BACK:  # rare: handled outside to keep the loop fast
                    start = i + 1
                    break
                high += step
                time = high + low
            elif kind == VECT_BASE_X:
                base = payload & 0x7FF
                sign = (payload & 0x800) << 21
            elif kind in (VECT_12, VECT_8):
                mask = payload if kind == VECT_12 else payload & 0xFF
                while mask:
                    x = base + trailing_zeros(mask)
                    mask &= mask - 1
                    events[count, 0] = time
                    events[count, 1] = x | row | sign
                    count += x < limit
                base += 12 if kind == VECT_12 else 8
            elif kind == EXT_TRIGGER:
                triggers[count_triggers, 0] = time
                triggers[count_triggers, 1] = payload >> 8 | (payload & 1) << 8
                count_triggers += 1
        high, before = _jump(words, start, high, before)
        time = high + low
    return count, count_triggers, (
        high, low, row >> 16, base, sign >> 32, joined, high_seen, before)


@njit(cache=True, nogil=True)
def _step(high: int, new: int) -> int:
    """Return the time [us] from `high` to a HIGH word of `new` [us], with wraps.

    It is at least -STEP_BACK; a step back may cross a wrap, but not the start of the clock.
    """
    step = ((new - high + STEP_BACK) & TURN - 1) - STEP_BACK
    return step + TURN if high + step < 0 else step


@njit(cache=True, nogil=True)
def _jump(words: np.ndarray, start: int, high: int, before: int) -> tuple[int, int]:
    """Return HIGH after the word before `start`, and the previous HIGH if still undecided."""
    if words[start - 1] >> 12 != TIME_HIGH:
        return high, before
    step = _step(high, np.int64(words[start - 1] & 0xFFF) << 12)
    if step <= STEP_BACK:
        return high + step, NONE
    return _confirmed(words, start, high, high + step)


@njit(cache=True, nogil=True)
def _confirmed(words: np.ndarray, start: int, before: int, high: int) -> tuple[int, int]:
    """Return HIGH after a jump from `before` to `high`, and the previous HIGH if still undecided.

    Args:
        words: words of the packet.
        start: index of the word after the jump.
        before: HIGH before the jump [us].
        high: HIGH after the jump [us].
    """
    for i in range(start, len(words)):
        if words[i] >> 12 == TIME_HIGH:
            new = np.int64(words[i] & 0xFFF) << 12
            onward = _step(high, new)
            is_detour = onward > STEP_BACK and high - before + onward != _step(before, new)
            # Version 0.1.0 encoded long pauses as a series of half periods within a packet.
            is_series = 0 < i == start and high - before == TURN // 2
            return (before if is_detour and not is_series else high), NONE
    return high, before


@njit(cache=True, nogil=True)
def _nearest_high(expected: int, new: int) -> int:
    """Return the time [us] nearest to `expected` that a HIGH word of `new` [us] can denote."""
    roll_overs = (expected - new + (1 << (TIME_BITS - 1))) >> TIME_BITS
    return (max(roll_overs, 0) << TIME_BITS) + new


def after_gap(state: Evt3State, elapsed_us: int) -> Evt3State:
    """Return the state after lost words or a long pause.

    Row and vector are unknown until they are sent again, and events are valid only after the next
    HIGH and LOW. The words do not contain the number of wraps in between: the time nearest to
    `elapsed_us` after the last time is used.
    """
    return Evt3State(state.high_us + elapsed_us, state.low_us, UNKNOWN, UNKNOWN)


def _decode(words: np.ndarray, state: Evt3State, size: tuple[int, int],
            time_base_ns: int) -> tuple[Decoded, Evt3State]:
    """Decode one packet; the time base is not used."""
    found = records(*count_evt3(words))
    events, triggers, after = decode_evt3_into(
        pairs(found.events), pairs(found.triggers), words, state, *size)
    return Decoded(found.events[:events], found.triggers[:triggers]), Evt3State(*after)


CODEC = Codec(word_bytes=2, address_bits=11, decode=_decode, start=Evt3State(),
              after_gap=after_gap, period_us=TURN)
