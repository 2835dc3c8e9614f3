# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that go first, where the user may have them so."""

from child_processes import python

SCRIPT = """
import os, threading
from pathlib import Path
from hybrid_pose_ros.nodes.scheduling import make_realtime
end = threading.Event()
threading.Thread(target=end.wait).start()
may = make_realtime(3)
tasks = [int(task.name) for task in Path('/proc/self/task').iterdir()]
is_realtime = [os.sched_getscheduler(task) == os.SCHED_RR for task in tasks]
later = threading.Thread(target=lambda: is_realtime.append(
    os.sched_getscheduler(0) == os.SCHED_RR))
later.start()
later.join()
end.set()
print(may, is_realtime)
"""


def test_all_threads_of_a_realtime_process_are_or_none_where_that_is_not_permitted():
    """Those that are started later are, too: a node's middleware starts some."""
    ended = python(SCRIPT)
    assert ended.stdout in (
        'True [True, True, True]\n', 'False [False, False, False]\n'), ended.stderr
