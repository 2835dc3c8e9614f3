# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fusion of both networks: ANN poses correct the joints, and the SNN adds their motion.

An ANN pose is a measurement whose noise depends on its confidence. A single uncertain joint barely
corrects the track, while repeated measurements correct it fully:

    track at t0 ──► + gain * (ANN at t0 - track at t0) ──► + (SNN at t - ANN at t0) ──► track at t

The SNN is initialized with the ANN pose, so the difference is the motion that it has observed in
the events. The farther the ANN pose is from the corrected track, the likelier it is that the SNN
follows something else, and the lower is the weight of its motion.
"""

import math

import numpy as np

from hybrid_pose_ros.tasks.skeleton import JOINTS

NOISE_CELLS = 1.0
"""Standard deviation of a joint with confidence 1 [cells of the network input]."""

SPAN = math.log(500)
"""Increase in the logarithm of the standard deviation from confidence 1 to confidence 0."""

DRIFT_CELLS2_S = 3_000.0
"""Process noise: increase of the track's variance per second."""

FOLLOWED_CELLS = 2.5
"""Distance between the ANN pose and the corrected track at which the SNN's motion has weight 1/e.
All four values were tuned on recordings that are not used for evaluation (docs/tracking.md).
"""

NEVER_US = np.iinfo(np.int64).min


class JointFusion:
    """The track of one stream; stamps are sensor times at the ends of time bins."""

    def __init__(self, step_us: int, kept_steps: int):
        """Start without a track.

        Args:
            step_us: length of a time bin.
            kept_steps: maximum age of an ANN pose [bins].
        """
        self._step_us = step_us
        joints = len(JOINTS)
        self._stamps_us = np.full(kept_steps + 1, NEVER_US)  # history of the track
        self._past_px = np.zeros((kept_steps + 1, joints, 2), np.float32)
        self._corrected_us = 0
        self._variance_px2 = np.zeros(joints)  # variance of the track at that time
        self._track_px = np.zeros((joints, 2), np.float32)  # track at that time
        self._seen_px = np.zeros((joints, 2), np.float32)  # ANN pose at that time
        self._followed = np.ones(joints)  # weight of the SNN's motion

    def correct(self, seen_us: int, seen_px: np.ndarray, confidence: np.ndarray,
                cell_px: float) -> None:
        """Correct the track with an ANN pose, from which the SNN continues.

        Args:
            seen_us: end of the events from which the pose was computed.
            seen_px: joints, (J, 2).
            confidence: confidence of each joint, 0 to 1.
            cell_px: size of a cell of the ANN input [px].
        """
        noise_px2 = (NOISE_CELLS * cell_px * np.exp(SPAN * (1 - confidence))) ** 2
        before_px = self._track_at(seen_us)
        if before_px is None:
            self._track_px, self._variance_px2 = seen_px.astype(np.float32), noise_px2
        else:
            elapsed_s = max(0, seen_us - self._corrected_us) * 1e-6
            variance = self._variance_px2 + DRIFT_CELLS2_S * cell_px ** 2 * elapsed_s
            gain = variance / (variance + noise_px2)
            self._track_px = (before_px + gain[:, None] * (seen_px - before_px)).astype(np.float32)
            self._variance_px2 = gain * noise_px2
        self._seen_px = seen_px.astype(np.float32)
        self._corrected_us = seen_us
        apart_cells = np.linalg.norm(self._seen_px - self._track_px, axis=1) / cell_px
        self._followed = np.exp(-(apart_cells / FOLLOWED_CELLS) ** 2)

    def carry(self, network_px: np.ndarray) -> np.ndarray:
        """Return the track (J, 2) float32 [px], given the SNN's joints `network_px`."""
        moved_px = self._followed[:, None] * (network_px - self._seen_px)
        return (self._track_px + moved_px).astype(np.float32)

    def remember(self, stamp_us: int, joints_px: np.ndarray) -> None:
        """Store the track at the end of a bin, for delayed ANN poses."""
        place = stamp_us // self._step_us % len(self._stamps_us)
        self._stamps_us[place], self._past_px[place] = stamp_us, joints_px

    def _track_at(self, at_us: int) -> np.ndarray | None:
        """Return the last stored track at or before a time; None if there is none."""
        known = np.flatnonzero((self._stamps_us > NEVER_US) & (self._stamps_us <= at_us))
        if not len(known):
            return None
        return self._past_px[known[np.argmax(self._stamps_us[known])]]
