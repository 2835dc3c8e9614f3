# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whose shared memory Fast DDS uses in a ROS domain.

Its files are writable by their owner only, so messages between users of one host are lost, while
discovery, which goes over UDP, shows their publishers.
"""

import os
import re
from collections.abc import Collection
from pathlib import Path

PORTS_PER_DOMAIN = 250
FIRST_PORT = 7400
"""Ports of RTPS: the standard's default formula, which names the files of Fast DDS, too."""

REMEDY = ('run both as the same user, or set FASTDDS_BUILTIN_TRANSPORTS=UDPv4 for both '
          '(ignored with ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST)')


def other_users(domain: int, uid: int, folder: Path = Path('/dev/shm')) -> set[int]:
    """Return the users that share memory in a ROS domain, where `uid` does and is not alone."""
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
    """Return the likely reason that no message comes, and the remedy.

    Args:
        publishers: known by discovery.
        others: users that share memory in the same domain, as `other_users` returns them.
        uid: the user of this process.
    """
    if not publishers:
        return 'nobody publishes there: start a driver or remap ~/events'
    silent = f'{publishers} publisher(s), but no packets: '
    if not others:
        return silent + 'is the camera running?'
    names = ', '.join(str(other) for other in sorted(others))
    return silent + (f'shared memory of Fast DDS in this domain belongs to uid {names}, this node '
                     f'runs as uid {uid}, and neither can write into the other\'s: {REMEDY}')
