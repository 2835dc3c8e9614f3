# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters that are set, by the parameter services, while poses flow: the effect of each."""

import array
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from live_graph import (
    EVENTS, HEIGHT, OVERLAY, SKELETON, STATE, WIDTH, Camera, LiveGraph, States)
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import DescribeParameters, SetParametersAtomically
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.graph.description import SETTINGS
from hybrid_pose_ros.msg import Skeleton2D, StateTensors
from hybrid_pose_ros.nodes.parameters import SettingsNode, declare
from hybrid_pose_ros.settings import param, parameters_of

CHUNK_US = 40_000
CALM = {'max_age_us': 60_000_000, 'least_confidence': 0.0, 'rate_jump': 1e6,
        'quiet_events_per_s': 0.0}
"""A tracker that asks for no state once it has one."""


def call(live: LiveGraph, kind: type, service: str, request: Any) -> Any:
    """Return the response of a service."""
    client = live.listener.create_client(kind, service)
    live.spin_until(client.service_is_ready, service)
    future = client.call_async(request)
    live.spin_until(future.done, f'the response of {service}')
    live.listener.destroy_client(client)
    return future.result()


def change(live: LiveGraph, node: str, **values: Any) -> SetParametersResult:
    """Set parameters of a node, all or none."""
    request = SetParametersAtomically.Request(parameters=[
        Parameter(name, value=value).to_parameter_msg() for name, value in values.items()])
    return call(live, SetParametersAtomically, f'/{node}/set_parameters_atomically',
                request).result


def accept(live: LiveGraph, node: str, **values: Any) -> None:
    """Set parameters that the node must accept."""
    assert change(live, node, **values) == SetParametersResult(successful=True)


class Tracked:
    """A tracker with a state of zeros, and a camera that feeds it."""

    def __init__(self, live: LiveGraph, **parameters: Any):
        self.live = live
        self.poses = live.listen(SKELETON, Skeleton2D)
        self.requests = live.listen('/snn_tracker/initialize_request', String)
        self.node = live.start('snn_tracker', **CALM | parameters)
        self.states, self.camera = States(live), Camera(live, listeners=1)
        self.camera.send(CHUNK_US)
        live.report('snn_tracker', lambda values: int(values.get('steps', 0)) >= 39)
        self.states.announce(self.states.write(30_000))
        live.spin_until(lambda: self.poses, 'the first pose')

    def play(self, chunks: int = 1) -> list[Skeleton2D]:
        """Send events; return the poses of their bins."""
        known = len(self.poses)
        for _ in range(chunks):
            self.camera.send(CHUNK_US)
            self.wait()
        return self.poses[known:]

    def burst(self) -> None:
        """Send 20 ms with five times the events."""
        start_us, self.camera.now_us = self.camera.now_us, self.camera.now_us + 20_000
        times_us = np.arange(start_us, self.camera.now_us, 10)
        rows = np.arange(len(times_us)) * 7 % HEIGHT
        events = event_array(times_us, rows % WIDTH, rows, rows % 2)
        self.camera.send_packet(
            events=array.array('B', Evt3Encoder(WIDTH, HEIGHT).encode(events)))
        self.play()

    def wait(self) -> None:
        """Wait for the poses of what was sent."""
        self.live.spin_until(
            lambda: self.poses[-1].sensor_time_us >= self.camera.now_us - 1_000, 'the last pose')

    def reasons(self) -> set[str]:
        """Return why states have been requested since the first one."""
        return {request.data for request in self.requests} - {'no_state'}


