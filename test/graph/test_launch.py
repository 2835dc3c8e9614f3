# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file under the real launch system, where it is installed."""

import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from launch_file import FILE, visited
from lifecycle_msgs.srv import GetState
from live_graph import DOMAIN, EVENTS, SKELETONS
from rclpy.qos import ReliabilityPolicy

from hybrid_pose_ros.graph import TOPICS, graph

PATIENCE_S = 60
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
    process = subprocess.Popen(
        [sys.executable, '-c', SCRIPT, FILE, 'driver:=player', 'duration_s:=0', f'record:={bag}'],
        env=os.environ | {'ROS_DOMAIN_ID': str(DOMAIN)}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    node, seen = shared_live.listener, SimpleNamespace(bag=bag)
    try:
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
        poses = len(shared_live.statuses('evaluator'))
        shared_live.spin_until(lambda: len(shared_live.statuses('evaluator')) > poses + 1,
                               'a recorder that goes on')
        process.send_signal(signal.SIGINT)
        seen.output, _ = process.communicate(timeout=PATIENCE_S)
        seen.status = process.returncode
    finally:
        process.kill()
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


def test_the_launch_file_starts_the_nodes_of_the_description():
    assert [node.node_executable for node in visited(driver='player', record='bag')] == [
        'evaluator', 'skeleton_markers', 'snn_tracker', 'ann_initializer', 'event_player']


def test_ros4hri_is_started_on_request():
    assert 'ros4hri' in [node.node_executable for node in visited(ros4hri='true')]
    assert 'ros4hri' not in [node.node_executable for node in visited()]


@pytest.mark.parametrize('driver', OF_DRIVERS)
def test_a_driver_is_started_with_parameters_that_it_has(driver):
    node = visited(driver=driver, camera='left/eye')[-1]
    assert node.node_package == f'{driver}_driver' and node.node_executable == 'driver_node'
    parameters, = node._Node__parameters
    assert {''.join(part.text for part in name) for name in parameters} == OF_DRIVERS[driver]
