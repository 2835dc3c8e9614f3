# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who gets a core first: the tracker must keep up with the camera, others can wait."""

import os
from contextlib import suppress
from pathlib import Path


def stand_back(niceness: int) -> None:
    """Let other threads go first by so much; those that this one starts do likewise.

    Below 0 it goes first itself, where the user may set that.
    """
    with suppress(PermissionError):
        os.nice(niceness)


def make_realtime(priority: int) -> bool:
    """Let all threads of this process go before those of ordinary ones; return whether they may.

    The system leaves ordinary processes 5 % of a core that such a process would use up.

    Args:
        priority: 1 to 99, of SCHED_RR.
    """
    try:
        for thread in Path('/proc/self/task').iterdir():
            with suppress(ProcessLookupError):  # it has just ended
                os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(priority))
    except PermissionError:
        return False
    return True
