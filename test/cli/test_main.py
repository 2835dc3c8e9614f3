# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the command line ends."""

import os
import signal
import sys
from types import SimpleNamespace

import pytest
from child_processes import python, started

from hybrid_pose_ros.cli import main as command_line
from hybrid_pose_ros.errors import InputError
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


@pytest.mark.parametrize('error, said', (
    (ModuleNotFoundError("No module named 'cv2'", name='cv2'),
     'this needs the Python module cv2, which is not installed: pip install '
     'opencv-python-headless'),
    (ModuleNotFoundError("No module named 'rosbags.typesys'", name='rosbags.typesys'),
     'this needs the Python module rosbags, which is not installed: pip install rosbags'),
    (PermissionError(13, 'Permission denied', 'a.h5'),
     'a.h5: Permission denied: expected a file or folder that this user can read or write'),
    (OSError(28, 'No space left on device'),
     'the system says: No space left on device: make room and run the same command again'),
    (MemoryError('Unable to allocate 149. GiB'),
     'there is not enough memory (Unable to allocate 149. GiB): process less at once')))
def test_what_the_system_refuses_is_one_line(monkeypatch, capsys, error, said):
    def run(_):
        raise error

    monkeypatch.setattr(command_line, '_verb', lambda name: verb(run))
    assert command_line.main(['info']) == 1
    assert capsys.readouterr().err == f'hybrid-pose info: {said}\n'


def test_without_a_module_that_a_verb_imports_one_line_says_how_to_get_it():
    """In a process of its own, in which nothing was imported yet."""
    process = python("import sys; sys.modules['rich'] = None\n" + SCRIPT, 'demo')
    assert (process.returncode, process.stdout, process.stderr) == (
        1, '', 'hybrid-pose demo: this needs the Python module rich, which is not installed: '
        'pip install rich\n')


@pytest.mark.parametrize('more, printed', (([], 'shown\n'), (['--json'], '{"error_px": 5}\n')))
def test_results_that_cannot_be_written_are_printed(monkeypatch, capsys, more, printed):
    def write(args, result):
        raise InputError('the disk is full')

    module = verb(lambda args: {'error_px': 5}, show=lambda result: print('shown'), write=write)
    monkeypatch.setattr(command_line, '_verb', lambda name: module)
    assert command_line.main(['info', *more]) == 1
    assert capsys.readouterr() == (printed, 'hybrid-pose info: the disk is full\n')


OUTPUTS = (
    ['demo', '--output'], ['up', '--record'], ['simulate', '--corpus', 'none', '--output'],
    ['convert', 'dhp19', 'none', '--output'], ['train', '--corpus', 'none', '--output'],
    ['evaluate', '--recording', 'none', '--output'], ['evaluate3d', '--takes', 'none', '--output'],
    ['compare', '--output'], ['reproduce', '--dataset', 'none', '--output'],
    ['study', 'energy', '--output'], ['bag', 'none', '--output'], ['bench', '--output'])


@pytest.mark.parametrize('words', OUTPUTS, ids=lambda words: words[0])
def test_a_file_in_the_place_of_a_folder_is_found_before_anything_else(tmp_path, capsys, words):
    (tmp_path / 'file').write_text('mine')
    assert command_line.main([*words, str(tmp_path / 'file')]) == 1
    assert capsys.readouterr() == ('', f'hybrid-pose {words[0]}: {tmp_path}/file cannot be a '
                                   f'folder, because {tmp_path}/file is a file: choose '
                                   'another one\n')
    assert (tmp_path / 'file').read_text() == 'mine'


@pytest.mark.parametrize('words', (['simulate', '--output'], ['export', 'none', '--output']),
                         ids=lambda words: words[0])
def test_a_file_that_exists_is_not_overwritten(tmp_path, capsys, words):
    (tmp_path / 'file').write_text('mine')
    assert command_line.main([*words, str(tmp_path / 'file')]) == 1
    assert 'exists and is not overwritten' in capsys.readouterr().err
    assert (tmp_path / 'file').read_text() == 'mine'


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
CORPUS = ('--corpus', 'motion', '--output', '.', '--own', '1', '--workers', '1')


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
