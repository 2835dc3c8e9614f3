# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole graph on this machine: packet arrival to pose published, CPU and memory by process.

Real processes, a person simulated live, everything recorded; figures are read from the bag. On two
cores the player, which draws the person, is the largest part of the load besides the network.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.run_report import run_report
from hybrid_pose_ros.graph import graph, share
from hybrid_pose_ros.supervision import Supervisor

START_S = 120.0


def graph_benchmark(*, duration_s: float = 20.0, values: dict[str, str] | None = None
                    ) -> dict[str, Any]:
    """Return latencies, losses, CPU [cores] and memory [MiB] of one run of the graph.

    Args:
        duration_s: length of the simulated scene.
        values: further arguments of the graph, such as step_us.

    Raises:
        InputError: a node did not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        bag = Path(folder, 'bag')
        nodes = graph(driver='player', values={
            'duration_s': str(duration_s), 'record': str(bag), **(values or {})},
            more={'event_player': {'subscribers': 4}, 'evaluator': {'idle_s': 2.0}})
        environment = os.environ | {'ROS_DOMAIN_ID': str(1 + os.getpid() % 100),
                                    'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
        with Supervisor(nodes, params_file=share() / 'config' / 'hybrid_pose.yaml',
                        logs=Path(folder, 'logs'), environment=environment) as supervisor:
            usage = _watch(supervisor, [node.name for node in nodes], duration_s)
        report = run_report(bag)
    names = ('poses', 'missing_poses', 'lost_packets', 'states', 'state_handovers', 'step_us',
             'poses_per_sensor_s', 'latency_ms', 'state_age_ms', 'ann_ms', 'trained')
    return {name: report.get(name) for name in names} | {
        'duration_s': duration_s, 'cores': os.cpu_count(), 'processes': usage}


def _watch(supervisor: Supervisor, names: list[str], duration_s: float) -> dict[str, dict]:
    """Wait until the recorder has ended; return what each process used while playing."""
    deadline = time.monotonic() + START_S + 3 * duration_s
    before, after, playing_since = {}, {}, None
    while 'evaluator' not in (done := supervisor.check()):
        if time.monotonic() > deadline or any(done.values()):
            raise InputError('the graph did not run: see `hybrid-pose demo` and its logs')
        if playing_since is None and 'played' in supervisor.log('event_player').read_text():
            playing_since, before = time.monotonic(), _usage(supervisor, names)
        elif playing_since is not None and 'event_player' not in done:
            after = _usage(supervisor, names) | {'at': time.monotonic()}
        time.sleep(0.25)
    if not after:
        return {}
    seconds = after.pop('at') - playing_since
    return {name: {'cores': round((after[name][0] - before[name][0]) / seconds, 3),
                   'resident_mib': after[name][1], 'resident_mib_at_start': before[name][1]}
            for name in names if name in after and name in before}


def _usage(supervisor: Supervisor, names: list[str]) -> dict[str, tuple[float, float]]:
    """Return CPU seconds and resident memory [MiB] of each process that runs."""
    usage = {}
    for name in names:
        try:
            process = psutil.Process(supervisor.pid(name))
            times = process.cpu_times()
            usage[name] = (times.user + times.system,
                           round(process.memory_info().rss / 2 ** 20, 1))
        except psutil.Error:  # it has just ended
            continue
    return usage
