# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes whose host clock is set, or whose ROS clock stands still."""

import time

import pytest
from event_camera_msgs.msg import EventPacket
from live_graph import EVENTS, NODES, SKELETON, Camera, States
from rclpy.clock import ROSClock
from rclpy.clock_type import ClockType
from rclpy.impl import rcutils_logger
from visualization_msgs.msg import MarkerArray

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.msg import Skeleton2D, TrackerStatus
from hybrid_pose_ros.nodes.clocks import LONGEST_WAIT_NS, received_ns
from hybrid_pose_ros.nodes.qos import EVENTS_QOS
from hybrid_pose_ros.recordings.rig_files import save_rig

CHUNK_US = 40_000
HOUR_NS = 3600 * 10**9
NOW_NS = 1_780_000_000 * 10**9


@pytest.mark.parametrize('name', NODES)
def test_every_timer_of_a_node_is_on_the_steady_clock(live, name, tmp_path):
    if name == 'ros4hri':
        pytest.importorskip('hri_msgs')
    parameters = {}
    if name == 'triangulator':
        parameters['rig'] = str(tmp_path / 'rig.yaml')
        save_rig(dhp19_rig(2), tmp_path / 'rig.yaml')
    packets = live.listen(EVENTS, EventPacket, EVENTS_QOS)
    node = live.start(name, **parameters)
    if name == 'event_player':  # its threads end in time once the simulation is compiled
        live.spin_until(lambda: packets, 'a packet')
    assert {timer.clock.clock_type for timer in node.timers} == {ClockType.STEADY_TIME}


def test_reports_and_markers_go_on_while_the_ros_clock_stands_still(live):
    """A simulated clock that nobody publishes is one that stopped at 0."""
    poses = live.listen(SKELETON, Skeleton2D)
    markers = live.listen('/skeleton_markers/markers', MarkerArray)
    statuses = live.listen('/snn_tracker/status', TrackerStatus)
    for name in ('snn_tracker', 'ann_initializer', 'skeleton_markers'):
        live.start(name, use_sim_time=True)
    camera = Camera(live, listeners=2)
    camera.send(2 * CHUNK_US)
    live.spin_until(lambda: poses, 'the first pose')
    live.spin_until(lambda: markers, 'markers')
    for name in ('snn_tracker', 'ann_initializer', 'skeleton_markers'):
        live.report(name)
    known = len(statuses)
    live.spin_until(lambda: len(statuses) > known + 1, 'two more messages of ~/status')


@pytest.mark.parametrize('step_ns', (HOUR_NS, -120 * 10**9, -NOW_NS))
def test_a_step_of_the_host_clock_merges_no_bins_and_spoils_no_latency(live, monkeypatch, step_ns):
    """The middleware's times of reception are as if from another recording then."""
    poses = live.listen(SKELETON, Skeleton2D)
    live.start('snn_tracker', merge_lag_us=60_000_000)
    host_ns = time.time_ns
    notices, camera = States(live), Camera(live, listeners=1)
    camera.send(CHUNK_US)
    live.report('snn_tracker', lambda values: int(values.get('steps', 0)) >= 39)
    notices.announce(notices.write(30_000))
    live.spin_until(lambda: poses, 'the first pose')
    monkeypatch.setattr(time, 'time_ns', lambda: host_ns() + step_ns)
    known = len(poses)
    camera.send(CHUNK_US)
    live.spin_until(lambda: poses[-1].sensor_time_us >= camera.now_us - 1_000, 'the last pose')
    assert all(0 <= pose.packet_latency_ms < 60_000 for pose in poses[known:])
    report = live.report('snn_tracker')
    assert report['merged_steps'] == '0'
    assert 0 <= float(report['queue_ms_p99']) < 60_000


def test_warnings_come_while_the_host_clock_stands_still(live, monkeypatch):
    """A clock that was set back is one that stands still until it has caught up."""
    stopped = ROSClock()
    stopped._set_ros_time_is_active(True)
    monkeypatch.setitem(rcutils_logger.Throttle.params, 'throttle_time_source_type', stopped)
    live.start('snn_tracker')
    camera = Camera(live, listeners=1)
    camera.send_packet(encoding='unknown')
    assert 'unknown' in live.warnings('snn_tracker')[0]


def test_a_time_of_reception_that_cannot_be_is_replaced_by_the_present():
    def received(time_ns: int) -> int:
        return received_ns({'received_timestamp': time_ns}, NOW_NS)
    assert received(NOW_NS - 5_000_000) == NOW_NS - 5_000_000
    assert received(NOW_NS) == NOW_NS
    for impossible_ns in (0, NOW_NS + 1, NOW_NS - LONGEST_WAIT_NS - 1, NOW_NS - HOUR_NS):
        assert received(impossible_ns) == NOW_NS
    minute_ns = {'received_timestamp': NOW_NS - 60 * 10**9}
    assert received_ns(minute_ns, NOW_NS, longest_ns=61 * 10**9) == NOW_NS - 60 * 10**9
    assert received_ns(minute_ns, NOW_NS, longest_ns=59 * 10**9) == NOW_NS
