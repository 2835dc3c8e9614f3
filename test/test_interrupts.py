# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Signals that reach a process at any moment, and ends that cannot hang."""

import os
import signal
import subprocess
import sys

import pytest

from hybrid_pose_ros.interrupts import INTERRUPTED, SIGNALS, Interrupt, handling

PATIENCE_S = 60.0

linux = pytest.mark.skipif(sys.platform != 'linux', reason='native timers are those of Linux')


def script(text: str, **arguments) -> subprocess.Popen:
    """Start a script with the functions of the module at hand."""
    text = f'from hybrid_pose_ros.interrupts import *\nimport atexit, signal, threading\n{text}'
    return subprocess.Popen([sys.executable, '-c', text], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **arguments)


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of a process that ends by itself."""
    try:
        output, errors = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    return process.returncode, output, errors


@linux
def test_a_process_that_hangs_in_native_code_ends_in_time_with_the_status_asked_for():
    """PyDLL keeps the interpreter's lock, so no thread of Python could end this process."""
    hanging = script('import ctypes; end_within(0.1, 7); ctypes.PyDLL(None).pause()')
    assert ended(hanging) == (7, '', '')


def test_leaving_runs_exit_functions_and_waits_for_no_thread():
    leaving = script('''
atexit.register(print, 'saved')
threading.Thread(target=threading.Event().wait).start()
leave(3)''')
    assert ended(leaving) == (3, 'saved\n', '')


@linux
def test_leaving_ends_where_an_exit_function_hangs():
    assert ended(script('atexit.register(signal.pause); leave(3)')) == (3, '', '')


@pytest.mark.parametrize('number', SIGNALS)
def test_a_signal_that_was_ignored_or_blocked_at_the_start_ends_the_process(number):
    """A background job of a script starts with SIGINT ignored."""
    def prepare():
        signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})

    waiting = script('begin(5); print("up", flush=True); signal.pause()', preexec_fn=prepare)
    assert waiting.stdout.readline() == 'up\n'
    waiting.send_signal(number)
    assert ended(waiting) == (5, '', '')


def test_a_signal_while_modules_are_imported_is_one_line():
    importing = script('''
handle(ending(INTERRUPTED, 'interrupted'))
try:
    os.kill(os.getpid(), signal.SIGINT)
except BaseException:
    print('raised')''')
    assert ended(importing) == (INTERRUPTED, '', 'interrupted\n')


@pytest.mark.parametrize('number', SIGNALS)
def test_both_signals_raise_and_the_handlers_before_come_back(number):
    before = [signal.getsignal(each) for each in SIGNALS]
    interrupt = Interrupt()
    with pytest.raises(KeyboardInterrupt), handling(interrupt):
        os.kill(os.getpid(), number)
        signal.pause()
    assert interrupt.came
    assert [signal.getsignal(each) for each in SIGNALS] == before
