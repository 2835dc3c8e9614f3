# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint positions that poses of the ANN correct, and motion from the SNN carries on.

A pose of the ANN is a measurement whose noise follows from its confidence: a doubtful joint moves
the track little, a repeated one moves it all the way:

    track at t0 ──► + gain * (ANN at t0 - track at t0) ──► + (SNN at t - ANN at t0) ──► track at t

The SNN begins at the ANN's own pose, so the difference is the motion that its events show. The
farther that pose is from the corrected track, the likelier the SNN follows something else, and
the less of its motion counts.
"""

import math

import numpy as np

from hybrid_pose_ros.pose.skeleton import JOINTS

NOISE_CELLS = 1.0
"""Standard deviation of a joint that the ANN is certain of, in cells of the network's input."""

SPAN = math.log(500)
"""Its logarithm grows by this from confidence 1 to 0."""

DRIFT_CELLS2_S = 3_000.0
"""Variance that a track gains per second, as motion is not followed perfectly."""

FOLLOWED_CELLS = 2.5
"""Distance of the ANN's pose from the corrected track at which 1/e of the SNN's motion counts.

All four values were tuned on recordings that are scored nowhere (docs/tracking.md).
"""

NEVER_US = np.iinfo(np.int64).min


class JointFusion:
    """The track of one stream; stamps are sensor times at the ends of time bins."""

    def __init__(self, step_us: int, kept_steps: int, cell_px: float):
        """Start without a track.

        Args:
            step_us: length of a time bin.
            kept_steps: how many bins back a pose of the ANN may be.
            cell_px: size of a cell of the network's input [px].
        """
        self._step_us, self._cell_px = step_us, cell_px
        joints = len(JOINTS)
        self._stamps_us = np.full(kept_steps + 1, NEVER_US)  # of the past track
        self._past_px = np.zeros((kept_steps + 1, joints, 2), np.float32)
        self._corrected_us = 0
        self._variance = np.zeros(joints)  # of the track at that time [cells2]
        self._track_px = np.zeros((joints, 2), np.float32)  # at that time
        self._seen_px = np.zeros((joints, 2), np.float32)  # by the ANN then
        self._followed = np.ones(joints)  # share of the SNN's motion that counts

    def correct(self, seen_us: int, seen_px: np.ndarray, confidence: np.ndarray) -> None:
        """Correct the track by a pose of the ANN; the SNN's joints start from that pose.

        Args:
            seen_us: the pose is of the events before.
            seen_px: joints (J, 2).
            confidence: of each, 0 to 1.
        """
        noise = (NOISE_CELLS * np.exp(SPAN * (1 - confidence))) ** 2
        before_px = self._track_at(seen_us)
        if before_px is None:
            self._track_px, self._variance = seen_px.astype(np.float32), noise
        else:
            elapsed_s = max(0, seen_us - self._corrected_us) * 1e-6
            variance = self._variance + DRIFT_CELLS2_S * elapsed_s
            gain = variance / (variance + noise)
            self._track_px = (before_px + gain[:, None] * (seen_px - before_px)).astype(np.float32)
            self._variance = gain * noise
        self._seen_px = seen_px.astype(np.float32)
        self._corrected_us = seen_us
        apart_cells = np.linalg.norm(self._seen_px - self._track_px, axis=1) / self._cell_px
        self._followed = np.exp(-(apart_cells / FOLLOWED_CELLS) ** 2)

    def carry(self, network_px: np.ndarray) -> np.ndarray:
        """Return the track (J, 2) float32 [px] where the SNN sees the joints at `network_px`."""
        moved_px = self._followed[:, None] * (network_px - self._seen_px)
        return (self._track_px + moved_px).astype(np.float32)

    def remember(self, stamp_us: int, joints_px: np.ndarray) -> None:
        """Keep the track at the end of a bin, for poses of the ANN that come late."""
        place = stamp_us // self._step_us % len(self._stamps_us)
        self._stamps_us[place], self._past_px[place] = stamp_us, joints_px

    def _track_at(self, at_us: int) -> np.ndarray | None:
        """Return the last kept track up to a time; None where there is none."""
        known = np.flatnonzero((self._stamps_us > NEVER_US) & (self._stamps_us <= at_us))
        if not len(known):
            return None
        return self._past_px[known[np.argmax(self._stamps_us[known])]]
