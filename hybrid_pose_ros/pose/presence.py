# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a person is visible: the mean confidence of the joints, smoothed over time.

The networks mistake noise and objects for a person only briefly, whereas a person stays.
"""

import numpy as np

TAU_US = 300_000
"""Time constant of the smoothing."""

LEAST_PRESENCE = 0.35
"""Minimum presence at which a person is reported; for measurements see docs/tracking.md."""


class PersonPresence:
    """The presence of a person in one stream of poses."""

    def __init__(self) -> None:
        """Start without a pose."""
        self._presence = 0.0
        self._stamp_us: int | None = None

    def update(self, confidence: np.ndarray, stamp_us: int) -> float:
        """Return the presence, 0 to 1, after a pose.

        Args:
            confidence: confidence of each joint, (J,), 0 to 1.
            stamp_us: sensor time of the pose; if it does not increase, earlier poses are
                discarded.
        """
        mean = float(np.mean(confidence))
        if self._stamp_us is None or stamp_us <= self._stamp_us:
            self._presence = mean
        else:
            gain = -np.expm1((self._stamp_us - stamp_us) / TAU_US)
            self._presence += float(gain) * (mean - self._presence)
        self._stamp_us = stamp_us
        return self._presence


def presence_of(confidence: np.ndarray, stamps_us: np.ndarray) -> np.ndarray:
    """Return the presence (N,) after each of N poses of a stream with confidence (N, J)."""
    person = PersonPresence()
    return np.array([person.update(one, int(stamp_us))
                     for one, stamp_us in zip(confidence, stamps_us)], float)
