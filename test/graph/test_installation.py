# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is installed: the interfaces, and the launch file where `launch` is there."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest
from live_graph import EXECUTABLES

from hybrid_pose_ros.graph import SETTINGS, share

UPSTREAM = 'RIHS01_d6fa176260b1f37e5a40845305315e150a0f18191241eb64f407442aa29844aa'


def installed(package: str, path: str) -> Path:
    """Return an installed file of a package, in whatever prefix it lies."""
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(':'), sys.prefix]
    places = [Path(prefix, 'share', package, path) for prefix in prefixes if prefix]
    return next(place for place in places if place.exists())


def test_event_packets_have_the_type_of_the_drivers():
    text = installed('event_camera_msgs', 'msg/EventPacket.json').read_text()
    hashes = {entry['type_name']: entry['hash_string']
              for entry in json.loads(text)['type_hashes']}
    assert hashes['event_camera_msgs/msg/EventPacket'] == UPSTREAM


def test_every_node_is_an_executable():
    assert set(SETTINGS) <= {path.name for path in EXECUTABLES.iterdir()}
    assert all(os.access(EXECUTABLES / name, os.X_OK) for name in SETTINGS)


def test_the_launch_file_starts_the_nodes_of_the_description():
    launch = pytest.importorskip('launch', reason='no ROS launch here')
    pytest.importorskip('launch_ros', reason='no launch_ros here')
    path = share() / 'launch' / 'hybrid_pose.launch.py'
    spec = importlib.util.spec_from_file_location('launch_file', path)
    file = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(file)
    description = file.generate_launch_description()
    context = launch.LaunchContext()
    context.launch_configurations.update(driver='player', record='bag')
    nodes = []
    for entity in description.entities:
        nodes += entity.visit(context) or []
    assert [node.node_executable for node in nodes] == [
        'evaluator', 'skeleton_markers', 'snn_tracker', 'ann_initializer', 'event_player']
