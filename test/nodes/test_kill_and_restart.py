# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Each node's process is killed in turn: the rest goes on, it comes back, poses resume."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from labeled_clips import write_long
from live_graph import SKELETON, SKELETONS, STATE, LiveGraph, open_graph
from ring_states import segments
from visualization_msgs.msg import MarkerArray

from hybrid_pose_ros.graph.description import TOPICS, graph, share
from hybrid_pose_ros.graph.supervision import Supervisor
from hybrid_pose_ros.msg import Skeleton2D, StateTensors
from hybrid_pose_ros.nodes.messages import from_time
from hybrid_pose_ros.recorded_runs.run_report import run_report

LATER_NS = 300_000_000
LONG_S = 1200


def stamp_ns(message) -> int:
    """Return the time of the events that a message is about."""
    stamped = message.markers[0] if isinstance(message, MarkerArray) else message
    return from_time(stamped.header.stamp)


class Running:
    """The whole graph in processes, and what it says."""

    def __init__(self, supervisor: Supervisor, live: LiveGraph, folder: Path):
        self.supervisor, self.live, self.folder = supervisor, live, folder
        self.kills = dict.fromkeys(supervisor.restarts, 0)
        self.skeletons = live.listen(SKELETON, Skeleton2D)
        self.states = live.listen(STATE, StateTensors)
        self.markers = live.listen('/skeleton_markers/markers', MarkerArray)
        self.reports = live.listen('/diagnostics', DiagnosticArray)

    def wait_for(self, messages: list, what: str, condition=lambda message: True) -> None:
        """Wait for a message about a time that is still to come: no killed node has sent it.

        Nodes that die are started again meanwhile.
        """
        first, from_ns = len(messages), time.time_ns() + LATER_NS

        def found() -> bool:
            assert not self.supervisor.check(), self.logs()
            return any(condition(message) for message in messages[first:]
                       if stamp_ns(message) > from_ns)
        self.live.spin_until(found, what)

    def kill(self, name: str) -> None:
        """Kill a node's process, and wait until another is there."""
        pid = self.supervisor.pid(name)
        os.kill(pid, signal.SIGKILL)
        self.kills[name] += 1
        self.live.spin_until(
            lambda: not self.supervisor.check() and self.supervisor.pid(name) != pid,
            f'another {name}')

    def recorded_poses(self) -> int:
        """Return how many messages with poses the recorder has, by its last report."""
        counts = [int(value.value) for report in self.reports for status in report.status
                  if status.name == 'recorder' for value in status.values
                  if value.key == SKELETONS]
        return counts[-1] if counts else 0

    def logs(self) -> str:
        """Return what all nodes have written."""
        return '\n'.join(path.read_text() for path in (self.folder / 'logs').iterdir())


@contextmanager
def endless(folder: Path) -> Iterator[Running]:
    """Start the graph with a recording that outlasts the tests."""
    recording = write_long(folder / 'long.raw', LONG_S)
    nodes = graph(
        driver='player', values={'recording': str(recording), 'record': str(folder / 'bag'),
                                 'step_us': '10000', 'ann_rate_hz': '10'},
        more={'event_player': {'subscribers': 3}})
    with open_graph() as live:
        supervisor = live.own(Supervisor(
            nodes, params_file=share() / 'config' / 'hybrid_pose.yaml', logs=folder / 'logs'))
        running = Running(supervisor, live, folder)
        running.wait_for(running.skeletons, 'the first pose')
        running.wait_for(running.markers, 'the first markers')
        yield running


@pytest.fixture
def running(keep, tmp_path_factory) -> Running:
    """Return the graph, started again after a failed test."""
    return keep(lambda: endless(tmp_path_factory.mktemp('kills')))


def test_the_whole_graph_offers_the_topics_of_its_description(running):
    def offered() -> dict[str, list[str]]:
        return {topic: types for topic, types in
                running.live.listener.get_topic_names_and_types()
                if topic not in ('/rosout', '/parameter_events')}
    running.live.spin_until(lambda: len(offered()) >= len(TOPICS), 'all topics')
    assert offered() == {topic: [kind] for topic, kind in TOPICS.items()}


def test_poses_go_on_without_the_initializer_and_its_next_states_are_used(running):
    old = {state.segment for state in running.states}
    running.kill('ann_initializer')
    running.wait_for(running.skeletons, 'poses without an initializer')
    running.wait_for(running.states, 'a state of the new initializer',
                     lambda state: state.segment not in old)
    running.wait_for(running.skeletons, 'poses from its states',
                     lambda pose: pose.state_age_us < 100_000)
    new = {state.segment for state in running.states} - old
    assert len(new) == 1 and new <= segments()
    assert not old & segments()  # the new one has collected what the killed one left


def test_the_tracker_comes_back_and_poses_resume(running):
    running.kill('snn_tracker')
    running.wait_for(running.states, 'states without a tracker')
    running.wait_for(running.skeletons, 'poses of the new tracker')


def test_markers_come_back_and_poses_did_not_stop(running):
    running.kill('skeleton_markers')
    running.wait_for(running.skeletons, 'poses without markers')
    running.wait_for(running.markers, 'markers of the new node')


def test_the_player_begins_anew_and_the_poses_with_it(running):
    known, last_us = len(running.skeletons), running.skeletons[-1].sensor_time_us
    running.kill('event_player')
    running.wait_for(running.skeletons, 'poses of the scene that began anew',
                     lambda pose: pose.sensor_time_us < last_us)
    stamps = [pose.sensor_time_us for pose in running.skeletons[known - 1:]]
    assert sum(before >= after for before, after in zip(stamps, stamps[1:])) == 1


def test_the_recorder_comes_back_with_a_bag_of_its_own_and_the_first_can_be_read(running):
    running.kill('recorder')
    running.reports.clear()
    running.wait_for(running.skeletons, 'poses without a recorder')
    running.live.spin_until(lambda: running.recorded_poses() > 0, 'poses in a second bag')
    report = run_report(running.folder / 'bag')
    assert report['cut_short']
    assert report['poses'] > 0 and report['states'] > 0 and report['packets'] > 0


def test_everything_is_clean_when_the_graph_has_stopped(running):
    used = {state.segment for state in running.states}
    running.wait_for(running.skeletons, 'poses of the graph')
    running.supervisor.stop()
    assert not used & segments()
    assert 'Traceback' not in running.logs()
    last = run_report(max(running.folder.glob('bag*')))
    assert last['cut_short'] == '' and last['poses'] > 0
    assert running.supervisor.restarts == running.kills  # no process has died by itself
