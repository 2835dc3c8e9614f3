# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A user's mistakes in arguments, names and parameter files, found before anything starts."""

import re
from pathlib import Path

import pytest

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.check import check_graph, require_packages, with_old_sections
from hybrid_pose_ros.graph.description import graph, is_true
from hybrid_pose_ros.graph.parameter_files import parameters_in_file

CALIBRATION = """
image_width: 346
image_height: 260
camera_matrix: {data: [300, 0, 173, 0, 300, 130, 0, 0, 1]}
distortion_coefficients: {data: [0, 0, 0, 0]}
"""


@pytest.fixture
def file(tmp_path):
    """Return how to write a parameter file."""
    def write(text: str) -> Path:
        path = tmp_path / 'parameters.yaml'
        path.write_text(text)
        return path
    return write


def section(node: str, line: str) -> str:
    """Return a parameter file that sets one parameter."""
    return f'{node}:\n  ros__parameters:\n    {line}\n'


def mistake(path: Path, **arguments) -> str:
    """Return the one line with which a graph with a parameter file is refused."""
    with pytest.raises(InputError) as refused:
        check_graph(graph(**arguments), path)
    return ' '.join(str(refused.value).split())


def test_the_shipped_file_is_without_mistakes():
    for namespace in ('', 'left/eye'):
        check_graph(graph(driver='player', namespace=namespace, values={'record': 'bag'}),
                    Path(__file__).parents[2] / 'config' / 'hybrid_pose.yaml')


@pytest.mark.parametrize('node, line', (
    ('snn_tracker', 'step_us: 500'), ('/snn_tracker', 'step_us: 500'),
    ('/**', 'step_us: 500'), ('/**', 'use_sim_time: true'), ('/*', 'step_us: 500'),
    ('/**/snn_tracker', 'quiet_events_per_s: 200'),
    ('snn_tracker', 'qos_overrides./snn_tracker/skeletons.publisher.depth: 5'),
    ('snn_tracker', 'qos_overrides: {/snn_tracker/skeletons: {publisher: {depth: 5}}}'),
    ('event_player', 'seed: 3')))  # it is not started, but exists
def test_what_ros_takes_is_no_mistake(file, node, line):
    check_graph(graph(), file(section(node, line)))


def test_a_node_in_its_namespace_is_no_mistake(file):
    left = section('/left/snn_tracker', 'step_us: 500')
    nested = 'left:\n  snn_tracker:\n    ros__parameters: {step_us: 500}\n'
    both = left + section('/right/snn_tracker', 'step_us: 500')  # of another launch
    for text in (left, nested, both, '# nothing is set\n'):
        check_graph(graph(namespace='left'), file(text))


def aliases(levels: int) -> str:
    """Return lists of ten aliases of the list before: 10 ** levels values in all."""
    lines = [f'a0: &a0 [{", ".join("0" * 10)}]']
    for level in range(1, levels):
        lines.append(f'a{level}: &a{level} [{", ".join([f"*a{level - 1}"] * 10)}]')
    return '\n'.join(lines)


@pytest.mark.parametrize('text, said', (
    ('hello', "not a parameter file: expected NODE: {ros__parameters: {NAME: VALUE}}, not "
     "'hello'"),
    ('snn_tracker: {step_us: 500}', 'is not a parameter file'),
    ('a: [', 'is not a YAML file'),
    ('a: {b: \x00}', 'is not a YAML file'), ('[' * 5000, 'is nested too deeply'),
    (aliases(6), 'its aliases expand to more than 10000 values'),
    (section('snn_tracker', 'steps_us: 500'),
     'sets steps_us of /snn_tracker, which does not have this parameter: `hybrid-pose params` '
     'lists them; did you mean step_us?'),
    (section('/**', 'steps_us: 500'), 'sets steps_us of /**'),
    (section('snn_traker', 'step_us: 500'), 'names an unknown node /snn_traker'),
    (section('/left/snn_tracker', 'step_us: 500'),
     'sets parameters of /left/snn_tracker, but this graph has /snn_tracker: write '
     '/**/snn_tracker for any namespace'),
    (section('snn_tracker', 'step_us: 1'), 'step_us = 1 is below the minimum 100'),
    (section('/**', 'step_us: fast'), "step_us = 'fast' must be of type int, not str"),
    (section('snn_tracker', 'preset: huge'), "preset = 'huge' must be one of"),
    (section('event_player', 'rate: -1'), 'parameters.yaml: event_player: parameter rate = -1.0'),
    (section('snn_tracker', 'calibration: /none.yaml'), 'no calibration at /none.yaml')))
