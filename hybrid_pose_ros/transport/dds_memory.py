# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detects other users of Fast DDS shared memory in a ROS domain.

The files are writable only by their owner, so messages between two users of a host are lost,
although discovery, which uses UDP, finds the publishers.
"""

import os
import re
from collections.abc import Collection
from pathlib import Path

PORTS_PER_DOMAIN = 250
FIRST_PORT = 7400
"""Constants of the default RTPS port formula, which also determines Fast DDS's file names."""

REMEDY = ('run both as the same user, or set FASTDDS_BUILTIN_TRANSPORTS=UDPv4 for both '
          '(ignored with ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST)')


def other_users(domain: int, uid: int, folder: Path = Path('/dev/shm')) -> set[int]:
    """Return the users with shared memory in a ROS domain if these include `uid` and others."""
    owners = set()
    for entry in os.scandir(folder) if folder.is_dir() else ():
        port = re.fullmatch(r'fastrtps_port(\d+)', entry.name)
        if port and (int(port[1]) - FIRST_PORT) // PORTS_PER_DOMAIN == domain:
            try:
                owners.add(entry.stat().st_uid)
            except FileNotFoundError:  # its participant has just ended
                continue
    return owners - {uid} if uid in owners else set()


def why_silent(publishers: int, others: Collection[int], uid: int) -> str:
    """Return the likely reason why no messages arrive, and the remedy.

    Args:
        publishers: number of discovered publishers.
        others: users with shared memory in the same domain, from `other_users`.
        uid: user of this process.
    """
    if not publishers:
        return 'the topic has no publisher: start a driver or remap ~/events'
    silent = f'{publishers} publisher(s), but no packets: '
    if not others:
        return silent + 'is the camera running?'
    names = ', '.join(str(other) for other in sorted(others))
    return silent + (f'shared memory of Fast DDS in this domain belongs to uid {names}, this node '
                     f'runs as uid {uid}, and neither can write to the other\'s: {REMEDY}')
