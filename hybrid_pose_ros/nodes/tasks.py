# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The task-dependent parts of the tracker node: the tracker and the topics.

The weights determine the task. Packets, states, replay and reports are the same for all tasks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic

from rclpy.node import Node

from hybrid_pose_ros.energy.sensors import MeasuredPower
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.nodes.result_topic import ResultTopic
from hybrid_pose_ros.nodes.skeleton_topics import SkeletonTopics
from hybrid_pose_ros.nodes.tracking_session import Topics, TrackingSession
from hybrid_pose_ros.tasks.table import TASKS
from hybrid_pose_ros.tracking.pose_tracker import Pose, PoseTracker
from hybrid_pose_ros.tracking.stream_tracker import Result, StreamTracker
from hybrid_pose_ros.tracking.task_tracker import Reading, TaskTracker
from hybrid_pose_ros.tracking.tracker_params import TrackerParams


@dataclass(frozen=True)
class TaskParts(Generic[Result]):
    """The classes that run a task."""

    tracker: type[StreamTracker[Result, Any]]
    topics: Callable[[Node, float], Topics[Result]]  # called with a node and `throttle_hz`

    def session(self, node: Node, params: TrackerParams, weights: Checkpoint, model: str,
                machine: MeasuredPower) -> TrackingSession[Result]:
        """Return a session of the node that uses these parts."""
        topics = self.topics(node, params.throttle_hz)
        return TrackingSession(node, params, weights, model, machine, self.tracker, topics)


def parts_of(task: str) -> TaskParts[Pose] | TaskParts[Reading]:
    """Return the tracker and topic classes for a task, given its name in the weights."""
    if TASKS[task].read is None:
        return TaskParts(PoseTracker, SkeletonTopics)
    return TaskParts(TaskTracker, partial(ResultTopic, task=task))
