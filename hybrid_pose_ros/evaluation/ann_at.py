# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ANN poses at given times of a recording."""

import numpy as np

from hybrid_pose_ros.tasks.skeleton import JOINTS
from hybrid_pose_ros.tracking.offline import RecordingAnn


def ann_at(ann: RecordingAnn, instants_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return joints (T, J, 2) [px] and confidence (T, J); with too few events, NaN and 0."""
    joints_px = np.full((len(instants_us), len(JOINTS), 2), np.nan, np.float32)
    confidence = np.zeros(joints_px.shape[:2], np.float32)
    for index, instant_us in enumerate(instants_us):
        state = ann.state_at(int(instant_us))
        if state is not None:
            joints_px[index], confidence[index] = state.joints_px, state.confidence
    return joints_px, confidence
