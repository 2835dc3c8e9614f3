# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ANN's poses at given times of a recording."""

import numpy as np

from hybrid_pose_ros.evaluation.offline_graph import Ann
from hybrid_pose_ros.pose.skeleton import JOINTS


def ann_at(ann: Ann, instants_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return joints (T, J, 2) [px], NaN with too few events, and confidence (T, J), then 0."""
    joints_px = np.full((len(instants_us), len(JOINTS), 2), np.nan, np.float32)
    confidence = np.zeros(joints_px.shape[:2], np.float32)
    for index, instant_us in enumerate(instants_us):
        seen = ann.look(int(instant_us))
        if seen is not None:
            joints_px[index], confidence[index] = seen.joints_px, seen.confidence
    return joints_px, confidence
