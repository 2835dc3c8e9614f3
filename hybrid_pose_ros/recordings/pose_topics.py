# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the tracker's poses are in a bag: one by one, packet by packet, or both.

Nodes may have been in a namespace: topics are told by how their names end.
"""

from collections.abc import Iterable
from typing import Any

SKELETON = '/snn_tracker/skeleton'
SKELETONS = '/snn_tracker/skeletons'
POSES = (SKELETON, SKELETONS)


def one_of(topic: str, names: Iterable[str]) -> str | None:
    """Return which of the names a topic has, in whatever namespace; None for none of them."""
    return next((name for name in names if topic.endswith(name)), None)


def poses_of(topic: str, message: Any) -> list[Any]:
    """Return the Skeleton2D messages that a message of one of POSES is, or holds."""
    return list(message.skeletons) if topic.endswith(SKELETONS) else [message]
