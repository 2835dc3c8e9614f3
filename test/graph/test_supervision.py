# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that are started, restarted and stopped, with scripts in the place of nodes."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from child_processes import started

from hybrid_pose_ros.graph import supervision
from hybrid_pose_ros.graph.description import NodeSpec
from hybrid_pose_ros.graph.supervision import RESTARTS, Supervisor

DEADLINE_S = 300.0

SCRIPTS = {
    'patient': 'import signal; print("up", flush=True); signal.pause()',
    'other': 'import signal; signal.pause()',
    'stubborn': 'import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); '
                'print("up", flush=True)\nwhile True: signal.pause()',
    'done': 'print("up", flush=True)',
    'refusing': 'import sys; sys.exit("no such file")',
    'dying': 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)'}


@pytest.fixture
def supervisor(monkeypatch, tmp_path):
    """Return how to supervise scripts by their names; whatever runs at the end is stopped."""
    monkeypatch.setattr(supervision, 'command',
                        lambda node, params_file: [sys.executable, '-c', SCRIPTS[node.name]])
    monkeypatch.setattr(supervision, 'STOP_S', DEADLINE_S)
    made = []

    def make(*names: str) -> Supervisor:
        specs = [NodeSpec(name.rpartition('/')[2], '/' + name.rpartition('/')[0] if '/' in name
                          else '') for name in names]
        made.append(Supervisor(specs, logs=tmp_path / 'logs'))
        made[-1].start()
        return made[-1]
    yield make
    for each in made:
        each.stop()


def wait(condition, supervisor: Supervisor):
    """Check the processes until a condition holds of what is done."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition(done := supervisor.check()):
        assert time.monotonic() < deadline
    return done


def is_up(supervisor: Supervisor, name: str, times: int = 1):
    """Return whether a script has said so often that it runs."""
    return lambda done: supervisor.log(name).read_text().count('up') >= times


def test_a_process_hears_no_ctrl_c_but_shares_the_session(supervisor):
    """Nodes in sessions of their own got equal shares of a core, however nice they were."""
    pid = supervisor('patient').pid('patient')
    assert os.getpgid(pid) == pid != os.getpgid(0)
    assert os.getsid(pid) == os.getsid(0)


def test_nodes_of_one_name_in_two_namespaces_are_two_processes(supervisor):
    """The second took the first's place: of two cameras only one had a tracker."""
    running = supervisor('left/patient', 'right/patient')
    for name in ('left/patient', 'right/patient'):
        wait(is_up(running, name), running)
    assert running.pid('left/patient') != running.pid('right/patient')
    assert running.log('left/patient').name == 'left.patient.log'
    running.stop(['left/patient'])
    assert set(running.check()) == {'left/patient'}


def test_a_killed_process_is_started_again(supervisor):
    running = supervisor('patient')
    wait(is_up(running, 'patient'), running)
    pid = running.pid('patient')
    os.kill(pid, signal.SIGKILL)
    wait(is_up(running, 'patient', times=2), running)
    assert running.pid('patient') != pid
    assert running.restarts == {'patient': 1}
    assert running.check() == {}


def test_a_process_that_refused_to_start_is_not_started_again(supervisor):
    running = supervisor('refusing', 'patient')
    assert wait(bool, running) == {'refusing': 1}
    assert running.check() == {'refusing': 1}
    assert running.restarts == {'refusing': 0, 'patient': 0}
    assert running.log('refusing').read_text() == 'no such file\n'


def test_a_process_that_has_ended_is_done(supervisor):
    running = supervisor('done')
    assert wait(bool, running) == {'done': 0}
    assert running.restarts == {'done': 0}


def test_a_process_that_always_dies_is_given_up(supervisor):
    running = supervisor('dying')
    assert wait(bool, running) == {'dying': -signal.SIGKILL}
    assert running.restarts == {'dying': RESTARTS}


def test_stopping_interrupts_and_waits(supervisor):
    running = supervisor('patient', 'done')
    wait(is_up(running, 'patient'), running)
    running.stop()
    assert running.check()['patient'] != 0
    assert not Path(f'/proc/{running.pid("patient")}').exists()
    assert 'KeyboardInterrupt' in running.log('patient').read_text()


def test_nodes_of_a_background_job_are_interrupted_too(supervisor):
    """Such a job ignores SIGINT; its nodes inherited that and had to be killed."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        running = supervisor('patient')
    finally:
        signal.signal(signal.SIGINT, handler)
    wait(is_up(running, 'patient'), running)
    running.stop()
    assert 'KeyboardInterrupt' in running.log('patient').read_text()


def test_what_does_not_stop_is_killed(supervisor, monkeypatch):
    monkeypatch.setattr(supervision, 'STOP_S', 0.2)
    running = supervisor('stubborn')
    wait(is_up(running, 'stubborn'), running)
    running.stop()
    assert running.check() == {'stubborn': -signal.SIGKILL}
    assert running.restarts == {'stubborn': 0}


def test_a_part_can_be_stopped_and_stays_so(supervisor):
    running = supervisor('patient', 'other')
    wait(is_up(running, 'patient'), running)
    running.stop(['patient'])
    assert set(running.check()) == {'patient'}
    assert running.restarts == {'patient': 0, 'other': 0}


def test_leaving_the_block_stops_everything(supervisor, tmp_path):
    with Supervisor([NodeSpec('other')], logs=tmp_path / 'logs') as running:
        pid = running.pid('other')
    assert not Path(f'/proc/{pid}').exists()


def test_a_supervisor_that_is_terminated_stops_everything_too(supervisor, tmp_path):
    """It used to leave its nodes behind."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        with Supervisor([NodeSpec('other')], logs=tmp_path / 'logs') as running:
            pid = running.pid('other')
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
    assert not Path(f'/proc/{pid}').exists()
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_second_interrupt_leaves_no_process_behind(supervisor, tmp_path):
    class Impatient(Supervisor):
        def stop(self):
            os.kill(os.getpid(), signal.SIGINT)
            super().stop()

    with Impatient([NodeSpec('other')], logs=tmp_path / 'logs') as running:
        pid = running.pid('other')
    assert not Path(f'/proc/{pid}').exists()


def test_a_start_that_fails_leaves_no_process_behind(supervisor, tmp_path):
    running = Supervisor([NodeSpec('other'), NodeSpec('patient')], logs=tmp_path / 'logs')
    running._commands['patient'] = ['/none']
    with pytest.raises(FileNotFoundError):
        with running:
            pass
    assert not Path(f'/proc/{running.pid("other")}').exists()


@pytest.mark.skipif(sys.platform != 'linux', reason='other systems tell no child of it')
def test_nodes_of_a_supervisor_that_is_killed_end_too(tmp_path):
    """They used to go on."""
    script = f"""
import sys, time
from pathlib import Path
from hybrid_pose_ros.graph import supervision
from hybrid_pose_ros.graph.description import NodeSpec
supervision.command = lambda *_: [sys.executable, '-c', 'import time; time.sleep(1000)']
with supervision.Supervisor([NodeSpec('other')], logs=Path({str(tmp_path)!r})) as running:
    print(running.pid('other'), flush=True)
    time.sleep(1000)
"""
    with started(sys.executable, '-c', script) as starting:
        node = psutil.Process(int(starting.stdout.readline()))
        starting.kill()
        node.wait(DEADLINE_S)
