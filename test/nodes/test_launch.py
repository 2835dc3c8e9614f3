# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file under the real launch system, where it is installed."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from child_processes import started
from launch_file import FILE, install, parameters_of, text_of, visited
from lifecycle_msgs.srv import GetState
from live_graph import EVENTS, SKELETONS
from rclpy.qos import ReliabilityPolicy

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph import check
from hybrid_pose_ros.graph.description import TOPICS, graph

SCRIPT = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
service = LaunchService()
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(
    PythonLaunchDescriptionSource(sys.argv[1]),
    launch_arguments=[word.split(':=') for word in sys.argv[2:]])]))
sys.exit(service.run())
"""
OF_DRIVERS = {
    'metavision': {'event_message_time_threshold', 'serial', 'frame_id'},
    'libcaer': {'event_message_time_threshold', 'serial', 'camera_frame_id', 'device_type',
                'encoding'}}
"""Parameters that the drivers have, as their sources name them."""


@pytest.fixture(scope='module')
def launched(shared_live, tmp_path_factory) -> SimpleNamespace:
    """Launch the whole graph with the player, look at it, interrupt it, and wait for its end."""
    bag = tmp_path_factory.mktemp('launch') / 'bag'
    node, seen = shared_live.listener, SimpleNamespace(bag=bag)
    with started(sys.executable, '-c', SCRIPT, FILE, 'driver:=player', 'duration_s:=0',
                 f'record:={bag}', stderr=subprocess.STDOUT) as process:
        state = node.create_client(GetState, '/snn_tracker/get_state')
        shared_live.spin_until(state.service_is_ready, 'the tracker')
        shared_live.spin_until(lambda: set(TOPICS) <= {
            topic for topic, _ in node.get_topic_names_and_types()}, 'all topics')
        shared_live.spin_until(lambda: node.count_publishers(EVENTS), 'events')
        seen.topics = dict(node.get_topic_names_and_types())
        seen.events = node.get_subscriptions_info_by_topic(EVENTS)
        seen.skeletons = node.get_publishers_info_by_topic(SKELETONS)
        answer = state.call_async(GetState.Request())
        shared_live.spin_until(answer.done, 'the state of the tracker')
        seen.state = answer.result().current_state.label
        poses = len(shared_live.statuses('recorder'))
        shared_live.spin_until(lambda: len(shared_live.statuses('recorder')) > poses + 1,
                               'a recorder that goes on')
        process.send_signal(signal.SIGINT)
        seen.output, _ = process.communicate()
        seen.status = process.returncode
    return seen


def test_all_topics_of_the_description_are_there_with_their_types(launched):
    assert {topic: launched.topics[topic] for topic in TOPICS} == {
        topic: [kind] for topic, kind in TOPICS.items()}


def test_topics_travel_as_drivers_and_recorders_ask(launched):
    assert {end.qos_profile.reliability for end in launched.events} == {
        ReliabilityPolicy.BEST_EFFORT}
    assert [end.qos_profile.reliability for end in launched.skeletons] == [
        ReliabilityPolicy.RELIABLE]


def test_the_tracker_is_active(launched):
    assert launched.state == 'active'


def test_an_interrupt_ends_every_node_in_order(launched):
    ended = re.findall(r'\[(\w+)-\d+\]: process has finished cleanly', launched.output)
    assert sorted(ended) == sorted(
        spec.name for spec in graph(driver='player', values={'record': 'bag'})), launched.output
    assert (launched.bag / 'metadata.yaml').exists()
    assert launched.status == 0
    assert 'has died' not in launched.output and 'Traceback' not in launched.output


def test_the_launch_file_starts_the_nodes_of_the_description():
    assert [node.node_executable for node in visited(driver='player', record='bag')] == [
        'recorder', 'skeleton_markers', 'snn_tracker', 'ann_initializer', 'event_player']


def test_a_section_for_an_old_name_is_passed_on_with_a_notice(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('/**/evaluator:\n  ros__parameters: {idle_s: 2.0}\n')
    notice, *nodes = visited(record='bag', params_file=str(file))
    assert text_of(notice.msg).endswith('write /**/recorder')
    assert parameters_of(nodes, 'recorder')['idle_s'] == 2.0


def test_a_node_that_fails_ends_the_launch_with_its_line(tmp_path, live):
    """It was started again every second, for ever."""
    with started(sys.executable, '-c', SCRIPT, FILE, 'record:=/proc/none/bag',
                 stderr=subprocess.STDOUT) as process:
        output, _ = process.communicate()
    assert process.returncode == 1
    assert output.count('/proc/none/bag cannot be created') == 1
    assert 'recorder ended with status 1: see its last line' in output
    pids = re.findall(r'process started with pid \[(\d+)\]', output)
    assert pids and not any(Path(f'/proc/{pid}').exists() for pid in pids)


@pytest.mark.parametrize('name', ('snn_tracker', 'event_player'))
def test_a_node_that_was_killed_is_started_again_and_one_that_is_done_is_not(name):
    node, = (node for node in visited(driver='player') if node.node_executable == name)
    running, ending = SimpleNamespace(is_shutdown=False), SimpleNamespace(is_shutdown=True)

    def after(status: int, context=running) -> list | None:
        return node._ExecuteLocal__on_exit(SimpleNamespace(returncode=status), context)

    timer, = after(-signal.SIGKILL)
    again, = timer.actions
    assert (again.node_executable, again.node_package) == (name, node.node_package)
    assert after(0) is None
    assert after(1, ending) is after(-signal.SIGKILL, ending) is None
    with pytest.raises(InputError, match=f'{name} ended with status 1'):
        after(1)


@pytest.mark.parametrize('argument, package', (
    ({'rviz': 'true'}, 'rviz2'), ({'rviz': 'True'}, 'rviz2'), ({'rviz': '1'}, 'rviz2'),
    ({'driver': 'metavision'}, 'metavision-driver'), ({'driver': 'libcaer'}, 'libcaer-driver'),
    ({'ros4hri': 'true'}, 'hri-msgs')))
def test_a_package_that_is_missing_is_named_before_any_node_is_made(monkeypatch, argument,
                                                                    package):
    """The launch failed at that node and left the others running, for a second launch to meet."""
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    monkeypatch.setattr(check, 'prefixes', list)
    with pytest.raises(InputError, match=f'sudo apt install ros-jazzy-{package}'):
        visited(**argument)


@pytest.mark.parametrize('arguments, said', (
    ({'preset': 'huge'}, "preset = 'huge' must be one of"),
    ({'rviz': 'yes'}, "rviz must be true or false, not 'yes'"),
    ({'camera': 'my camera'}, "camera 'my camera' is not a ROS name"),
    ({'params_file': '/none.yaml'}, 'no parameter file at /none.yaml'),
    ({'driver': 'libcaer', 'driver_params_file': '/none.yaml'}, 'no parameter file at /none')))
def test_a_mistake_is_found_before_any_node_is_made(tmp_path, monkeypatch, arguments, said):
    install(tmp_path, monkeypatch, 'libcaer_driver', 'driver_node')
    with pytest.raises(InputError, match=said):
        visited(**arguments)


def test_ros4hri_is_started_on_request(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, 'hri_msgs', 'none')
    assert 'ros4hri' in [node.node_executable for node in visited(ros4hri='true')]
    assert 'ros4hri' not in [node.node_executable for node in visited()]


@pytest.mark.parametrize('driver', OF_DRIVERS)
def test_a_driver_is_started_with_parameters_that_it_has(tmp_path, monkeypatch, driver):
    install(tmp_path, monkeypatch, f'{driver}_driver', 'driver_node')
    node = visited(driver=driver, camera='left/eye')[-1]
    assert node.node_package == f'{driver}_driver' and node.node_executable == 'driver_node'
    parameters, = node._Node__parameters
    assert {''.join(part.text for part in name) for name in parameters} == OF_DRIVERS[driver]
