# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the whole graph on this machine: packet arrival to published pose, CPU and memory.

The nodes run as real processes and everything is recorded; the figures are computed from the bag.
The person is simulated beforehand, so that the player only sends packets, as a driver would.
"""

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.description import graph, share
from hybrid_pose_ros.graph.ros_domain import own_domain
from hybrid_pose_ros.graph.supervision import Supervisor
from hybrid_pose_ros.playback.due_packets import simulated_packets
from hybrid_pose_ros.recorded_runs.run_report import run_report
from hybrid_pose_ros.recordings.bag_writer import BagWriter
from hybrid_pose_ros.recordings.event_packet_cdr import EVENT_PACKET
from hybrid_pose_ros.recordings.message_types import typestore
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.transport.segment import segments_of

START_S = 120.0

PACKETS_PER_S = (1000, 250)
"""One packet per time bin, and the default rate of drivers."""

PRIORITIES = (0, 1)
"""A tracker with default scheduling, and one with real-time priority, if permitted."""

FIGURES = ('latency_ms', 'missing_poses', 'lost_packets', 'poses', 'poses_per_sensor_s', 'states',
           'state_handovers', 'state_age_ms', 'ann_ms', 'step_us', 'trained')


def graph_benchmark(*, duration_s: float = 20.0, values: Mapping[str, str] | None = None,
                    packets_per_s: Sequence[int] = PACKETS_PER_S,
                    priorities: Sequence[int] = PRIORITIES) -> dict[str, Any]:
    """Return latencies, losses, CPU [cores] and memory [MiB] of one run of the graph per rate.

    Args:
        duration_s: duration of the simulated scene.
        values: additional arguments of the graph, such as step_us.
        packets_per_s: packet rates of the player.
        priorities: priorities of the tracker, one run with each; `realtime` in the result is
            whether a real-time priority was in effect.

    Raises:
        InputError: a node failed to start.
    """
    with tempfile.TemporaryDirectory() as folder:
        runs = {}
        for rate in packets_per_s:
            recording = Path(folder, f'person_{rate}')
            _record(SimulatedScene(seed=0, duration_us=round(duration_s * 1e6)), recording, rate)
            for priority in priorities:
                name = f'{rate} packets/s' + ', realtime' * bool(priority)
                runs[name] = run_graph(Path(folder, f'{rate}_{priority}'), duration_s, {
                    'recording': str(recording), 'realtime_priority': str(priority),
                    **(values or {})})
    return runs | {'duration_s': duration_s, 'cores': os.cpu_count()}


def _record(scene: SimulatedScene, bag: Path, packets_per_s: int) -> None:
    """Write a scene's packets to a bag, as a driver would send them."""
    store, writer = typestore(), BagWriter(bag)
    write = writer.add_topic('/event_camera/events', EVENT_PACKET)
    for due in simulated_packets(scene, 1_000_000 // packets_per_s, 'event_camera'):
        packet = due.packet
        stamp = store.types['builtin_interfaces/msg/Time'](*divmod(packet.stamp_ns, 10**9))
        message = store.types[EVENT_PACKET](
            header=store.types['std_msgs/msg/Header'](stamp, packet.frame_id),
            height=packet.height, width=packet.width, seq=packet.seq, time_base=packet.time_base,
            encoding=packet.encoding, is_bigendian=False,
            events=np.frombuffer(bytes(packet.payload), np.uint8))
        write(packet.stamp_ns, store.serialize_cdr(message, EVENT_PACKET))
    writer.close()


def run_graph(folder: Path, duration_s: float, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the figures of one run and the resource usage of its processes.

    Args:
        folder: folder for the bag and logs; created.
        duration_s: approximate duration of the playback.
        values: arguments of the graph.

    Raises:
        InputError: a node failed to start.
    """
    bag = folder / 'bag'
    nodes = graph(driver='player', values={'record': str(bag), **values},
                  more={'event_player': {'subscribers': 3},
                        'recorder': {'idle_s': 2.0, 'complete': True}})
    folder.mkdir()
    with own_domain() as domain, Supervisor(
            nodes, params_file=share() / 'config' / 'hybrid_pose.yaml', logs=folder / 'logs',
            environment=os.environ | domain) as supervisor:
        samples = _watch(supervisor, [node.name for node in nodes], duration_s)
        restarts = {name: count for name, count in supervisor.restarts.items() if count}
        scheduling = os.sched_getscheduler(supervisor.pid('snn_tracker'))
        pids = {supervisor.pid(node.name) for node in nodes}
        stopping_s = time.monotonic()
        supervisor.stop()
        shutdown_s = time.monotonic() - stopping_s
    report = run_report(bag)
    return {name: report.get(name) for name in FIGURES} | {
        'processes': {name: _figures(of_one) for name, of_one in samples.items()},
        'restarts': restarts, 'shutdown_s': round(shutdown_s, 2),
        'realtime': scheduling == os.SCHED_RR,
        'segments_left': len(segments_of(pids))}


class Sample(NamedTuple):
    """Resource usage of one process up to a time."""

    at_s: float
    cpu_s: float
    resident_mib: float
    handles: int


def _watch(supervisor: Supervisor, names: list[str], duration_s: float) -> dict[str, list[Sample]]:
    """Wait until the recorder has exited; return samples of each process during playback."""
    deadline = time.monotonic() + START_S + 3 * duration_s
    samples: dict[str, list[Sample]] = {}
    while 'recorder' not in (done := supervisor.check()):
        if time.monotonic() > deadline or any(done.values()):
            raise InputError('the graph did not run: see `hybrid-pose demo` and its logs')
        playing = 'played' in supervisor.log('event_player').read_text()
        if playing and 'event_player' not in done:
            for name in names:
                if (sample := _sample(supervisor, name)) is not None:
                    samples.setdefault(name, []).append(sample)
        time.sleep(0.25)
    return samples


def _sample(supervisor: Supervisor, name: str) -> Sample | None:
    try:
        process = psutil.Process(supervisor.pid(name))
        times, resident = process.cpu_times(), process.memory_info().rss
        if not resident:  # exiting, with its memory already released
            return None
        return Sample(time.monotonic(), times.user + times.system, resident / 2 ** 20,
                      process.num_fds())
    except psutil.Error:  # the process has just exited
        return None


def _figures(samples: list[Sample]) -> dict[str, float]:
    """Return a process's CPU load, and its memory and handles at the start, middle and end."""
    first, middle, last = samples[0], samples[len(samples) // 2], samples[-1]
    seconds = max(1e-3, last.at_s - first.at_s)
    return {'cores': round((last.cpu_s - first.cpu_s) / seconds, 3),
            'resident_mib_at_start': round(first.resident_mib, 1),
            'resident_mib_in_the_middle': round(middle.resident_mib, 1),
            'resident_mib': round(last.resident_mib, 1),
            'handles_in_the_middle': middle.handles, 'handles': last.handles}
