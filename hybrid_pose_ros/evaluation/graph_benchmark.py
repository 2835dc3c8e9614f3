# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole graph on this machine: packet arrival to pose published, CPU and memory by process.

Real processes, everything recorded; figures are read from the bag. The person is simulated before,
so that the player does no more than a driver would: it packs events and sends them.
"""

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.run_report import run_report
from hybrid_pose_ros.graph import graph, share
from hybrid_pose_ros.simulation.recording import record
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.supervision import Supervisor

START_S = 120.0

PACKETS_PER_S = (1000, 250)
"""A packet for each time bin, and as drivers send them by default."""

FIGURES = ('latency_ms', 'missing_poses', 'lost_packets', 'poses', 'poses_per_sensor_s', 'states',
           'state_handovers', 'state_age_ms', 'ann_ms', 'step_us', 'trained')


def graph_benchmark(*, duration_s: float = 20.0, values: Mapping[str, str] | None = None,
                    packets_per_s: Sequence[int] = PACKETS_PER_S) -> dict[str, Any]:
    """Return latencies, losses, CPU [cores] and memory [MiB] of a run of the graph at each rate.

    Args:
        duration_s: length of the simulated scene.
        values: further arguments of the graph, such as step_us.
        packets_per_s: packets of the player.

    Raises:
        InputError: a node did not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder, 'person.h5')
        record(SimulatedScene(seed=0, duration_us=round(duration_s * 1e6)), recording, seed=0,
               motion='demo')
        runs = {f'{rate} packets/s': _run(Path(folder, str(rate)), duration_s, {
            'recording': str(recording), 'packets_per_s': str(rate), **(values or {})})
            for rate in packets_per_s}
    return runs | {'duration_s': duration_s, 'cores': os.cpu_count()}


def _run(folder: Path, duration_s: float, values: Mapping[str, str]) -> dict[str, Any]:
    bag = folder / 'bag'
    nodes = graph(driver='player', values={'record': str(bag), **values},
                  more={'event_player': {'subscribers': 3},
                        'evaluator': {'idle_s': 2.0, 'complete': True}})
    environment = os.environ | {'ROS_DOMAIN_ID': str(1 + os.getpid() % 100),
                                'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    folder.mkdir()
    with Supervisor(nodes, params_file=share() / 'config' / 'hybrid_pose.yaml',
                    logs=folder / 'logs', environment=environment) as supervisor:
        usage = _watch(supervisor, [node.name for node in nodes], duration_s)
    report = run_report(bag)
    return {name: report.get(name) for name in FIGURES} | {'processes': usage}


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
