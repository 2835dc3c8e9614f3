# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Message definitions for reading and writing bags of this package without ROS."""

import os
import sys
from functools import cache
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from hybrid_pose_ros.errors import RecordingError

PACKAGES = ('event_camera_msgs', 'hybrid_pose_ros')


@cache
def typestore():
    """Return the type store: standard ROS 2 messages, EventPacket and this package's messages.

    Raises:
        RecordingError: the definitions are not installed.
    """
    store = get_typestore(Stores.ROS2_JAZZY)
    types = {}
    for package in PACKAGES:
        for path in sorted(_definitions(package).glob('*.msg')):
            types.update(get_types_from_msg(path.read_text(), f'{package}/msg/{path.stem}'))
    store.register(types)
    return store


def _definitions(package: str) -> Path:
    """Return the folder with a package's .msg files, in an installation or a checkout."""
    checkout = Path(__file__).resolve().parents[2]
    places = [Path(prefix, 'share', package, 'msg') for prefix in _prefixes()]
    places += [checkout / 'msg' if package == 'hybrid_pose_ros' else
               checkout / 'interfaces' / package / 'msg']
    for place in places:
        if any(place.glob('*.msg')):
            return place
    raise RecordingError(f'the message definitions of {package} are not installed: searched '
                         f'{", ".join(map(str, places))}')


def _prefixes() -> list[str]:
    return [path for path in os.environ.get('AMENT_PREFIX_PATH', '').split(':') if path] + [
        sys.prefix]
