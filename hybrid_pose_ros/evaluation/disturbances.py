# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Makes event streams sparser, denser or noisier; input and output are sorted by time."""

import numpy as np

from hybrid_pose_ros.events.event_array import event_array

DOUBLE_US = 1_000
"""Maximum time difference between an event and its copy."""


def scaled(events: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    """Return `factor` times as many events: some are dropped, or copies are added nearby in time.

    Args:
        events: (N,) of EVENT_DTYPE, sorted by time.
        factor: from 0 to 1, events are dropped at random; above 1, events are copied in their
            pixel.
        rng: random generator for dropped events and for the times of copies.
    """
    whole = int(factor)
    copies = whole + (rng.random(len(events)) < factor - whole)
    result = np.repeat(events, copies)
    first = np.cumsum(copies) - copies
    is_copy = np.ones(len(result), bool)
    is_copy[first[copies > 0]] = False
    shift_us = rng.integers(-DOUBLE_US, DOUBLE_US + 1, int(is_copy.sum()))
    result['t'][is_copy] = np.maximum(result['t'][is_copy] + shift_us, 0)
    return result[np.argsort(result['t'], kind='stable')]


def with_noise(events: np.ndarray, rate_hz: float, width: int, height: int,
               rng: np.random.Generator) -> np.ndarray:
    """Return the events plus random ones, `rate_hz` per pixel of the sensor."""
    if not len(events) or rate_hz == 0:
        return events
    start_us, end_us = int(events['t'][0]), int(events['t'][-1])
    count = rng.poisson(rate_hz * width * height * (end_us - start_us) * 1e-6)
    noise = event_array(rng.integers(start_us, end_us + 1, count),
                        rng.integers(0, width, count), rng.integers(0, height, count),
                        rng.integers(0, 2, count))
    both = np.concatenate([events, noise])
    return both[np.argsort(both['t'], kind='stable')]