def test_twice_the_throttle_rate_is_twice_the_poses_per_second_of_the_sensor(live):
    throttled = live.listen('/snn_tracker/skeleton_throttle', Skeleton2D)
    tracked = Tracked(live, throttle_hz=25.0)

    def in_half_a_second(period_us: int) -> int:
        tracked.play()
        first_us = tracked.poses[-1].sensor_time_us
        tracked.play(12)
        last = tracked.poses[-1].sensor_time_us // period_us
        live.spin_until(lambda: throttled[-1].sensor_time_us // period_us == last, 'the last one')
        return sum(pose.sensor_time_us > first_us for pose in throttled)
    assert in_half_a_second(40_000) == pytest.approx(12, abs=1)
    accept(live, 'snn_tracker', throttle_hz=50.0)
    assert in_half_a_second(20_000) == pytest.approx(24, abs=1)


def test_without_a_quiet_limit_no_joint_is_held(live):
    tracked = Tracked(live, quiet_events_per_s=1e6)
    assert list(tracked.play(3)[-1].held) == [True] * 13
    accept(live, 'snn_tracker', quiet_events_per_s=0.0)
    assert not any(any(pose.held) for pose in tracked.play())


def test_a_shorter_maximum_age_makes_poses_stale(live):
    tracked = Tracked(live)
    assert not any(pose.stale for pose in tracked.play())
    accept(live, 'snn_tracker', max_age_us=1_000)
    assert all(pose.stale for pose in tracked.play())


def test_more_confidence_is_asked_for(live):
    tracked = Tracked(live, request_interval_us=20_000)
    tracked.play(3)
    assert not tracked.reasons()
    accept(live, 'snn_tracker', least_confidence=1.0)
    tracked.play(3)
    live.spin_until(lambda: tracked.reasons() == {'low_confidence'}, 'a request')


def test_a_smaller_jump_of_the_event_rate_is_asked_about(live):
    tracked = Tracked(live, request_interval_us=20_000)
    tracked.play(3)
    tracked.burst()
    assert not tracked.reasons()
    accept(live, 'snn_tracker', rate_jump=1.5)
    tracked.play(10)
    tracked.burst()
    live.spin_until(lambda: tracked.reasons() == {'rate_jump'}, 'a request')


def test_requests_follow_each_other_at_the_new_interval(live):
    tracked = Tracked(live, least_confidence=1.0, request_interval_us=60_000_000)
    tracked.play(5)
    assert not tracked.reasons()
    accept(live, 'snn_tracker', request_interval_us=10_000)
    known = len(tracked.requests)
    tracked.play(5)
    live.spin_until(lambda: len(tracked.requests) - known >= 10, '200 ms of requests')


class Initialized:
    """An initializer and a camera that feeds it."""

    def __init__(self, live: LiveGraph, **parameters: Any):
        self.live, self.states = live, live.listen(STATE, StateTensors)
        live.start('ann_initializer', **parameters)
        self.camera = Camera(live, listeners=1)

    def play(self) -> dict[str, str]:
        """Send events; return the report after them."""
        self.camera.send(CHUNK_US)
        packets = str(self.camera.seq)
        return self.live.report('ann_initializer', lambda values: values['packets'] == packets)

    def play_until(self, condition, what: str) -> None:
        """Send events until a condition holds."""
        for _ in range(100):
            if condition():
                return
            self.play()
        assert condition(), f'sent 4 s of events without {what}'


def test_a_higher_rate_of_the_ann_is_more_states_per_second_of_the_sensor(live):
    both = Initialized(live, rate_hz=0.1)
    both.play_until(lambda: both.states, 'the first state')
    for _ in range(10):
        both.play()
    assert len(both.states) == 1
    accept(live, 'ann_initializer', rate_hz=100.0)
    both.play_until(lambda: len(both.states) >= 5, 'five states')


def test_fewer_events_are_enough_for_a_state(live):
    both = Initialized(live, min_events=1_000_000)
    for _ in range(5):
        both.play()
    assert not both.states
    accept(live, 'ann_initializer', min_events=1)
    both.play_until(lambda: both.states, 'a state')


def test_the_ann_sleeps_below_the_event_rate_that_is_set(live):
    both = Initialized(live, rate_hz=100.0, reach_us=60_000_000)
    both.play_until(lambda: len(both.states) >= 3, 'three states')
    accept(live, 'ann_initializer', sleep_events_per_s=100_000.0)
    reports = [both.play()]

    def sleeps() -> bool:  # maybe after a state that was under way
        reports.append(both.play())
        before, after = reports[-2:]
        return (int(after['states_slept']) > int(before['states_slept'])
                and after['states'] == before['states'])
    both.play_until(sleeps, 'sleep')


class Drawn:
    """A node that draws poses, which are sent to it one by one."""

    def __init__(self, live: LiveGraph, **parameters: Any):
        self.live = live
        self.node = live.start('skeleton_markers', rate_hz=100.0, **parameters)
        self.markers = live.listen('/skeleton_markers/markers', MarkerArray)
        self._poses = live.publisher('/snn_tracker/skeleton_throttle', Skeleton2D)
        self._now_us = 0

    def draw(self) -> dict:
        """Return the markers, by name, of a pose 100 ms after the one before."""
        known, self._now_us = len(self.markers), self._now_us + 100_000
        pose = Skeleton2D(
            width=640, height=480, trained=True, confidence=[0.5] * 13,
            x_px=[340.0] * 13, y_px=[250.0] * 13, sensor_time_us=self._now_us)
        pose.header.frame_id = 'lens'
        self._poses.publish(pose)
        self.live.spin_until(lambda: len(self.markers) > known, 'markers')
        return {marker.ns: marker for marker in self.markers[-1].markers}

    def change(self, **values: Any) -> dict:
        """Return the markers after parameters have been set."""
        accept(self.live, 'skeleton_markers', **values)
        return self.draw()


def test_the_depth_is_that_of_the_joints(live):
    drawn = Drawn(live, depth_m=2.0)
    assert drawn.draw()['joints'].points[0].z == 2.0
    assert drawn.change(depth_m=4)['joints'].points[0].z == 4.0  # `ros2 param set ... 4`


def test_half_the_focal_length_is_twice_the_distance_from_the_axis(live):
    drawn = Drawn(live, focal_px=500.0, depth_m=1.0)
    assert drawn.draw()['joints'].points[0].x == pytest.approx(20.5 / 500)
    assert drawn.change(focal_px=250.0)['joints'].points[0].x == pytest.approx(20.5 / 250)


def test_the_frame_is_that_of_all_markers(live):
    drawn = Drawn(live)
    drawn.draw()
    assert {marker.header.frame_id for marker in drawn.draw().values()} == {'lens'}
    assert {marker.header.frame_id
            for marker in drawn.change(frame_id='robot').values()} == {'robot'}


def test_joints_below_the_confidence_are_not_drawn(live):
    drawn = Drawn(live)
    assert 'joints' in drawn.draw()
    assert 'joints' not in drawn.change(least_confidence=0.6)


def test_a_trail_of_no_length_is_none(live):
    drawn = Drawn(live, trail_s=0.25)
    for _ in range(4):
        markers = drawn.draw()
    assert len(markers['trail'].points) == 4 * 2 * 2  # four joints, two steps of 100 ms
    assert 'trail' not in drawn.change(trail_s=0.0)


def test_the_rate_is_that_of_the_timer_and_sets_how_long_markers_live(live):
    drawn = Drawn(live)
    assert drawn.draw()['joints'].lifetime.nanosec == 30_000_000
    assert drawn.change(rate_hz=50.0)['joints'].lifetime.nanosec == 60_000_000
    assert 20_000_000 in {timer.timer_period_ns for timer in drawn.node.timers}


def test_the_overlay_shows_the_events_of_the_time_that_is_set(live):
    live.start('skeleton_markers', rate_hz=100.0, event_ms=1.0)
    images = live.listen(OVERLAY, Image)
    live.spin_until(lambda: live.listener.count_subscribers(EVENTS) == 1, 'its subscription')
    camera = Camera(live, listeners=1)

    def drawn() -> int:
        """Return the pixels that are drawn once all events have come."""
        camera.send(3 * CHUNK_US)
        live.report('skeleton_markers', lambda values: values['packets'] == str(camera.seq))
        known = len(images)
        live.spin_until(lambda: len(images) > known, 'an image')
        pixels = np.frombuffer(images[-1].data, np.uint8).reshape(-1, 3)
        background = np.array(pixels[0])
        return int((pixels != background).any(axis=1).sum())
    few = drawn()
    accept(live, 'skeleton_markers', event_ms=100.0)
    assert drawn() > 3 * few > 0


@pytest.mark.parametrize('node, values', (
    ('snn_tracker', {'preset': 'paper'}), ('ann_initializer', {'slots': 4}),
    ('recorder', {'bag': 'bag'})))
def test_a_parameter_of_the_start_rejects_a_change_with_the_reason(live, node, values):
    live.start(node)
    (name, value), = values.items()
    assert change(live, node, **values) == SetParametersResult(successful=False, reason=(
        f'parameter {name} cannot be changed while the node runs: set it at start, '
        f'--ros-args -p {name}:={value}'))


def test_rejected_values_change_none_of_those_that_were_set_with_them(live):
    node = live.start('snn_tracker')
    for values, reason in (
            ({'throttle_hz': 60.0, 'preset': 'paper'}, 'preset cannot be changed'),
            ({'throttle_hz': 60.0, 'max_age_us': 1}, 'max_age_us out of range. Min: 1000'),
            ({'throttle_hz': 5_000, 'rate_jump': 2.0}, 'throttle_hz = 5000.0 is above the'),
            ({'throttle_hz': 'fast', 'rate_jump': 2.0}, "'fast' must be of type float, not str")):
        result = change(live, 'snn_tracker', **values)
        assert not result.successful and reason in result.reason
    assert node.get_parameter('throttle_hz').value == 30.0
    assert node.get_parameter('rate_jump').value == 4.0


@pytest.mark.parametrize('name', ('snn_tracker', 'ann_initializer', 'skeleton_markers'))
def test_what_can_be_set_at_run_time_is_described_as_such(live, name):
    live.start(name)
    fields = list(parameters_of(SETTINGS[name]))
    described = call(live, DescribeParameters, f'/{name}/describe_parameters',
                     DescribeParameters.Request(names=[field.name for field in fields]))
    assert [descriptor.read_only for descriptor in described.descriptors] == [
        not field.live for field in fields]


@dataclass(frozen=True)
class Window:
    """Two values that depend on each other."""

    low: int = param(1, 'Start.', low=0, high=100, live=True)
    high: int = param(3, 'End.', low=0, high=100, live=True)

    def __post_init__(self):
        if self.low > self.high:
            raise InputError(f'low = {self.low} is above high = {self.high}')


class WindowNode(SettingsNode, Node):
    """A node with such settings."""


def test_values_that_depend_on_each_other_are_checked_and_changed_together(live):
    node = WindowNode('window', context=live.listener.context)
    changes = []
    declare(node, Window, changes.append)
    alone = node.set_parameters_atomically([Parameter('low', value=5)])
    assert alone == SetParametersResult(successful=False, reason='low = 5 is above high = 3')
    both = [Parameter('low', value=5), Parameter('high', value=8)]
    assert node.set_parameters_atomically(both).successful
    assert node.set_parameters_atomically(both).successful
    assert changes == [Window(5, 8)]  # once, as the second time nothing changed
    node.destroy_node()
