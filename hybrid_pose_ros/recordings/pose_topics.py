# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics of a recorded graph and their message types.

Nodes may have run in a namespace, so topics are recognized by the last parts of their names. Poses
may be recorded individually, per packet, or both.
"""

from collections.abc import Iterable
from typing import Any

SKELETON = '/snn_tracker/skeleton'
SKELETONS = '/snn_tracker/skeletons'
POSES = (SKELETON, SKELETONS)
TRUTH = '/event_player/ground_truth'
STATE = '/ann_initializer/state'
WORLD = '/triangulator/skeleton'
DIAGNOSTICS = '/diagnostics'

TYPES = {SKELETON: 'hybrid_pose_ros/msg/Skeleton2D',
         SKELETONS: 'hybrid_pose_ros/msg/Skeleton2DArray',
         TRUTH: 'hybrid_pose_ros/msg/Skeleton2D',
         STATE: 'hybrid_pose_ros/msg/StateTensors',
         WORLD: 'hybrid_pose_ros/msg/Skeleton3D',
         DIAGNOSTICS: 'diagnostic_msgs/msg/DiagnosticArray'}


def one_of(topic: str, names: Iterable[str]) -> str | None:
    """Return which of the names a topic has, in any namespace; None if it has none."""
    return next((name for name in names if topic.endswith(name)), None)


def poses_of(topic: str, message: Any) -> list[Any]:
    """Return the Skeleton2D messages in a message of a topic from POSES."""
    return list(message.skeletons) if topic.endswith(SKELETONS) else [message]
