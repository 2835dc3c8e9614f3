# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What happens to bytes on their way: bits flip, runs are lost, doubled or come from elsewhere."""

from collections.abc import Sequence
from random import Random
from typing import Any

LONGEST_RUN = 64
EXTREMES = tuple(sorted({sign * (1 << bits) + step for bits in (0, 7, 8, 11, 15, 16, 31, 32, 40,
                                                               62, 63, 64)
                         for sign in (-1, 1) for step in (-1, 0, 1)}))
"""Integers at which something overflows."""


def mutated(rng: Random, original: bytes, other: bytes, *, most_bytes: int = 1 << 16) -> bytes:
    """Return the bytes with 1 to 8 things done to them; `other` is where splices come from.

    One in 64 has nothing to do with them.
    """
    if not rng.randrange(64):
        return rng.randbytes(rng.randrange(200))
    changed = bytearray(original)
    for _ in range(1 << rng.randrange(4)):
        rng.choice(_MUTATIONS)(rng, changed, other)
    return bytes(changed[:most_bytes])


def extreme(rng: Random, low: int, high: int) -> int:
    """Return an integer from low to high, one at the edge of a type more often than not."""
    if rng.randrange(4):
        value = rng.choice(EXTREMES)
        if low <= value <= high:
            return value
    return rng.choice((low, high, rng.randint(low, high)))


def sequence_mutated(rng: Random, original: Sequence, other: Sequence) -> list[Any]:
    """Return the items with one left out, doubled, moved or taken from another sequence."""
    changed = list(original)
    at = rng.randrange(len(changed) + 1)
    match rng.randrange(4):
        case 0:
            del changed[at:at + 1]
        case 1:
            changed[at:at] = changed[-1:]
        case 2:
            changed[at:] = reversed(changed[at:])
        case 3 if other:
            changed.insert(at, rng.choice(other))
    return changed


def _flip_bit(rng, changed, _):
    if changed:
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)


def _random_byte(rng, changed, _):
    if changed:
        changed[rng.randrange(len(changed))] = rng.randrange(256)


def _extreme_integer(rng, changed, _):
    size = rng.choice((1, 2, 4, 8))
    at = rng.randrange(len(changed) + 1)
    value = rng.choice(EXTREMES) % (1 << 8 * size)
    changed[at:at + size] = value.to_bytes(size, rng.choice(('little', 'big')))


def _truncate(rng, changed, _):
    del changed[rng.randrange(len(changed) + 1):]


def _remove_run(rng, changed, _):
    at = rng.randrange(len(changed) + 1)
    del changed[at:at + rng.randrange(LONGEST_RUN)]


def _insert_run(rng, changed, _):
    at = rng.randrange(len(changed) + 1)
    length = rng.randrange(LONGEST_RUN)
    changed[at:at] = rng.choice((bytes(length), b'\xff' * length, rng.randbytes(length)))


def _repeat_run(rng, changed, _):
    at = rng.randrange(len(changed) + 1)
    changed[at:at] = changed[at:at + rng.randrange(LONGEST_RUN)]


def _splice(rng, changed, other):
    at, start = rng.randrange(len(changed) + 1), rng.randrange(len(other) + 1)
    length = rng.randrange(LONGEST_RUN)
    changed[at:at + rng.choice((0, length))] = other[start:start + length]


_MUTATIONS = (_flip_bit, _flip_bit, _flip_bit, _random_byte, _extreme_integer, _extreme_integer,
              _truncate, _remove_run, _insert_run, _repeat_run, _splice)
