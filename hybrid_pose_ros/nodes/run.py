# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The entry point that all nodes share: construct, spin, shut down in order."""

import gc
import os
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

from hybrid_pose_ros.compiled import cache_folder
from hybrid_pose_ros.entry import report
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.interrupts import end_within, handle
from hybrid_pose_ros.nodes.scheduling import stand_back
from hybrid_pose_ros.outputs import check_folder

STOP_S = 4.0
"""A node that hangs ends this long after SIGINT; launch sends SIGTERM after 5 s."""

MAKING_S = 1.0
"""A node that is being made has nothing to save, but may compile kernels for many seconds."""


def run(node_class: Callable[[], Node], *, niceness: int = 0, stop_s: float = STOP_S) -> int:
    """Spin one node until SIGINT or SIGTERM; return the exit status.

    A user's mistake (an argument, a parameter, a file, a module that is not installed) is one line
    on stderr and status 1.

    Args:
        node_class: of the node.
        niceness: how much the node stands back where cores are scarce (`scheduling.py`).
        stop_s: a node that was made has so long after the first signal to end.
    """
    node, stopping = None, False

    def on_signal(*_) -> None:
        # No exception: rclpy's own handler ends spin(), and this one runs at any instruction, of
        # a library's callback or of the node's end, too.
        nonlocal stopping
        if not stopping:
            stopping = True
            end_within(MAKING_S if node is None else stop_s, 0)

    handle(on_signal)
    stand_back(niceness)
    try:
        _init()
        # Not EventsExecutor: in Jazzy's wheels its spin() was seen to call no timer and to keep
        # the interpreter's lock; it would save a third of the overhead of a callback.
        executor = SingleThreadedExecutor()
        if not stopping:
            node = node_class()
            gc.freeze()  # a collection of all that was imported would stop the node for 50 ms
            executor.add_node(node)
        if not stopping:
            executor.spin()
    except (InputError, ModuleNotFoundError) as error:
        if not stopping:
            return report(error)
    except ExternalShutdownException:
        pass
    except Exception:
        if rclpy.ok() and not stopping:
            raise
        # Stopped while it was being made: nothing of ROS works from that moment on.
    finally:
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


def _choose_log_folder() -> None:
    """Let ROS write its log files to the temporary folder where it cannot write to the home."""
    if not any(os.environ.get(name) for name in ('ROS_LOG_DIR', 'ROS_HOME')):
        try:
            check_folder(Path(os.environ['HOME']) / '.ros' / 'log')
        except (KeyError, InputError):
            os.environ['ROS_LOG_DIR'] = cache_folder()


def _init() -> None:
    """Initialize ROS; its signal handlers turn SIGINT and SIGTERM into the end of spin().

    Raises:
        InputError: the command line is not one of ROS.
    """
    _choose_log_folder()
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
