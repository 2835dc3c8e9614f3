# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the tracker's poses are in a bag: one by one, packet by packet, or both."""

from typing import Any

SKELETON = '/snn_tracker/skeleton'
SKELETONS = '/snn_tracker/skeletons'
POSES = (SKELETON, SKELETONS)


def poses_of(topic: str, message: Any) -> list[Any]:
    """Return the Skeleton2D messages that a message of one of POSES is, or holds."""
    return list(message.skeletons) if topic == SKELETONS else [message]
