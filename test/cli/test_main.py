# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the command line ends."""

import os
import signal
import sys
from types import SimpleNamespace

import pytest
from child_processes import started

from hybrid_pose_ros.cli import main as command_line
from hybrid_pose_ros.interrupts import INTERRUPTED, SIGNALS


def verb(run, **more) -> SimpleNamespace:
    """Return the module of a verb that does as the test wants."""
    return SimpleNamespace(SUMMARY='', add_arguments=lambda parser: None, run=run, **more)


def interrupted(monkeypatch, capsys, module: SimpleNamespace) -> str:
    """Return what a verb that is interrupted says."""
    monkeypatch.setattr(command_line, '_verb', lambda name: module)
    assert command_line.main(['info']) == INTERRUPTED
    output = capsys.readouterr()
    assert output.out == ''
    return output.err


@pytest.mark.parametrize('number', SIGNALS)
def test_an_interrupted_verb_says_in_one_line_what_is_kept(monkeypatch, capsys, number):
    def run(_):
        os.kill(os.getpid(), number)
        signal.pause()

    module = verb(run, kept=lambda args: f'{args.verb} keeps 3 clips')
    assert interrupted(monkeypatch, capsys, module) == (
        'hybrid-pose info: interrupted; info keeps 3 clips\n')


def test_an_interrupt_that_compiled_code_turned_into_another_error_is_one(monkeypatch, capsys):
    """Numba's dispatcher raises a SystemError in its place."""
    def run(_):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        except KeyboardInterrupt:
            raise SystemError('CPUDispatcher returned a result with an exception set') from None

    assert interrupted(monkeypatch, capsys, verb(run)) == (
        'hybrid-pose info: interrupted; nothing was written\n')


def test_an_error_of_ours_stays_one(monkeypatch):
    def run(_):
        raise SystemError('of ours')

    monkeypatch.setattr(command_line, '_verb', lambda name: verb(run))
    with pytest.raises(SystemError, match='of ours'):
        command_line.main(['info'])


SCRIPT = """
import sys
from hybrid_pose_ros.cli.main import main
if __name__ == '__main__':
    sys.exit(main())
"""
CORPUS = ('--corpus', 'motion', '--output-dir', '.', '--own', '1', '--workers', '1')


@pytest.mark.parametrize('interrupt, words, said', (
    (os.kill, ('--output', 'walk.h5'), 'nothing was written'),
    (os.kill, CORPUS, 'the finished clips in . are kept'),
    (os.killpg, CORPUS, 'the finished clips in . are kept')))  # as a terminal does
def test_an_interrupted_simulation_leaves_no_part_of_a_recording(tmp_path, interrupt, words, said):
    """Workers of a pool end as quietly as the process that started them."""
    (tmp_path / 'motion').mkdir()
    (tmp_path / 'motion' / 'walk.npz').touch()  # a corpus of our own motions reads none
    with started(sys.executable, '-c', SCRIPT, 'simulate', '--duration', 600, *words,
                 cwd=tmp_path) as process:
        while not list(tmp_path.rglob('*.partial')):
            assert process.poll() is None
        interrupt(process.pid, signal.SIGINT)
        output, errors = process.communicate()
    assert (process.returncode, output) == (INTERRUPTED, '')
    assert errors.count('\n') == 1, errors
    assert errors.startswith(f'hybrid-pose simulate: interrupted; {said}')
    assert not list(tmp_path.rglob('*.partial'))
