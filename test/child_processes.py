# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes of tests: each in a session that ends with the test, whatever happened in it.

They inherit the run's ROS domain and its default signal handling (`conftest.py`).
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from hybrid_pose_ros.transport.segment import segments_of

PATIENCE_S = 600.0
"""Only a process that hangs takes this long, however busy the machine is."""


@contextmanager
def started(*command: str | Path | float, cwd: Path | None = None,
            environment: Mapping[str, str] | None = None,
            stderr: int = subprocess.PIPE) -> Iterator[subprocess.Popen]:
    """Start a process with its output in pipes; kill what remains of its session at the end.

    At the deadline as well: a read that waits for the process's output then ends.

    Args:
        command: program and arguments.
        cwd: where it runs.
        environment: variables in addition to those of this process.
        stderr: as of `subprocess.Popen`.
    """
    process = subprocess.Popen(
        [str(word) for word in command], text=True, cwd=cwd, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=stderr, start_new_session=True,
        env=os.environ | (environment or {}))
    deadline = threading.Timer(PATIENCE_S, kill_session, [process.pid])
    deadline.start()
    try:
        with process:
            try:
                yield process
            finally:
                kill_session(process.pid)
    finally:
        deadline.cancel()
        deadline.join()


def finished(*command: str | Path | float, **options) -> subprocess.CompletedProcess[str]:
    """Return the status and the output of a process that ends by itself; options of `started`."""
    with started(*command, **options) as process:
        output, errors = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def python(script: str, *arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
    """Run a script in another interpreter until it ends by itself; options of `started`."""
    return finished(sys.executable, '-c', script, *arguments, **options)


def kill_session(leader: int) -> None:
    """Kill all processes of a session."""
    for pid in psutil.pids():
        with suppress(ProcessLookupError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)


def held(writers: Collection[int] = ()) -> set[str]:
    """Return the threads and child processes of this process, and the segments of it and others.

    Args:
        writers: process ids of the others.
    """
    return {*(f'thread {thread.name} {thread.ident}' for thread in threading.enumerate()),
            *(f'process {child.pid}' for child in psutil.Process().children(recursive=True)),
            *(f'segment {name}' for name in segments_of({os.getpid(), *writers}))}
