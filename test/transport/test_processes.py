# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real writer and reader processes, killed at any instruction."""

import os
import pickle
import random
import re
import signal
import sys
import time
from contextlib import AbstractContextManager
from multiprocessing import forkserver
from pathlib import Path
from subprocess import Popen

import pytest
from child_processes import finished, python, started
from ring_processes import newest_state, processes, start_reader, start_writer
from ring_states import MODEL, TENSORS, holds, new_ring, segments, write_state

from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.transport.fence import load
from hybrid_pose_ros.transport.reader import StateReader
from hybrid_pose_ros.transport.segment import collect_stale, lock_word, open_segment

REPOSITORY = Path(__file__).parents[2]
PATHS = {'PYTHONPATH': f'{REPOSITORY}:{REPOSITORY / "test"}'}
DEADLINE_S = 300.0


@pytest.fixture(scope='module', autouse=True)
def fork_server():
    """Start the server where it finds what it loads; Python 3.11 does not hand sys.path on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PYTHONPATH', PATHS['PYTHONPATH'])
        forkserver.ensure_running()


@pytest.fixture(autouse=True)
def no_process_outlives_its_test():
    yield
    for process in processes.active_children():
        kill(process)
    collect_stale()


def kill(process):
    process.kill()
    process.join(DEADLINE_S)
    assert process.exitcode == -signal.SIGKILL


def notice(notices):
    """Return the descriptor that a writer sent, None if it was killed before."""
    try:
        return notices.recv()
    except EOFError:
        return None


def test_no_torn_state_is_taken_from_a_writer_at_full_speed():
    """Without the second look at the lock (`is_intact`), states of two numbers get through."""
    rng = random.Random(1)
    writer, notices = start_writer()
    descriptor = notice(notices)
    reader = StateReader(model=MODEL, tensors=TENSORS)
    whole = torn = 0
    deadline_s = time.monotonic() + DEADLINE_S
    while (whole < 500 or torn < 20) and time.monotonic() < deadline_s:
        view = newest_state(reader, descriptor)
        if view is None:
            continue
        if rng.random() < 0.3:
            time.sleep(rng.uniform(0, 3e-4))
        one_number = holds(view, view.sequence)
        if view.is_intact():
            assert one_number
            whole += 1
        elif not one_number:
            torn += 1
    assert whole >= 500 and torn >= 20


def test_killed_writers_leave_no_torn_state_and_no_segment():
    """A writer that starts anywhere on the host, as in another suite, removes dead segments."""
    rng = random.Random(2)
    killed, unfinished, read, removed = [], 0, 0, 0
    for number in range(80):
        writer, notices = start_writer()
        at_work = notices.poll(DEADLINE_S) if number % 4 else False  # else: maybe not yet
        time.sleep(rng.uniform(0, 0.005))
        kill(writer)
        killed.append(writer.pid)
        descriptor = notice(notices)
        if descriptor is None:
            assert not at_work
            continue
        try:
            segment = open_segment(descriptor.segment)
            view = newest_state(StateReader(model=MODEL), descriptor)
        except TransportError:
            assert descriptor.segment not in segments()
            removed += 1
            continue
        unfinished += any(load(segment.words, lock_word(slot)) % 2 for slot in range(3))
        assert holds(view, view.sequence) and view.is_intact()
        read += 1
    assert read + removed >= 60 and unfinished >= 5 * read / 60
    with new_ring() as next_writer:
        dead = re.compile(rf'hybrid_pose\.({"|".join(map(str, killed))})\.')
        assert not any(dead.match(name) for name in segments())
        assert next_writer.name in segments()


def test_killed_readers_disturb_neither_the_writer_nor_the_next_reader():
    rng = random.Random(3)
    with new_ring() as ring:
        for _ in range(30):
            victim = start_reader(write_state(ring))
            until_s = time.monotonic() + rng.uniform(0, 0.02)
            while time.monotonic() < until_s:
                write_state(ring)
            kill(victim)
            descriptor = write_state(ring)
            view = StateReader(model=MODEL).read(descriptor)
            assert holds(view, descriptor.sequence) and view.is_intact()
    assert ring.name not in segments()


def test_a_reader_goes_on_from_writer_to_writer():
    reader = StateReader(model=MODEL, tensors=TENSORS)
    for _ in range(5):
        writer, notices = start_writer()
        descriptor = notice(notices)
        deadline_s = time.monotonic() + DEADLINE_S
        while newest_state(reader, descriptor) is None and time.monotonic() < deadline_s:
            pass
        assert reader.newest_sequence() >= 1
        kill(writer)
        last = reader.newest_sequence()
        reader.latest()
        assert reader.newest_sequence() == last and reader.latest() is None


def test_only_dead_writers_segments_are_collected():
    dead, dead_notices = start_writer()
    alive, alive_notices = start_writer()
    dead_name, alive_name = notice(dead_notices).segment, notice(alive_notices).segment
    kill(dead)
    os.kill(alive.pid, signal.SIGSTOP)  # alive, though it does nothing
    with new_ring() as ring:
        collect_stale()
        assert dead_name not in segments()
        assert {alive_name, ring.name} <= segments()
    kill(alive)
    collect_stale()
    assert alive_name not in segments()


def test_a_forked_child_does_not_take_the_segment_along():
    """The script forks: in this process, other threads could hold locks meanwhile."""
    ended = python(FORKING, environment=PATHS)
    assert (ended.returncode, ended.stdout) == (0, 'True True\n'), ended.stderr


FORKING = """
import os
from hybrid_pose_ros.transport.reader import StateReader
from hybrid_pose_ros.transport.segment import collect_stale
from ring_states import holds, new_ring, segments, write_state
with new_ring() as ring:
    child = os.fork()
    if not child:
        ring.close()
        os._exit(0)
    os.waitpid(child, 0)
    collect_stale()
    print(ring.name in segments(), holds(StateReader().read(write_state(ring)), 1))
