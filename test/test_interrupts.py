# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Signals that reach a process at any moment, and ends that cannot hang."""

import os
import signal
import sys
import weakref
from contextlib import suppress
from types import SimpleNamespace

import pytest
from child_processes import python, started

from hybrid_pose_ros.interrupts import INTERRUPTED, SIGNALS, interruptible, postponed

IMPORTS = """
import atexit, os, signal, threading
from hybrid_pose_ros.interrupts import *
"""

linux = pytest.mark.skipif(sys.platform != 'linux', reason='native timers are those of Linux')


def ended(script: str) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of a script that ends by itself."""
    process = python(IMPORTS + script)
    return process.returncode, process.stdout, process.stderr


@linux
def test_a_process_that_hangs_in_native_code_ends_in_time_with_the_status_asked_for():
    """PyDLL keeps the interpreter's lock, so no thread of Python could end this process."""
    hanging = 'import ctypes; end_within(0.1, 7); ctypes.PyDLL(None).pause()'
    assert ended(hanging) == (7, '', '')


def test_leaving_runs_exit_functions_and_waits_for_no_thread():
    leaving = '''
atexit.register(print, 'saved')
threading.Thread(target=threading.Event().wait).start()
leave(3)'''
    assert ended(leaving) == (3, 'saved\n', '')


@linux
def test_leaving_ends_where_an_exit_function_hangs():
    assert ended('atexit.register(signal.pause); leave(3)') == (3, '', '')


@pytest.mark.parametrize('number', SIGNALS)
def test_a_postponed_signal_waits_for_the_end_of_the_block(number):
    done = []
    with interruptible(), pytest.raises(KeyboardInterrupt):
        with postponed() as waiting:
            assert not waiting()
            os.kill(os.getpid(), number)
            done.append(waiting())
    assert done == [True]


def test_the_same_signal_again_is_not_postponed():
    with interruptible() as interrupt, pytest.raises(KeyboardInterrupt):
        with postponed():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            assert not interrupt.came
            os.kill(os.getpid(), signal.SIGINT)
            pytest.fail('still there')


@pytest.mark.parametrize('number', SIGNALS)
def test_a_signal_that_was_ignored_or_blocked_at_the_start_ends_the_process(number):
    """A background job of a script starts with SIGINT ignored."""
    script = f'''{IMPORTS}
signal.signal({number:d}, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {{{number:d}}})
begin(5)
print('up', flush=True)
signal.pause()'''
    with started(sys.executable, '-c', script) as process:
        assert process.stdout.readline() == 'up\n'
        process.send_signal(number)
        assert process.communicate() == ('', '')
    assert process.returncode == 5


def test_a_signal_while_modules_are_imported_is_one_line():
    importing = '''
handle(ending(INTERRUPTED, 'interrupted'))
try:
    os.kill(os.getpid(), signal.SIGINT)
except BaseException:
    print('raised')'''
    assert ended(importing) == (INTERRUPTED, '', 'interrupted\n')


@pytest.mark.parametrize('number', SIGNALS)
def test_both_signals_raise_and_the_handlers_before_come_back(number):
    before = [signal.getsignal(each) for each in SIGNALS]
    with pytest.raises(KeyboardInterrupt), interruptible() as interrupt:
        os.kill(os.getpid(), number)
        signal.pause()
    assert interrupt.came
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_an_interrupt_that_compiled_code_drops_is_raised_again():
    """Numba's dispatcher clears what a callback raised: `simulate` went on after Ctrl-C."""
    with pytest.raises(KeyboardInterrupt), interruptible():
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        signal.pause()


def test_an_interrupt_that_a_finalizer_drops_is_raised_again_and_not_reported():
    """Python prints exceptions of weak references and goes on: several lines after Ctrl-C."""
    class Held:
        """Built-in objects take no weak references."""

    def interrupted(_) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()

    reported = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'unraisablehook', reported.append)
        with pytest.raises(KeyboardInterrupt), interruptible():
            held = Held()
            reference = weakref.ref(held, interrupted)
            del held
            assert reference() is None
            signal.pause()
    assert reported == []


def test_an_alarm_does_not_break_off_the_report_of_another_dropped_exception():
    """Python would print both, and that the hook itself failed."""
    reported = []

    def report(unraisable) -> None:
        os.kill(os.getpid(), signal.SIGALRM)
        reported.append(unraisable.exc_type)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'unraisablehook', report)
        with pytest.raises(KeyboardInterrupt), interruptible() as interrupt:
            with suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
                signal.pause()
            assert interrupt.came
            sys.unraisablehook(SimpleNamespace(exc_type=ValueError))
            signal.pause()
    assert reported == [ValueError]


def test_a_second_interrupt_does_not_break_off_what_handles_the_first():
    done = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            done.append('removed')
    assert done == ['removed']
