# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of all nodes: construct, spin, and shut down in order."""

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
"""A hung node is terminated this long after SIGINT; launch sends SIGTERM after 5 s."""

MAKING_S = 1.0
"""The same for a node under construction, which has nothing to save but may compile kernels."""


def run(node_class: Callable[[], Node], *, niceness: int = 0, stop_s: float = STOP_S) -> int:
    """Spin one node until SIGINT or SIGTERM; return the exit status.

    User errors (an argument, a parameter, a file, a missing module) are reported in one line on
    stderr, with exit status 1.

    Args:
        node_class: class of the node.
        niceness: niceness of the process (`scheduling.py`).
        stop_s: time allowed for a constructed node to exit after the first signal.
    """
    node, stopping = None, False

    def on_signal(*_) -> None:
        # Do not raise an exception: rclpy's own handler ends spin(), and this handler can run at
        # any instruction, including in library callbacks and during shutdown.
        nonlocal stopping
        if not stopping:
            stopping = True
            end_within(MAKING_S if node is None else stop_s, 0)

    handle(on_signal)
    stand_back(niceness)
    try:
        _init()
        # EventsExecutor is not used: with the wheels of Jazzy, its spin() called no timers and
        # held the GIL. It would save a third of the overhead per callback.
        executor = SingleThreadedExecutor()
        if not stopping:
            node = node_class()
            gc.freeze()  # a collection of all imported objects would block the node for 50 ms
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
        # Stopped during construction; ROS calls fail after shutdown.
    finally:
        if node is not None:
            node.destroy_node()
        shut_down(rclpy.get_default_context())
    return 0


def shut_down(context: Context) -> None:
    """Shut down ROS in this process, even if a signal handler does so at the same time."""
    try:
        context.try_shutdown()
    except RuntimeError:
        if context.ok():
            raise


def _choose_log_folder() -> None:
    """Write ROS log files to a temporary folder if the home folder is not writable."""
    if not any(os.environ.get(name) for name in ('ROS_LOG_DIR', 'ROS_HOME')):
        try:
            check_folder(Path(os.environ['HOME']) / '.ros' / 'log')
        except (KeyError, InputError):
            os.environ['ROS_LOG_DIR'] = cache_folder()


def _init() -> None:
    """Initialize ROS, whose signal handlers end spin() on SIGINT and SIGTERM.

    Raises:
        InputError: the command line has invalid ROS arguments.
    """
    _choose_log_folder()
    set_logger_level('rcl', LoggingSeverity.FATAL)  # otherwise it also logs the exception text
    try:
        rclpy.init()
    except RuntimeError as error:
        raise InputError(str(error).split(', at /')[0]) from error
    if get_logger_effective_level('rcl') == LoggingSeverity.FATAL:
        set_logger_level('rcl', LoggingSeverity.UNSET)
    if unknown := remove_ros_args(sys.argv)[1:]:
        raise InputError(f'unknown argument {unknown[0]}: set parameters with '
                         '--ros-args -p NAME:=VALUE')
