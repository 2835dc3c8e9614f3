# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A user's mistake ends a node's process with status 1 and one line on stderr."""

import re
import signal
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from child_processes import finished, started
from child_processes import python as run_python
from live_graph import EXECUTABLES, SKELETONS

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model import checkpoint
from hybrid_pose_ros.model.presets import PRESETS, preset


def ended(node: str, *arguments: str) -> CompletedProcess:
    """Run a node until it ends by itself."""
    return finished(EXECUTABLES / node, *arguments)


def python(script: str, folder: Path) -> CompletedProcess:
    """Run a script in a folder without a checkout."""
    return run_python(script, cwd=folder)


def refusal(node: str, *arguments: str) -> str:
    """Return the one line with which a node refuses to start."""
    process = ended(node, *arguments)
    assert process.returncode == 1
    assert process.stdout == ''
    lines = process.stderr.splitlines()
    assert len(lines) == 1, process.stderr
    assert lines[0].startswith(f'{node}: ')
    return lines[0]


def parameter(name: str, value: object) -> tuple[str, ...]:
    """Return the arguments that set a parameter."""
    return '--ros-args', '-p', f'{name}:={value}'


def test_weights_of_another_preset_are_refused(tmp_path):
    path = tmp_path / 'edge.safetensors'
    checkpoint.untrained(preset('edge')).save(path)
    line = refusal('ann_initializer', *parameter('checkpoint', path), '-p', 'preset:=paper')
    assert 'has weights of preset edge, but preset paper is configured' in line


def test_weights_that_are_not_there_are_named(tmp_path):
    path = tmp_path / 'none.safetensors'
    assert f'no weights at {path}' in refusal('snn_tracker', *parameter('checkpoint', path))


def test_a_parameter_that_ros_cannot_read_is_named():
    assert "'-p idle_s:='" in refusal('recorder', *parameter('idle_s', ''))


def test_a_parameter_out_of_range_is_told_with_its_range():
    line = refusal('snn_tracker', *parameter('step_us', 1))
    assert 'parameter step_us: ' in line and 'Min: 100, Max: 100000, value: 1' in line


def test_a_parameter_of_the_wrong_type_is_told_with_the_right_one():
    line = refusal('snn_tracker', *parameter('step_us', 'fast'))
    assert "parameter step_us: " in line
    assert "'fast' of type 'STRING', expecting type 'INTEGER'" in line


def test_a_preset_that_is_not_there_is_told_with_those_that_are():
    line = refusal('snn_tracker', *parameter('preset', 'huge'))
    assert f"parameter preset = 'huge' must be one of {', '.join(PRESETS)}" in line


@pytest.mark.parametrize('node, name, value, said', (
    ('event_player', 'rate', -1.0, 'Min: 0.01, Max: 100.0, value: -1.0'),
    ('event_player', 'rate', 1000, 'above the maximum 100'),
    ('event_player', 'rate', [1.0, 2.0], 'must be of type float'),
    ('snn_tracker', 'step_us', 1000.0, "'1000.0' of type 'DOUBLE', expecting type 'INTEGER'"),
    ('snn_tracker', 'preset', 12, "'12' of type 'INTEGER', expecting type 'STRING'"),
    ('skeleton_markers', 'rate_hz', 'fast', 'must be of type float, not str'),
    ('recorder', 'record_events', 'maybe', "expecting type 'BOOL'"),
    ('ann_initializer', 'transport', 'pigeon', 'must be one of auto, shared_memory, inline')))
def test_a_parameter_that_is_not_legal_is_refused(live, node, name, value, said):
    with pytest.raises(InputError, match=f'parameter {name}.*{re.escape(said)}'):
        live.start(node, **{name: value})


def test_a_whole_number_is_taken_for_a_float():
    process = ended('event_player', *parameter('rate', 2), '-p', 'recording:=/none.raw')
    assert '/none.raw does not exist' in process.stderr


def test_a_recording_that_is_not_there_is_named(tmp_path):
    path = tmp_path / 'none.raw'
    assert f'{path} does not exist' in refusal('event_player', *parameter('recording', path))


def test_a_bag_that_cannot_be_made_is_named():
    assert '/proc/none/bag cannot be created' in refusal('recorder',
                                                      *parameter('bag', '/proc/none/bag'))


def test_a_node_without_a_writable_home_starts(tmp_path):
    """ROS found no folder for its logs, and numba none for its cache."""
    process = finished(
        EXECUTABLES / 'snn_tracker', *parameter('step_us', 1), environment={
            'HOME': '/proc/none', 'ROS_HOME': '', 'ROS_LOG_DIR': '', 'TMPDIR': str(tmp_path)})
    line, = process.stderr.splitlines()
    assert 'parameter step_us: ' in line
    assert any(tmp_path.rglob('*.log'))


def test_a_parameter_file_that_is_not_there_is_named():
    line = refusal('snn_tracker', '--ros-args', '--params-file', '/none.yaml')
    assert "Couldn't parse params file: '--params-file /none.yaml'" in line


def test_an_argument_that_is_none_of_ros_is_refused():
    line = refusal('event_player', '--recording', 'x.raw')
    assert 'unknown argument --recording: set parameters with --ros-args -p NAME:=VALUE' in line


@pytest.mark.parametrize('node, stop', (
    ('event_player', signal.SIGTERM), ('ann_initializer', signal.SIGINT),
    ('snn_tracker', signal.SIGTERM), ('skeleton_markers', signal.SIGINT),
    ('recorder', signal.SIGTERM)))
