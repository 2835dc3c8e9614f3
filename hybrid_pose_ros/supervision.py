# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The graph's processes where `ros2 launch` is not at hand: start, restart, stop in order."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from hybrid_pose_ros.graph import NodeSpec, command
from hybrid_pose_ros.interrupts import handling
from hybrid_pose_ros.transport.segment import collect_stale

STOP_S = 10.0
"""A process that has not ended this long after SIGINT is killed, as `ros2 launch` does."""

PR_SET_PDEATHSIG = 1
"""Of prctl(2): the signal that a process gets when the one that started it is gone."""

LIBC = ctypes.CDLL(None) if sys.platform == 'linux' else None

RESTARTS = 5
"""A node that dies is started again, but not for ever."""


class Supervisor:
    """Runs one process a node, each with a log file of its own; restarts those that die.

    Nodes are told by their names with the namespace, as in left/snn_tracker.
    """

    def __init__(self, nodes: Iterable[NodeSpec], *, params_file: Path | None = None,
                 logs: Path | None = None, environment: Mapping[str, str] | None = None):
        """Prepare; nothing is started. Without `logs` the nodes write to this terminal."""
        self._commands = {node.full_name: command(node, params_file) for node in nodes}
        self._logs = logs
        self._environment = environment
        self._processes: dict[str, subprocess.Popen] = {}
        self._stopped: set[str] = set()  # that have ended by themselves or were told to
        self.restarts = dict.fromkeys(self._commands, 0)

    def start(self) -> None:
        """Start all nodes."""
        for name in self._commands:
            self._start(name)

    def pid(self, name: str) -> int:
        """Return the process of a node."""
        return self._processes[name].pid

    def log(self, name: str) -> Path:
        """Return where a node's output goes."""
        return self._logs / f'{name.replace("/", ".")}.log'

    def check(self) -> dict[str, int]:
        """Restart nodes that were killed; return the exit status of those that are done.

        A node that ended with status 0 is done, one that refused to start (1) too.
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
        """Tell nodes to stop, all or some, and wait; kill what does not.

        What a killed node has left in shared memory is removed.
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
        """Start the nodes; SIGTERM is like Ctrl-C from here on, or it would leave them behind."""
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
        output = None
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
            output = self.log(name).open('ab')
        self._processes[name] = subprocess.Popen(
            self._commands[name], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=self._environment, preexec_fn=_part)
        if output is not None:
            output.close()


def _part() -> None:
    """Make a process that is about to become a node one that its supervisor alone stops.

    A process group of its own: Ctrl-C reaches the supervisor alone, which then stops the nodes in
    order. No session of its own: Linux may share a core out between sessions first (autogroup),
    and the nodes' niceness would then count for nothing among them. Where the supervisor is
    killed, the nodes are interrupted, or they would go on with nobody to stop them. Background
    jobs of scripts ignore SIGINT, and a process inherits that.
    """
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
