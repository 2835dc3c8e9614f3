# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole graph for a long time, across wraps of the clock, while nodes are restarted in turn.

SOAK_S is the duration [s of sensor time], SOAK_REPORT a file for the report (also printed).
"""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from labeled_clips import write_long
from live_graph import DEEP, SKELETONS, LiveGraph, open_graph

from hybrid_pose_ros.events.clock import EVT3_PERIOD_US, nearest_turn
from hybrid_pose_ros.graph.description import graph, share
from hybrid_pose_ros.graph.supervision import RESTARTS, Supervisor
from hybrid_pose_ros.msg import Skeleton2DArray
from hybrid_pose_ros.nodes.messages import from_time

DURATION_S = 120.0
KILLED = ['ann_initializer', 'snn_tracker', 'skeleton_markers', 'recorder']
DEACTIVATED = ['ann_initializer', 'snn_tracker']
COUNTS = ['states', 'states_too_old', 'merged_steps', 'left_out_steps', 'lost_packets',
          'restarts', 'gaps']


class Tally:
    """What the tracker publishes and reports, whichever process it is."""

    def __init__(self, live: LiveGraph):
        """Listen; nothing has been seen."""
        self.poses = self.stale = 0
        self.missing = 0  # as the next pose says: the machine was too slow
        self.unexplained = 0  # missing, and no pose says so
        self.counts = dict.fromkeys(COUNTS, 0)
        self.reports: dict[str, int] = {}  # by node
        self.now_us: int | None = None  # sensor time of the newest pose, wraps included
        self.state_us = 0  # of the events that its state has seen
        self.tracker_is_away = True  # a gap in the poses is not one of the tracker
        self._last: dict[str, int] = {}
        self._stamp_us = 0  # of the newest pose
        live.listener.create_subscription(Skeleton2DArray, SKELETONS, self._on_poses, DEEP)
        live.listener.create_subscription(DiagnosticArray, '/diagnostics', self._on_reports, DEEP)

    def _on_poses(self, message: Skeleton2DArray) -> None:
        for pose in message.skeletons:
            stamp_us = from_time(pose.header.stamp) // 1000
            before_us = pose.sensor_time_us if self.now_us is None else self.now_us
            # A tracker may take longer than half a turn to come back: stamps bridge that.
            self.now_us = nearest_turn(
                pose.sensor_time_us, before_us + stamp_us - (self._stamp_us or stamp_us))
            self._stamp_us = stamp_us
            self.state_us = self.now_us - pose.state_age_us
            self.poses += 1
            self.stale += pose.stale
            if not self.tracker_is_away:
                self.missing += pose.skipped_steps
                step = round((self.now_us - before_us) / pose.step_us)
                self.unexplained += max(0, step - 1 - pose.skipped_steps)

    def _on_reports(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.reports[status.name] = self.reports.get(status.name, 0) + 1
            if status.name == 'snn_tracker':
                values = {pair.key: pair.value for pair in status.values}
                now = {key: int(values.get(key, 0)) for key in COUNTS}
                for key, value in now.items():  # another process counts from 0
                    last = self._last.get(key, 0)
                    self.counts[key] += value - last if value >= last else value
                self._last = now


class Soak:
    """The graph in processes, of which one at a time is restarted."""

    def __init__(self, live: LiveGraph, folder: Path, recording: Path):
        """Start the graph on a recording, and wait for poses."""
        nodes = graph(
            driver='player', values={'recording': str(recording), 'record': str(folder / 'bag')},
            more={'event_player': {'subscribers': 3}})
        self._live, self.tally = live, Tally(live)
        self._supervisor = live.own(Supervisor(
            nodes, params_file=share() / 'config' / 'hybrid_pose.yaml', logs=folder / 'logs'))
        self.recovery_s: dict[str, list[float]] = {}
        self._await_new_state(-1, 'the first pose')
        self.tally.tracker_is_away = False

    def run_until(self, sensor_us: int) -> None:
        """Let the graph run up to a sensor time; it is slower on a machine that is too slow."""
        self._live.spin_until(self._is_alive_and(lambda: self.tally.now_us >= sensor_us),
                              'poses up to the next restart')

    def restart(self, name: str, how: str) -> None:
        """Kill or deactivate a node; wait until its work has resumed."""
        self.tally.tracker_is_away = name == 'snn_tracker'
        asked, asked_us = time.monotonic(), self.tally.now_us
        self._kill(name) if how == 'killed' else self._deactivate(name)
        if name in DEACTIVATED:
            self._await_new_state(asked_us, f'poses from a state after {name} was {how}')
        else:
            reports = self.tally.reports.get(name, 0)
            self._live.spin_until(
                self._is_alive_and(lambda: self.tally.reports.get(name, 0) > reports),
                f'a report of {name}')
        self.recovery_s.setdefault(f'{name} {how}', []).append(
            round(time.monotonic() - asked, 2))
        self.tally.tracker_is_away = False

    def _await_new_state(self, after_us: int, what: str) -> None:
        self._live.spin_until(self._is_alive_and(
            lambda: self.tally.now_us is not None and self.tally.state_us > after_us), what)

    def _kill(self, name: str) -> None:
        pid = self._supervisor.pid(name)
        os.kill(pid, signal.SIGKILL)
        self._live.spin_until(self._is_alive_and(lambda: self._supervisor.pid(name) != pid),
                              f'another {name}')

    def _deactivate(self, name: str) -> None:
        client = self._live.listener.create_client(ChangeState, f'/{name}/change_state')
        self._live.spin_until(client.service_is_ready, f'the service of {name}')
        for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE):
            future = client.call_async(
                ChangeState.Request(transition=Transition(id=transition)))
            self._live.spin_until(future.done, f'an answer of {name}')
            assert future.result().success
        self._live.listener.destroy_client(client)

    def _is_alive_and(self, condition):
        """Return a condition that also restarts what was killed, and fails where a node ended."""
        def holds() -> bool:
            ended = self._supervisor.check()
            assert not ended, f'nodes ended: {ended}'
            return condition()
        return holds


@pytest.mark.slow
def test_poses_resume_after_every_restart_on_whichever_side_of_a_wrap(tmp_path):
    duration_s = float(os.environ.get('SOAK_S', DURATION_S))
    ways = [(name, 'killed') for name in KILLED] + [
        (name, 'deactivated') for name in DEACTIVATED]
    rounds = int(min(RESTARTS, max(1, duration_s // 60)))
    # Restarts may take longer than planned. A scene simulated live may fall behind.
    recording = write_long(tmp_path / 'long.raw', round(2 * duration_s) + 600)
    with open_graph() as live:
        soak = Soak(live, tmp_path, recording)
        began, began_us = time.monotonic(), soak.tally.now_us
        for number in range(rounds * len(ways)):
            soak.restart(*ways[number % len(ways)])
            soak.run_until(began_us + round(
                1e6 * duration_s * (number + 1) / (rounds * len(ways))))
        tally = soak.tally
        report = {
            'duration_s': round(time.monotonic() - began, 1), 'sensor_time_s': duration_s,
            'turns_of_the_clock': (tally.now_us - began_us) // EVT3_PERIOD_US,
            'poses': tally.poses, 'stale_poses': tally.stale,
            'poses_missing_outside_of_restarts': tally.missing,
            'missing_and_not_reported': tally.unexplained, **tally.counts,
            'recovery_s': soak.recovery_s}
    print(json.dumps(report, indent=2))
    if 'SOAK_REPORT' in os.environ:
        Path(os.environ['SOAK_REPORT']).write_text(json.dumps(report, indent=2))
    assert sum(map(len, soak.recovery_s.values())) == rounds * len(ways)
    assert report['turns_of_the_clock'] >= 1e6 * duration_s // EVT3_PERIOD_US
    # A machine that is too slow may miss poses and, for a second or more, packets: a gap.
    assert tally.unexplained == 0 or tally.counts['gaps']
