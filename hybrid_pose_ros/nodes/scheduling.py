# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scheduling priorities: the tracker must keep up with the camera; other nodes can wait."""

import os
from contextlib import suppress
from pathlib import Path


def stand_back(niceness: int) -> None:
    """Lower the priority of this thread, and of threads that it starts, by `niceness`.

    A negative value raises the priority, if the user is permitted to do so.
    """
    with suppress(PermissionError):
        os.nice(niceness)


def make_realtime(priority: int) -> bool:
    """Schedule all threads of this process as real-time; return whether this was permitted.

    By default, Linux reserves 5 % of each core's time for other processes.

    Args:
        priority: SCHED_RR priority, 1 to 99.
    """
    try:
        for thread in Path('/proc/self/task').iterdir():
            with suppress(ProcessLookupError):  # the thread has just exited
                os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(priority))
    except PermissionError:
        return False
    return True
