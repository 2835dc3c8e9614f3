# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Handling of SIGINT and SIGTERM during the whole lifetime of a process.

This module uses only the standard library, because the installed scripts import it before any slow
import. Scripts start with both signals blocked (see CMakeLists.txt), so that no signal arrives
before a handler is installed.
"""

import atexit
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)

INTERRUPTED = 130
"""Exit status of a command after Ctrl-C, by shell convention."""

LEAVE_S = 2.0
"""Time allowed for the interpreter to exit, which normally takes milliseconds."""

AGAIN_S = 0.5
"""A dropped KeyboardInterrupt is raised again after this time."""

SIGEV_THREAD = 2
"""timer_create(2): on expiry, call a function in a new native thread."""


class _SignalEvent(ctypes.Structure):
    """`struct sigevent` of Linux, for SIGEV_THREAD."""

    _fields_ = [('value', ctypes.c_void_p), ('signo', ctypes.c_int), ('notify', ctypes.c_int),
                ('function', ctypes.c_void_p), ('attributes', ctypes.c_void_p),
                ('padding', ctypes.c_char * 32)]


class _TimerSpec(ctypes.Structure):
    """`struct itimerspec`: interval and first expiry, each in s and ns."""

    _fields_ = [('interval_s', ctypes.c_long), ('interval_ns', ctypes.c_long),
                ('value_s', ctypes.c_long), ('value_ns', ctypes.c_long)]


Handler = Callable[..., Any] | signal.Handlers


class Interrupt:
    """A handler that raises an exception until it is caught, and terminates pool processes."""

    def __init__(self, exception: type[BaseException] = KeyboardInterrupt):
        """Create a handler that has not received a signal yet."""
        self.came = False
        self._exception = exception
        self._report = sys.unraisablehook

    def __call__(self, _: int = 0, frame: FrameType | None = None) -> None:
        """Handle a signal and the alarms that follow it.

        Python drops exceptions raised in finalizers and weak reference callbacks, and compiled
        code drops those raised in its callbacks; the alarm then raises the exception again. Code
        that handles the exception or reports a dropped one must not be interrupted.
        """
        if not self.came:
            self.came = True
            sys.unraisablehook = self._on_dropped
            if multiprocessing := sys.modules.get('multiprocessing'):
                for child in multiprocessing.active_children():
                    child.terminate()
            signal.signal(signal.SIGALRM, self)
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S, AGAIN_S)
        if sys.exc_info()[0] is None and not _is_in(Interrupt._on_dropped, frame):
            raise self._exception

    def end(self) -> None:
        """Stop the alarm once the exception has been caught."""
        if self.came:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            sys.unraisablehook = self._report

    def _on_dropped(self, unraisable: Any) -> None:
        """Report an exception dropped by Python, unless the alarm will raise it again."""
        if unraisable.exc_type is not self._exception:
            self._report(unraisable)


def _is_in(function: Callable[..., Any], frame: FrameType | None) -> bool:
    """Return whether a frame belongs to a call of a function, directly or indirectly."""
    while frame is not None and frame.f_code is not function.__code__:
        frame = frame.f_back
    return frame is not None


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Raise KeyboardInterrupt for both signals inside the block."""
    interrupt = Interrupt()
    with handling(interrupt):
        try:
            yield interrupt
        finally:
            interrupt.end()


def handle(handler: Handler) -> None:
    """Set the handler for both signals, even if they are ignored or blocked.

    Background jobs of a script, for example, start with SIGINT ignored.
    """
    for number in SIGNALS:
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextmanager
def handling(handler: Handler) -> Iterator[None]:
    """Set the handler for both signals inside the block."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    handle(handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def postponed() -> Iterator[Callable[[], bool]]:
    """Defer the first signal to the end of the block, where KeyboardInterrupt is then raised.

    A second signal is handled immediately, as before the block. Outside the main thread, where
    Python cannot set handlers, this has no effect.

    Yields:
        A function that returns whether a signal is pending.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {int(number): signal.getsignal(number) for number in SIGNALS}
    waiting: set[int] = set()

    def wait(number: int, frame: FrameType | None) -> None:
        handler = before[number]
        if number in waiting and callable(handler):
            handler(number, frame)
        waiting.add(number)

    with handling(wait):
        yield lambda: bool(waiting)
    if waiting:
        raise KeyboardInterrupt


def ending(status: int, line: str = '') -> Handler:
    """Return a handler that terminates the process, for use during imports.

    Args:
        status: exit status.
        line: line to print to stderr.
    """
    def end(*_) -> None:
        if line:
            os.write(2, f'{line}\n'.encode())
        os._exit(status)
    return end


def begin(interrupted: int) -> None:
    """Set up a process that exits immediately and silently with this status on both signals.

    It also sets the process name shown by `top` to that of the script, instead of `env`, which is
    used to block the signals.
    """
    with suppress(OSError), open('/proc/self/comm', 'w') as name:
        name.write(os.path.basename(sys.argv[0]))
    handle(ending(interrupted))


def end_worker_by_exit() -> None:
    """Raise SystemExit for both signals in a pool process, so that it removes partial files."""
    handle(Interrupt(SystemExit))


def end_within(seconds: float, status: int) -> None:
    """Terminate the process with a status if it is still running after this many seconds.

    A native timer calls `_exit`, because a Python thread would wait for the GIL, which a hung
    library may hold, and an alarm would change the exit status. Works only on Linux.
    """
    if sys.platform != 'linux':
        return
    libc = ctypes.CDLL(None)
    event = _SignalEvent(value=status, notify=SIGEV_THREAD,
                         function=ctypes.cast(libc._exit, ctypes.c_void_p))
    timer = ctypes.c_void_p()
    whole_s, rest_s = divmod(seconds, 1)
    spec = _TimerSpec(value_s=int(whole_s), value_ns=int(rest_s * 1e9))
    if libc.timer_create(time.CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) == 0:
        libc.timer_settime(timer, 0, ctypes.byref(spec), None)


def leave(status: int) -> NoReturn:
    """End the process without finalizing the interpreter, where native threads may hang."""
    end_within(LEAVE_S, status)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