def test_a_mistake_in_a_parameter_file_is_named(file, text, said):
    assert said in mistake(file(text))


def test_a_parameter_file_that_does_not_exist_is_named(tmp_path):
    path = tmp_path / 'none.yaml'
    assert mistake(path).startswith(f'no parameter file at {path}')


@pytest.mark.parametrize('name, kind', (
    ('checkpoint', 'weights'), ('calibration', 'calibration'), ('recording', 'recording')))
def test_a_file_that_an_argument_names_has_to_exist(file, name, kind):
    assert f'no {kind} at /none' in mistake(file(''), driver='player', values={name: '/none'})


def test_a_calibration_has_to_be_one(tmp_path, file):
    path = tmp_path / 'calibration.yaml'
    path.write_text('hello')
    assert f'{path} is not a calibration' in mistake(file(''), values={'calibration': str(path)})
    path.write_text(CALIBRATION)
    check_graph(graph(values={'calibration': str(path)}), file(''))


def test_an_argument_out_of_range_is_refused(file):
    assert 'step_us = 1 is below' in mistake(file(''), values={'step_us': '1'})


@pytest.mark.parametrize('name', ('my camera', '3d', 'left//eye', 'a-b', '~', ''))
def test_a_name_that_ros_does_not_take_is_refused(name):
    with pytest.raises(InputError, match='camera'):
        graph(camera=name)
    with pytest.raises(InputError, match='namespace'):
        graph(namespace=name or '{}')


@pytest.mark.parametrize('text, value', (
    ('true', True), ('True', True), ('TRUE', True), ('1', True), ('false', False),
    ('False', False), ('0', False)))
def test_booleans_are_those_of_launch_conditions(text, value):
    assert is_true('rviz', text) is value


@pytest.mark.parametrize('text', ('yes', '', '2', 'on'))
def test_anything_else_is_not_a_boolean(text):
    with pytest.raises(InputError, match=re.escape(f'rviz must be true or false, not {text!r}')):
        is_true('rviz', text)


def test_missing_packages_are_named_with_the_command_that_installs_them(tmp_path, monkeypatch):
    index = tmp_path / 'share/ament_index/resource_index/packages'
    index.mkdir(parents=True)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    names = ['libcaer_driver', 'rviz2']
    with pytest.raises(InputError, match='libcaer_driver, rviz2 not installed: '
                       'sudo apt install ros-jazzy-libcaer-driver ros-jazzy-rviz2'):
        require_packages(names)
    for name in names:
        (index / name).touch()
    require_packages(names)


def test_later_sections_of_a_file_count_more(file):
    path = file(section('/**', 'step_us: 500') + section('/left/*', 'step_us: 200'))
    assert parameters_in_file(path, '/left/snn_tracker') == {'step_us': 200}
    assert parameters_in_file(path, '/snn_tracker') == {'step_us': 500}


@pytest.mark.parametrize('pattern, namespace', (
    ('evaluator', ''), ('/**/evaluator', 'left'), ('/left/evaluator', 'left')))
def test_a_section_for_the_recorder_s_old_name_still_counts_with_a_notice(file, pattern,
                                                                          namespace):
    path = file(section(pattern, 'record_overlay: true'))
    specs = graph(values={'record': 'bag'}, namespace=namespace)
    check_graph(specs, path)
    specs, (notice,) = with_old_sections(specs, path)
    parameters = {spec.name: spec.parameters for spec in specs}
    assert parameters['recorder'] == {'record_overlay': True, 'bag': 'bag'}
    assert 'record_overlay' not in parameters['snn_tracker']
    new = pattern.replace('evaluator', 'recorder').lstrip('/')
    assert 'deprecated' in notice and notice.endswith(f'write /{new}')


def test_an_argument_counts_more_than_a_section_for_an_old_name(file):
    path = file(section('evaluator', 'bag: other'))
    specs, _ = with_old_sections(graph(values={'record': 'bag'}), path)
    assert {spec.name: spec.parameters for spec in specs}['recorder']['bag'] == 'bag'


def test_a_mistake_in_a_section_for_an_old_name_is_named(file):
    assert 'sets bags of /recorder, which does not have this parameter' in mistake(
        file(section('evaluator', 'bags: a')))


def test_a_file_without_old_names_changes_nothing(file):
    specs = graph(values={'record': 'bag'})
    assert with_old_sections(specs, file(section('recorder', 'idle_s: 1.0'))) == (specs, [])
