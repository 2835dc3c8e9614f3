# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread of a node whose failure terminates the process."""

import threading
from collections.abc import Callable

from rclpy.node import Node

from hybrid_pose_ros.nodes.run import shut_down


class Worker:
    """Runs a function in a thread; if it raises an exception, the process exits with status 1."""

    def __init__(self, node: Node, work: Callable[[], None]):
        """Start the thread. On exit, the process does not wait for it unless `join` is called."""
        self._context = node.context
        self._work = work
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=work.__name__, daemon=True)
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until the function has returned; the caller must have requested it to stop."""
        self._thread.join(timeout_s)

    def raise_failure(self) -> None:
        """Raise the exception that terminated the function, if any."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            # After a shutdown all ROS calls fail, including a publish call in progress.
            if self._context.ok():
                self._failure = error
                shut_down(self._context)