def test_a_node_that_is_told_to_stop_says_nothing_and_ends_well(node, stop):
    with started(EXECUTABLES / node) as process:
        first = process.stderr.readline()  # it is made, or nearly
        assert 'ready' in first or 'playing' in first
        process.send_signal(stop)
        _, log = process.communicate()
    assert process.returncode == 0, log
    assert 'Traceback' not in log


def blocks_or_catches_interrupts(pid: int) -> bool:
    """Return whether SIGINT would find a process prepared."""
    status = Path(f'/proc/{pid}/status').read_text()
    masks = (int(re.search(rf'{name}:\s*(\w+)', status)[1], 16) for name in ('SigBlk', 'SigCgt'))
    return any(mask >> signal.SIGINT - 1 & 1 for mask in masks)


def has_loaded(library: str):
    """Return how to ask whether a process has come to import a library."""
    return lambda pid: library in Path(f'/proc/{pid}/maps').read_text()


@pytest.mark.skipif(sys.platform != 'linux', reason='asks /proc how far a process is')
@pytest.mark.parametrize('moment', (
    blocks_or_catches_interrupts, *map(has_loaded, ('_multiarray', '_rclpy', 'llvmlite'))))
def test_a_node_that_is_interrupted_twice_while_it_starts_ends_well(moment):
    """It used to end with a traceback of whatever it was importing, or not at all."""
    with started(EXECUTABLES / 'snn_tracker') as process:
        while not moment(process.pid):
            assert process.poll() is None
        for number in (signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
        output, log = process.communicate()
    assert (process.returncode, output, 'Traceback' in log) == (0, '', False), log


def test_a_node_that_hangs_while_it_ends_is_ended(tmp_path):
    """Two nodes once hung in native code, where no Python could end them."""
    process = python('''
import ctypes, os, signal, sys
from rclpy.node import Node
from hybrid_pose_ros.nodes.run import run

class Hanging(Node):
    def __init__(self):
        super().__init__('hanging')
        self.create_timer(0.01, lambda: os.kill(os.getpid(), signal.SIGINT))

    def destroy_node(self):
        ctypes.PyDLL(None).pause()  # with the interpreter's lock

sys.exit(run(Hanging, stop_s=0.1))
''', tmp_path)
    assert (process.returncode, process.stdout, process.stderr) == (0, '', '')


def test_a_node_that_is_told_to_stop_while_it_is_made_ends_well(tmp_path):
    """SIGTERM used to end in an exception of rclpy's, at whatever line had been reached."""
    process = python('''
import os, signal, sys
import rclpy
from hybrid_pose_ros.nodes.run import run
from hybrid_pose_ros.nodes.snn_tracker import SnnTrackerNode

class Stopped(SnnTrackerNode):
    def __init__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        while rclpy.ok():
            pass
        super().__init__()

sys.exit(run(Stopped))
''', tmp_path)
    assert (process.returncode, process.stderr) == (0, '')


def test_a_node_that_is_interrupted_while_it_ends_ends_well(tmp_path):
    """Python's handler for Ctrl-C sometimes came late and broke off the end."""
    process = python('''
import os, signal, sys
from rclpy.node import Node
from hybrid_pose_ros.nodes.run import run

class Impatient(Node):
    def __init__(self):
        super().__init__('impatient')
        self.create_timer(0.01, self._interrupt)

    def destroy_node(self):
        self._interrupt()
        super().destroy_node()
        print('ended')

    def _interrupt(self):
        os.kill(os.getpid(), signal.SIGINT)

sys.exit(run(Impatient))
''', tmp_path)
    assert (process.returncode, process.stdout, process.stderr) == (0, 'ended\n', '')


def test_a_failure_in_a_nodes_thread_ends_its_process_with_a_traceback(tmp_path):
    """The initializer used to live on without ever making a state again."""
    process = python('''
import sys
from rclpy.node import Node
from hybrid_pose_ros.nodes.run import run
from hybrid_pose_ros.nodes.worker import Worker

class Failing(Node):
    def __init__(self):
        super().__init__('failing')
        self._worker = Worker(self, self._fail)

    def _fail(self):
        raise RuntimeError('no more ideas')

    def destroy_node(self):
        self._worker.join()
        super().destroy_node()
        self._worker.raise_failure()

sys.exit(run(Failing))
''', tmp_path)
    assert process.returncode == 1
    assert process.stderr.endswith('RuntimeError: no more ideas\n')


def test_the_trackers_process_never_imports_torch(tmp_path):
    process = python('''
import sys
import rclpy
from hybrid_pose_ros.nodes.snn_tracker import SnnTrackerNode
rclpy.init()
SnnTrackerNode().destroy_node()
print([name for name in sys.modules if name.partition('.')[0] == 'torch'])
''', tmp_path)
    assert process.stdout == '[]\n', process.stderr


@pytest.mark.parametrize('policy, value, said', (
    ('reliability', 'sometimes', 'Unexpected QoS override for policy `reliability`: `sometimes`'),
    ('depth', 'deep', "to 'deep' of type 'STRING', expecting type 'INTEGER'")))
def test_a_profile_of_a_topic_that_is_not_legal_is_refused(policy, value, said):
    line = refusal('snn_tracker', *parameter(
        f'qos_overrides.{SKELETONS}.publisher.{policy}', value))
    assert line.startswith('snn_tracker: topic ~/skeletons: ') and said in line