"""

WRITER = """
import signal, sys, time
from ring_states import new_ring, write_state
ring = new_ring()
def stop(*_):
    ring.close()
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
write_state(ring)
print(ring.name, flush=True)
while sys.argv[1] == 'stays':
    time.sleep(0.01)
"""


def run_python(code: str, *arguments: str, wrapper=()) -> AbstractContextManager[Popen]:
    return started(*wrapper, sys.executable, '-c', code, *arguments, environment=PATHS)


@pytest.mark.parametrize('end', ['stays', 'exits'])
def test_a_stopped_writer_leaves_nothing(end):
    """`stays` is ended by SIGTERM and closes its ring; `exits` forgets to."""
    with run_python(WRITER, end) as writer:
        name = writer.stdout.readline().strip()
        assert name.startswith('hybrid_pose.')
        if end == 'stays':
            assert name in segments()
            writer.terminate()
        assert writer.wait(DEADLINE_S) == 0
    assert name not in segments()


OTHER_SHARED_MEMORY = """
import pickle, sys
from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.transport.descriptor import tensor_specs
from hybrid_pose_ros.transport.faults import InaccessibleState
from hybrid_pose_ros.transport.reader import StateReader
from hybrid_pose_ros.transport.ring import StateRing
from ring_states import new_ring, holds, write_state
shared, inline = pickle.loads(open(sys.argv[1], 'rb').read())
try:
    StateReader().read(shared)
except InaccessibleState as error:
    print(error)
print(holds(StateReader().read(inline), 1))
fits = new_ring()
try:
    new_ring(slots=10)
except TransportError as error:
    print(error)
print(holds(StateReader().read(write_state(fits)), 1))
"""


def test_a_container_with_its_own_small_shared_memory_gets_states_inline(tmp_path):
    own = ('unshare', '--user', '--map-root-user', '--mount', 'sh', '-c',
           'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$@"', 'sh')
    if finished(*own, 'true').returncode:
        pytest.skip('this user may not create a mount namespace')
    with new_ring() as ring:
        descriptor = write_state(ring)
        both = tmp_path / 'descriptors'
        both.write_bytes(pickle.dumps((descriptor, ring.inline(descriptor))))
        with run_python(OTHER_SHARED_MEMORY, str(both), wrapper=own) as container:
            lines = container.communicate()[0].splitlines()
    assert 'another host or container' in lines[0]
    assert lines[1] == 'True'
    assert 'is full' in lines[2]
    assert lines[3] == 'True'
