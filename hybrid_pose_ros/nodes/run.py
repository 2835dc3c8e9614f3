# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The entry point that all nodes share: construct, spin, shut down in order."""

import sys
from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from hybrid_pose_ros.errors import InputError


def run(node_class: Callable[[], Node]) -> int:
    """Spin one node until it is told to stop; return the exit status.

    A user's mistake (a parameter, a file) is one line on stderr and status 1.
    """
    rclpy.init()  # its signal handlers turn SIGINT and SIGTERM into the end of spin()
    node = None
    try:
        node = node_class()
        # Not EventsExecutor: in Jazzy's wheels its spin() was seen to call no timer and to keep the
        # interpreter's lock; it would save a third of the overhead of a callback.
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except InputError as error:
        print(f'{node_class.__name__}: {error}', file=sys.stderr)
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
