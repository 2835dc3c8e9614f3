# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of the tracker node that depend on the task: the tracker and the topics.

The weights determine the task; packets, states, replay and reports are the same for all.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from hybrid_pose_ros.nodes.result_topic import ResultTopic
from hybrid_pose_ros.nodes.skeleton_topics import SkeletonTopics
from hybrid_pose_ros.tasks.table import TASKS
from hybrid_pose_ros.tracking.pose_tracker import PoseTracker
from hybrid_pose_ros.tracking.task_tracker import TaskTracker


class TaskParts(NamedTuple):
    """The classes that run a task."""

    tracker: type[PoseTracker]
    topics: Callable[..., SkeletonTopics | ResultTopic]  # of a node and `throttle_hz`


def parts_of(task: str) -> TaskParts:
    """Return what runs a task, by the name that weights have for it."""
    if TASKS[task].read is None:
        return TaskParts(PoseTracker, SkeletonTopics)
    return TaskParts(TaskTracker, partial(ResultTopic, task=task))
