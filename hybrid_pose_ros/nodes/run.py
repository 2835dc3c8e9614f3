# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The entry point that all nodes share: construct, spin, shut down in order."""

import gc
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.logging import (
    LoggingSeverity, get_logger_effective_level, set_logger_level)
from rclpy.node import Node
from rclpy.utilities import remove_ros_args

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.nodes.scheduling import stand_back


def run(node_class: Callable[[], Node], *, niceness: int = 0) -> int:
    """Spin one node until it is told to stop; return the exit status.

    A user's mistake (an argument, a parameter, a file) is one line on stderr and status 1.

    Args:
        node_class: of the node.
        niceness: how much the node stands back where cores are scarce (`scheduling.py`).
    """
    stand_back(niceness)
    node, making = None, True

    def on_interrupt(*_) -> None:
        # rclpy's own handler ends spin(). Python's would raise as well, wherever the process has
        # come to by then: while it ends, too.
        if making:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        _init()
        # Not EventsExecutor: in Jazzy's wheels its spin() was seen to call no timer and to keep
        # the interpreter's lock; it would save a third of the overhead of a callback.
        executor = SingleThreadedExecutor()
        node = node_class()
        gc.freeze()  # a collection of all that was imported would stop the node for 50 ms
        making = False
        executor.add_node(node)
        executor.spin()
    except InputError as error:
        print(f'{Path(sys.argv[0]).name}: {" ".join(str(error).split())}', file=sys.stderr)
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:
        if rclpy.ok():
            raise
        # Told to stop while it was being made: nothing of ROS works from that moment on.
    finally:
        making = False
        if node is not None:
            node.destroy_node()
        shut_down(rclpy.get_default_context())
    return 0


def shut_down(context: Context) -> None:
    """End a process's ROS, also where a signal does so at the same moment."""
    try:
        context.try_shutdown()
    except RuntimeError:
        if context.ok():
            raise


def _init() -> None:
    """Initialize ROS; its signal handlers turn SIGINT and SIGTERM into the end of spin().

    Raises:
        InputError: the command line is not one of ROS.
    """
    set_logger_level('rcl', LoggingSeverity.FATAL)  # it logs what the exception says anyway
    try:
        rclpy.init()
    except RuntimeError as error:
        raise InputError(str(error).split(', at /')[0]) from error
    if get_logger_effective_level('rcl') == LoggingSeverity.FATAL:
        set_logger_level('rcl', LoggingSeverity.UNSET)
    if unknown := remove_ros_args(sys.argv)[1:]:
        raise InputError(f'argument {unknown[0]} is not known: parameters are given as '
                         '--ros-args -p NAME:=VALUE')
