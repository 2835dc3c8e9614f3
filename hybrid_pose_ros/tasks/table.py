# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All tasks, keyed by their name in weights. To add one, write a module and add an entry here."""

from hybrid_pose_ros.tasks import gesture
from hybrid_pose_ros.tasks.skeleton import JOINTS
from hybrid_pose_ros.tasks.task import Task

TASKS = {'pose': Task(JOINTS, 'Skeleton2D'), 'gesture': gesture.TASK}

RESULT_TOPICS = {name: task.message for name, task in TASKS.items() if task.read is not None}
"""Message types of topics `/snn_tracker/NAME`, for tasks other than poses."""
