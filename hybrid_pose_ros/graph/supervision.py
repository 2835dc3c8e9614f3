# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Supervises the processes of a graph without `ros2 launch`: start, restart, orderly stop."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from hybrid_pose_ros.graph.description import NodeSpec, command
from hybrid_pose_ros.interrupts import handling
from hybrid_pose_ros.transport.segment import collect_stale

STOP_S = 10.0
"""A process that has not exited this long after SIGINT is killed, as `ros2 launch` does."""

PR_SET_PDEATHSIG = 1
"""prctl(2): signal that a process receives when its parent dies."""

LIBC = ctypes.CDLL(None) if sys.platform == 'linux' else None

RESTARTS = 5
"""Maximum number of restarts of a node."""


class Supervisor:
    """Runs one process per node, each with its own log file, and restarts those that die.

    Nodes are identified by their names including the namespace, such as left/snn_tracker.
    """

    def __init__(self, nodes: Iterable[NodeSpec], *, params_file: Path | None = None,
                 logs: Path | None = None, environment: Mapping[str, str] | None = None):
        """Prepare without starting any node. Without `logs`, the nodes write to this terminal."""
        self._commands = {node.full_name: command(node, params_file) for node in nodes}
        self._logs = {} if logs is None else {
            name: logs / f'{name.replace("/", ".")}.log' for name in self._commands}
        self._environment = environment
        self._processes: dict[str, subprocess.Popen] = {}
        self._stopped: set[str] = set()  # nodes that exited by themselves or were stopped
        self.restarts = dict.fromkeys(self._commands, 0)

    def start(self) -> None:
        """Start all nodes."""
        for name in self._commands:
            self._start(name)

    def pid(self, name: str) -> int:
        """Return the process id of a node."""
        return self._processes[name].pid

    def log(self, name: str) -> Path:
        """Return the log file of a node; requires `logs`."""
        return self._logs[name]

    def check(self) -> dict[str, int]:
        """Restart nodes that were killed; return the exit statuses of those that have exited.

        Nodes that exited with status 0, or failed to start (1), are not restarted.
        """
        for name, process in self._processes.items():
            status = process.poll()
            if status is None or name in self._stopped:
                continue
            if status < 0 and self.restarts[name] < RESTARTS:
                self.restarts[name] += 1
                self._start(name)
            else:
                self._stopped.add(name)
        return {name: self._processes[name].returncode for name in self._stopped}

    def stop(self, names: Iterable[str] | None = None) -> None:
        """Stop some or all nodes and wait; kill those that do not exit.

        Shared memory left behind by killed nodes is removed.
        """
        names = [name for name in (names or self._processes) if name in self._processes]
        self._stopped.update(names)
        for name in names:
            if self._processes[name].poll() is None:
                self._processes[name].send_signal(signal.SIGINT)
        deadline = time.monotonic() + STOP_S
        for name in names:
            try:
                self._processes[name].wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._processes[name].kill()
                self._processes[name].wait()
        collect_stale()

    def __enter__(self) -> 'Supervisor':
        """Start the nodes; from then on SIGTERM acts like Ctrl-C, so that it also stops them."""
        self._interruptible = handling(signal.default_int_handler)
        self._interruptible.__enter__()
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception) -> None:
        with handling(signal.SIG_IGN):  # a second Ctrl-C would leave nodes behind
            self.stop()
        self._interruptible.__exit__(None, None, None)

    def _start(self, name: str) -> None:
        log, output = self._logs.get(name), None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            output = log.open('ab')
        self._processes[name] = subprocess.Popen(
            self._commands[name], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=self._environment, preexec_fn=_part)
        if output is not None:
            output.close()


def _part() -> None:
    """Prepare the process of a node so that only its supervisor stops it.

    The process has its own process group, so that Ctrl-C reaches only the supervisor, which stops
    the nodes in order. It does not have its own session, because Linux may divide a core between
    sessions first (autogroup), and niceness has no effect between sessions. If the supervisor is
    killed, the node receives SIGINT; otherwise it would keep running unsupervised. SIGINT is reset
    to its default, because background jobs of scripts ignore it and children inherit this.
    """
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
