# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of the tracker node that depend on the task: the tracker and the topics.

The weights determine the task; packets, states, replay and reports are the same for all.
"""

from typing import NamedTuple

from hybrid_pose_ros.nodes.gesture_topic import GestureTopic
from hybrid_pose_ros.nodes.skeleton_topics import SkeletonTopics
from hybrid_pose_ros.tracking.gesture_tracker import GestureTracker
from hybrid_pose_ros.tracking.pose_tracker import PoseTracker


class Task(NamedTuple):
    """The classes that implement a task."""

    tracker: type[PoseTracker]
    topics: type[SkeletonTopics] | type[GestureTopic]


TASKS = {'pose': Task(PoseTracker, SkeletonTopics), 'gesture': Task(GestureTracker, GestureTopic)}
"""Tasks by the name that presets use."""
