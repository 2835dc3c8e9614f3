# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Holds quiet joints: a person standing still triggers no events, so the network loses them.

A joint with few events around it keeps its position until events return.
"""

import math

import numpy as np

from hybrid_pose_ros.compiled import njit
from hybrid_pose_ros.representation.geometry import InputGeometry
from hybrid_pose_ros.tasks.skeleton import JOINTS

QUIET_US = 100_000
"""Time constant of the event rate near a joint."""

REACH = 0.05
"""Maximum distance in x and y from a joint to its events, as a fraction of the input height."""

RELEASE = 2
"""A held joint is released at this multiple of the holding event rate, to avoid flicker."""


class JointHolder:
    """Holds the quiet joints of one stream of poses."""

    def __init__(self, step_us: int, quiet_events_per_s: float):
        """Start with all joints moving.

        Args:
            step_us: length of a time bin.
            quiet_events_per_s: event rate below which a joint is held; 0: no joint is held.
        """
        self._step_us = step_us
        self.set_quiet(quiet_events_per_s)
        # Initial rate: without any events, a joint becomes quiet after QUIET_US.
        self._near = np.full(len(JOINTS), math.e * self._fewest)
        self._held = np.zeros(len(JOINTS), np.bool_)
        self._joints_px = np.zeros((len(JOINTS), 2), np.float32)

    def set_quiet(self, quiet_events_per_s: float) -> None:
        """Set the event rate below which joints are held, from the next pose on; 0: never."""
        self._fewest = quiet_events_per_s * 1e-6 * QUIET_US

    def hold_into(self, joints_px: np.ndarray, counts: np.ndarray, geometry: InputGeometry, *,
                  steps: int = 1, moved: bool = False) -> np.ndarray:
        """Move quiet joints back to their held positions; return which joints are held, (J,) bool.

        Args:
            joints_px: joints from the network, (J, 2) float32; modified in place.
            counts: events of the bin, (2, H, W).
            geometry: mapping of pixels to cells of the counts.
            steps: number of bins since the last call.
            moved: the state was reinitialized, so hold joints at their new positions.
        """
        kept = math.exp(-steps * self._step_us / QUIET_US)
        reach = max(1, round(REACH * geometry.height))
        place = *geometry.origin, geometry.cell_px
        _hold(joints_px, counts, place, reach, kept, self._fewest, moved, self._near, self._held,
              self._joints_px)
        return self._held.copy()


@njit(cache=True, nogil=True)
def _hold(joints_px, counts, place, reach, kept, fewest, moved, near, held, held_px):
    """Count events near the joints; write `joints_px`, `near`, `held` and `held_px`."""
    origin_x, origin_y, cell_px = place
    _, height, width = counts.shape
    for joint in range(len(joints_px)):
        if moved or not held[joint]:
            held_px[joint] = joints_px[joint]
        x = round((held_px[joint, 0] - origin_x + 0.5) / cell_px - 0.5)
        y = round((held_px[joint, 1] - origin_y + 0.5) / cell_px - 0.5)
        events = 0
        for channel in range(2):
            for row in range(max(0, y - reach), min(height, y + reach + 1)):
                for column in range(max(0, x - reach), min(width, x + reach + 1)):
                    events += counts[channel, row, column]
        near[joint] = kept * near[joint] + events
        held[joint] = near[joint] < (RELEASE * fewest if held[joint] else fewest)
        if held[joint]:
            joints_px[joint] = held_px[joint]
