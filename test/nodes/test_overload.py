# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes in processes that are flooded, starved and killed: poses go on, and all recover."""

import array
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from child_processes import started
from diagnostic_msgs.msg import DiagnosticStatus
from live_graph import (
    DEADLINE_S, PERIOD_US, SKELETON, STATE, Camera, LiveGraph, moving_bar, open_graph, stamps_us)

from hybrid_pose_ros.graph.description import NETWORK, graph
from hybrid_pose_ros.graph.supervision import Supervisor
from hybrid_pose_ros.msg import Skeleton2D, StateTensors
from hybrid_pose_ros.tracking.tracker_params import TrackerParams

STEP_US = 1_000
CHUNK_US = 40_000
MAX_AGE_US, MAX_LAG_US = TrackerParams().max_age_us, TrackerParams().max_lag_us


class Running:
    """Tracker and initializer, each in a process, and a camera whose clock the test drives."""

    def __init__(self, supervisor: Supervisor, live: LiveGraph):
        self.supervisor, self.live = supervisor, live
        self.skeletons = live.listen(SKELETON, Skeleton2D)
        self.states = live.listen(STATE, StateTensors)
        self.camera = Camera(live, listeners=2)
        self.send_until(self.is_well, 'poses of young states')

    def send_until(self, condition: Callable[[], bool], what: str) -> None:
        """Send chunks until a condition holds, ever slower for a machine that is busy."""
        deadline, pause_s = time.monotonic() + DEADLINE_S, CHUNK_US * 1e-6
        while not condition():
            assert time.monotonic() < deadline, f'sent events, and waited for {what}'
            self.camera.send(CHUNK_US)
            until, pause_s = time.monotonic() + pause_s, 1.02 * pause_s
            self.live.spin_until(lambda: condition() or time.monotonic() > until, what)

    def is_well(self) -> bool:
        """Return whether the newest pose is of now, and its state young."""
        return bool(self.skeletons) and self.has_seen(self.camera.now_us) \
            and not self.skeletons[-1].stale

    def has_seen(self, now_us: int) -> bool:
        """Return whether there is a pose of the last complete bin before a time."""
        return self.skeletons[-1].sensor_time_us >= now_us - STEP_US

    def pass_time(self, duration_us: int) -> list[Skeleton2D]:
        """Send events no faster than poses come of them; return these."""
        first = len(self.skeletons)
        for _ in range(duration_us // CHUNK_US):
            self.camera.send(CHUNK_US)
            self.live.spin_until(lambda: self.has_seen(self.camera.now_us), 'the last pose')
        return self.skeletons[first:]

    def burst(self, duration_us: int) -> None:
        """Send events all at once, as fast as they can be sent."""
        camera, payloads = self.camera, []
        for _ in range(duration_us // PERIOD_US):
            events = moving_bar(camera.now_us, camera.now_us + PERIOD_US)
            camera.now_us += PERIOD_US
            payloads.append(array.array('B', camera._encoder.encode(events)))
        for payload in payloads:
            camera.send_packet(events=payload)

    @contextmanager
    def starved(self, name: str) -> Iterator[None]:
        """Let a process have what a busy loop beside it leaves, which is nice to nobody."""
        pid = self.supervisor.pid(name)
        core, cores = min(os.sched_getaffinity(pid)), os.sched_getaffinity(pid)
        for thread in map(int, os.listdir(f'/proc/{pid}/task')):
            os.setpriority(os.PRIO_PROCESS, thread, 19)
            os.sched_setaffinity(thread, {core})
        with started(sys.executable, '-c', 'while True: pass') as loop:
            os.sched_setaffinity(loop.pid, {core})
            try:
                yield
            finally:
                for thread in map(int, os.listdir(f'/proc/{pid}/task')):
                    os.sched_setaffinity(thread, cores)

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """Give a process no time at all meanwhile."""
        os.kill(self.supervisor.pid(name), signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.supervisor.pid(name), signal.SIGCONT)

    def says(self, text: str) -> list[DiagnosticStatus]:
        """Return the tracker's reports with a text in their message."""
        return [status for status in self.live.statuses('snn_tracker') if text in status.message]

    def value(self, name: str) -> int:
        """Return a value of the tracker's next report."""
        return int(self.live.report('snn_tracker')[name])


@contextmanager
def network(logs: Path) -> Iterator[Running]:
    """Start tracker and initializer."""
    nodes = [node for node in graph() if node.name in NETWORK]
    with open_graph() as live:
        yield Running(live.own(Supervisor(nodes, logs=logs)), live)


@pytest.fixture
def running(keep, tmp_path_factory) -> Running:
    """Return tracker and initializer, started again after a failed test."""
    return keep(lambda: network(tmp_path_factory.mktemp('logs')))


@pytest.fixture
def well(running) -> Running:
    """Return the graph when whatever was done to it before has passed."""
    running.send_until(running.is_well, 'recovery')
    running.live.report('snn_tracker')  # what it says from now on is of now
    return running


def assert_every_missing_pose_is_told(skeletons: list[Skeleton2D]) -> None:
    stamps = stamps_us(skeletons)
    for before, after, pose in zip(stamps, stamps[1:], skeletons[1:]):
        assert after - before == STEP_US * (1 + pose.skipped_steps)


def test_a_flooded_tracker_takes_bins_together_and_says_so(well):
    first, hurried = len(well.skeletons), well.value('merged_steps') + well.value('left_out_steps')
    reports = len(well.says('overloaded'))
    began_us = well.camera.now_us
    for _ in range(20):
        well.burst(1_000_000)
        well.live.report('snn_tracker')
        if len(well.says('overloaded')) > reports:
            break
    assert len(well.says('overloaded')) > reports
    assert well.says('overloaded')[-1].level == DiagnosticStatus.WARN
    well.send_until(well.is_well, 'recovery')
    told = sum(pose.skipped_steps for pose in well.skeletons[first:])
    assert told > MAX_LAG_US // STEP_US
    hurried = well.value('merged_steps') + well.value('left_out_steps') - hurried
    assert told <= hurried  # a long step has a pose for its last bin
    assert_every_missing_pose_is_told(well.skeletons[first:])
    assert len(well.skeletons[first:]) < (well.camera.now_us - began_us) // STEP_US - told // 2


def test_after_a_flood_every_bin_has_a_pose_again(well):
    well.burst(1_000_000)
    well.send_until(well.is_well, 'recovery')
    well.live.report('snn_tracker')
    reports = len(well.says('overloaded'))
    poses = well.pass_time(20 * CHUNK_US)
    assert len(poses) == 20 * CHUNK_US // STEP_US
    assert sum(pose.skipped_steps for pose in poses) == 0
    well.live.report('snn_tracker')
    assert len(well.says('overloaded')) == reports


def test_a_tracker_that_got_no_time_jumps_to_the_newest_state(well):
    first, left_out = len(well.skeletons), well.value('left_out_steps')
    with well.stopped('snn_tracker'):
        known = len(well.states)
        well.burst(1_000_000)
        well.live.spin_until(lambda: len(well.states) > known and well.states[-1].sensor_time_us
                             > well.camera.now_us - 200_000, 'a state of the newest events')
        assert len(well.skeletons) <= first + 40
    well.send_until(well.is_well, 'recovery')
    assert well.value('left_out_steps') - left_out > MAX_LAG_US // STEP_US
    told = sum(pose.skipped_steps for pose in well.skeletons[first:])
    assert told > MAX_LAG_US // STEP_US
    assert_every_missing_pose_is_told(well.skeletons[first:])


def check_that_poses_go_on_and_become_stale(running: Running) -> None:
    """Without an initializer: no pose is missing, and all of old states say so."""
    asked, warnings = running.value('requests_old_state'), len(running.says('poses stale'))
    poses = running.pass_time(15 * CHUNK_US)
    assert len(poses) == 15 * CHUNK_US // STEP_US
    assert poses[-1].state_age_us > MAX_AGE_US
    assert all(pose.stale == (pose.state_age_us > MAX_AGE_US) for pose in poses)
    running.live.spin_until(lambda: len(running.says('poses stale')) > warnings, 'a warning')
    assert running.value('requests_old_state') > asked


def test_poses_of_a_killed_initializer_go_stale_until_it_is_back(well):
    os.kill(well.supervisor.pid('ann_initializer'), signal.SIGKILL)
    check_that_poses_go_on_and_become_stale(well)
    assert well.supervisor.check() == {}
    assert well.supervisor.restarts['ann_initializer'] == 1
    well.send_until(well.is_well, 'poses of the new initializer\'s states')


def test_poses_of_a_stopped_initializer_go_stale_until_it_gets_time_again(well):
    with well.stopped('ann_initializer'):
        check_that_poses_go_on_and_become_stale(well)
    well.send_until(well.is_well, 'poses of young states')
    poses = well.pass_time(5 * CHUNK_US)
    assert not any(pose.stale for pose in poses)


def test_an_initializer_of_nice_19_beside_a_busy_loop_delays_no_pose(well):
    first, warnings = len(well.skeletons), len(well.says('poses stale'))
    with well.starved('ann_initializer'):
        deadline = time.monotonic() + DEADLINE_S
        while not any(pose.stale for pose in well.skeletons[first:]):
            assert time.monotonic() < deadline, 'its states stay young'
            well.pass_time(5 * CHUNK_US)
        well.live.spin_until(lambda: len(well.says('poses stale')) > warnings, 'a warning')
    assert sum(pose.skipped_steps for pose in well.skeletons[first:]) == 0
    well.send_until(well.is_well, 'poses of young states')
