# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of every test and of every process that a test starts."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
NODES = ROOT / 'test' / 'nodes'

# `python -m pytest` puts the working directory first: the sources there have no messages and would
# hide the built package, so that graph tests were skipped.
sys.path.sort(key=lambda folder: Path(folder).resolve() == ROOT)

from hybrid_pose_ros.errors import InputError  # noqa: E402
from hybrid_pose_ros.graph.ros_domain import own_domain  # noqa: E402

# The first example of a test pays for numba's compiler, and other processes may have the cores:
# Hypothesis does not judge how long examples take.
settings.register_profile('hybrid_pose_ros', deadline=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('hybrid_pose_ros')


def pytest_configure(config: pytest.Config) -> None:
    """Reserve a ROS domain for this run and its child processes, each of which hears Ctrl-C.

    A script's background jobs and `nohup` ignore SIGINT, and child processes inherit that. Workers
    share the cores: OpenMP's threads wait for each other in busy loops, and small convolutions
    are no faster on two threads.
    """
    os.environ['OMP_NUM_THREADS'] = '1'
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run = ExitStack()
    config.add_cleanup(run.close)
    with suppress(InputError):  # without ROS, graph tests are skipped
        os.environ.update(run.enter_context(own_domain()))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Undo what a command has set for torch in this process."""
    yield
    if 'torch' in sys.modules:
        sys.modules['torch'].set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the nodes, which start real ROS graphs."""
    for item in items:
        if NODES in item.path.parents:
            item.add_marker('graph')
