# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a node reports when no event packet comes: when, and the reason."""

import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from child_processes import started
from live_graph import DEADLINE_S, EVENTS, Camera, LiveGraph
from rclpy.node import Node
from rclpy.timer import Timer

from hybrid_pose_ros.nodes import event_input
from hybrid_pose_ros.nodes.clocks import steady_timer

OTHER_USER = Path(__file__).parents[1] / 'other_user.py'
NOBODY = 65_534
root_only = pytest.mark.skipif(os.getuid() != 0, reason='needs root, to run as another user')


@pytest.fixture
def by_hand(live, monkeypatch) -> LiveGraph:
    """Return a graph whose nodes count 5 s of silence in ticks that only the test makes."""
    monkeypatch.setattr(event_input, 'SILENCE_S', 5.0)
    monkeypatch.setattr(event_input, 'TICK_S', 1e6)
    return live


def ticks_of(node: Node, monkeypatch) -> Timer:
    """Return the timer of a node's silence, which counts seconds from now on."""
    timer, = (timer for timer in node.timers if timer.timer_period_ns == 10**15)
    monkeypatch.setattr(event_input, 'TICK_S', 1.0)
    return timer


def test_silence_is_reported_after_five_seconds_and_again_every_thirty(by_hand, monkeypatch):
    ticks = ticks_of(by_hand.start('snn_tracker'), monkeypatch)
    due = 0
    for second in range(1, 66):
        due += second in (5, 35, 65)
        ticks.callback()
        assert len(by_hand.warnings('snn_tracker', due)) == due
    assert by_hand.log('snn_tracker') == [
        f'no event packet on {EVENTS} for {silent_s} s: the topic has no publisher: start a '
        'driver '
        'or remap ~/events' for silent_s in (5, 35, 65)]


def test_packets_that_came_while_a_node_was_held_up_break_the_silence(by_hand, monkeypatch):
    """The timer was called before the packets were taken, and warned of a camera that runs."""
    monkeypatch.setattr(event_input, 'SILENCE_S', 1e9)  # until the middleware has the packet
    ticks = ticks_of(by_hand.start('snn_tracker'), monkeypatch)
    camera = Camera(by_hand, listeners=1)
    camera.send(4_000)
    deadline = time.monotonic() + DEADLINE_S
    while not ticks.is_canceled():  # as it is once there was a packet
        assert time.monotonic() < deadline
        ticks.callback()
    by_hand.report('snn_tracker', lambda values: values['packets'] == '1')
    assert by_hand.log('snn_tracker') == []


def test_a_timer_that_was_held_up_fires_once(live):
    """So that seconds in which another node of the process was made are not counted."""
    period_s, fired = 0.05, []
    steady_timer(live.listener, period_s, lambda: fired.append(time.monotonic()))
    held_up_s = time.monotonic() + 20 * period_s
    while time.monotonic() < held_up_s:
        pass
    live.spin_until(lambda: len(fired) >= 4, 'the timer')
    assert len(fired) - 1 <= (fired[-1] - held_up_s) / period_s + 1


@contextmanager
def driver_of_another_user(live: LiveGraph):
    """Run a driver as `nobody`, from when it is known until the end of the block."""
    with started(sys.executable, OTHER_USER, NOBODY) as driver:
        try:
            live.spin_until(lambda: live.listener.count_publishers(EVENTS) == 1
                            or driver.poll() is not None, 'the driver')
            assert driver.poll() is None, driver.stderr.read()
            yield
        finally:
            driver.send_signal(signal.SIGTERM)  # removes its shared memory
            driver.wait(DEADLINE_S)


@root_only
def test_shared_memory_of_another_user_is_named_as_the_reason(live, monkeypatch):
    monkeypatch.setattr(event_input, 'TICK_S', 0.05)
    monkeypatch.setattr(event_input, 'SILENCE_S', 0.5)
    with driver_of_another_user(live):
        live.start('snn_tracker')
        warning = live.warnings('snn_tracker')[0]
    assert '1 publisher(s), but no packets: shared memory' in warning
    assert 'uid 65534, this node runs as uid 0' in warning
    assert 'FASTDDS_BUILTIN_TRANSPORTS=UDPv4' in warning


@root_only
def test_over_udp_the_packets_of_another_user_arrive(monkeypatch, request):
    monkeypatch.setenv('FASTDDS_BUILTIN_TRANSPORTS', 'UDPv4')
    monkeypatch.delenv('ROS_AUTOMATIC_DISCOVERY_RANGE', raising=False)  # LOCALHOST ignores it
    live = request.getfixturevalue('live')
    with driver_of_another_user(live):
        live.start('snn_tracker')
        live.report('snn_tracker', lambda values: int(values['packets']) >= 10)
