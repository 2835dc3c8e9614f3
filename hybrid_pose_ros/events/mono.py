# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""mono and trigger, the 64-bit words of old bags: nanoseconds since the packet's time base."""

import numpy as np

from hybrid_pose_ros.compiled import njit


@njit(cache=True, nogil=True)
def decode_mono_into(events, words, width, height, time_base_ns):
    """Decode words (N,) uint64; return the number of events written.

    `events` is (N + 1, 2) int64: an EVENT_DTYPE record is two of them.
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
def decode_trigger_into(triggers, words, time_base_ns):
    """Decode words (N,) uint64 into triggers (N, 2) int64: TRIGGER_DTYPE records."""
    for i in range(len(words)):
        word = np.int64(words[i])
        triggers[i, 0] = (time_base_ns + (word & 0xFFFFFFFF)) // 1000
        triggers[i, 1] = word >> 48 & 0xFF | (word >> 63 & 1) << 8
