# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Definition of an event encoding: its words, and their decoder as a pure function."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.events.event_array import EVENT_DTYPE, TRIGGER_DTYPE


class Decoded(NamedTuple):
    """Contents of one packet, in the order of its words."""

    events: np.ndarray  # (N,) of EVENT_DTYPE
    triggers: np.ndarray  # (M,) of TRIGGER_DTYPE


Decode = Callable[[np.ndarray, Any, tuple[int, int], int], tuple[Decoded, Any]]
"""Decodes words (W,) of one packet: from (words, state, (width, height) [px], time base [ns]) to
the contents and the state for the next packet. Any words are accepted; events outside the sensor
and unknown words are dropped."""


def unchanged(state: Any, elapsed_us: int) -> Any:
    """Return the unchanged state, for decoders that are not affected by lost packets."""
    return state


class Codec(NamedTuple):
    """The decoder of one encoding of packets or .raw files."""

    word_bytes: int  # size of a word, an unsigned little-endian integer
    address_bits: int  # bits of x and y, which limit the sensor size
    decode: Decode
    start: Any = None  # state before the first packet
    after_gap: Callable[[Any, int], Any] = unchanged  # (state, time since the last packet [us])
    period_us: int = 0  # period of the clock in the words; 0: it does not wrap
    in_packets: bool = True  # False: used only in files


def records(events: int, triggers: int = 0) -> Decoded:
    """Allocate space for the given numbers of events and triggers.

    It includes one extra event, for kernels that write an event before it is known to be valid.
    """
    return Decoded(np.empty(events + 1, EVENT_DTYPE), np.empty(triggers, TRIGGER_DTYPE))


def pairs(array: np.ndarray) -> np.ndarray:
    """Return a view of 16-byte records as (N, 2) int64, which kernels write in two stores."""
    return array.view(np.int64).reshape(-1, 2)
