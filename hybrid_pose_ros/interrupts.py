# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""SIGINT and SIGTERM from the first line of a process to its last.

Standard library only: the installed scripts import it before anything that takes time. They start
with both signals blocked (see CMakeLists.txt), so none arrives before there is a handler.
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
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)

INTERRUPTED = 130
"""Exit status of a command after Ctrl-C, as shells report it."""

LEAVE_S = 2.0
"""What runs at the exit of an interpreter takes milliseconds."""

AGAIN_S = 0.5
"""A KeyboardInterrupt that was dropped is raised again after this time."""

SIGEV_THREAD = 2
"""Of timer_create(2): the expired timer calls a function in a new native thread."""


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
    """A handler that raises an exception until it is caught, and ends processes of pools."""

    def __init__(self, exception: type[BaseException] = KeyboardInterrupt):
        """Wait for the first signal."""
        self.came = False
        self._exception = exception
        self._report = sys.unraisablehook

    def __call__(self, *_) -> None:
        """Handle a signal, also the alarm that follows it.

        Compiled code that calls back into Python, finalizers and weak references drop exceptions:
        the alarm raises it again. While it is on its way, nothing may break off what handles it.
        """
        if not self.came:
            self.came = True
            sys.unraisablehook = self._on_dropped
            if multiprocessing := sys.modules.get('multiprocessing'):
                for child in multiprocessing.active_children():
                    child.terminate()
            signal.signal(signal.SIGALRM, self)
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S, AGAIN_S)
        if sys.exc_info()[0] is None:
            raise self._exception

    def end(self) -> None:
        """Stop the alarm, once the exception has been caught."""
        if self.came:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            sys.unraisablehook = self._report

    def _on_dropped(self, unraisable: Any) -> None:
        """Report an exception that Python drops, unless the alarm raises it again."""
        if unraisable.exc_type is not self._exception:
            self._report(unraisable)


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Let both signals raise KeyboardInterrupt inside the block."""
    interrupt = Interrupt()
    with handling(interrupt):
        try:
            yield interrupt
        finally:
            interrupt.end()


def handle(handler: Handler) -> None:
    """Set the handler of both signals, including where they were ignored or blocked.

    A background job of a script, for instance, starts with SIGINT ignored.
    """
    for number in SIGNALS:
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextmanager
def handling(handler: Handler) -> Iterator[None]:
    """Set the handler of both signals inside the block."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    handle(handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def postponed() -> Iterator[Callable[[], bool]]:
    """Let the first signal wait for the end of the block, which raises KeyboardInterrupt then.

    The same signal again is handled at once, as before the block. In a thread other than the main
    one, where Python sets no handlers, nothing changes.

    Yields:
        A function that returns whether a signal is waiting.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before, waiting = {number: signal.getsignal(number) for number in SIGNALS}, set()

    def wait(number: int, frame: Any) -> None:
        if number in waiting and callable(before[number]):
            before[number](number, frame)
        waiting.add(number)

    with handling(wait):
        yield lambda: bool(waiting)
    if waiting:
        raise KeyboardInterrupt


def ending(status: int, line: str = '') -> Handler:
    """Return a handler that ends the process: while modules are imported, nothing is lost.

    Args:
        status: exit status.
        line: for stderr.
    """
    def end(*_) -> None:
        if line:
            os.write(2, f'{line}\n'.encode())
        os._exit(status)
    return end


def begin(interrupted: int) -> None:
    """Start a process: both signals end it at once with this status, in silence.

    Its name, for `top` and `killall`, is the script's: `env`, which blocks the signals, took it.
    """
    with suppress(OSError), open('/proc/self/comm', 'w') as name:
        name.write(os.path.basename(sys.argv[0]))
    handle(ending(interrupted))


def end_worker_by_exit() -> None:
    """Let both signals raise SystemExit in a pool's process: it removes what it was writing."""
    handle(Interrupt(SystemExit))


def end_within(seconds: float, status: int) -> None:
    """End the process with a status after so many seconds if it still runs by then.

    A native timer calls `_exit`: a thread of Python would wait for an interpreter's lock that a
    hanging library holds, and an alarm would change the exit status. Linux only.
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
    """End the process without taking the interpreter apart, where native threads may hang."""
    end_within(LEAVE_S, status)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
