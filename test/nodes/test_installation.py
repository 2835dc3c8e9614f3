# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is installed: the interfaces and the executables."""

import json
import os
import sys
from pathlib import Path

from live_graph import EXECUTABLES

from hybrid_pose_ros.graph.description import SETTINGS

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
