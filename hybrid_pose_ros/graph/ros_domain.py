# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS domains that isolate graphs of the demo, benchmarks and tests from other graphs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from hybrid_pose_ros.errors import InputError


@contextmanager
def own_domain() -> Iterator[dict[str, str]]:
    """Reserve a ROS domain on this host; yield the environment variables for its processes.

    Raises:
        InputError: ROS 2 is not installed.
    """
    try:
        from domain_coordinator import domain_id
    except ImportError as error:
        raise InputError('reserving a ROS domain requires the package domain_coordinator: source '
                         'the '
                         'setup.bash of ROS 2, or install requirements-ros.txt') from error
    with ExitStack() as reserved:
        number = reserved.enter_context(domain_id())
        try:
            yield {'ROS_DOMAIN_ID': str(number), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
        finally:
            reserved.close()  # without exception info, or domain_id() would swallow an OSError
