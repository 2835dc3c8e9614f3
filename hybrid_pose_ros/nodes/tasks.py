# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the tracker's node does for each task: who reads the maps, and how that is published.

The weights decide which task it is; packets, states, replay and reports are the same.
"""

from typing import NamedTuple

from hybrid_pose_ros.gesture.tracker import GestureTracker
from hybrid_pose_ros.nodes.gesture_topic import GestureTopic
from hybrid_pose_ros.nodes.skeleton_topics import SkeletonTopics
from hybrid_pose_ros.pipeline import PoseTracker


class Task(NamedTuple):
    """The classes of a task."""

    tracker: type[PoseTracker]
    topics: type[SkeletonTopics] | type[GestureTopic]


TASKS = {'pose': Task(PoseTracker, SkeletonTopics), 'gesture': Task(GestureTracker, GestureTopic)}
"""By the name that presets have for them."""
