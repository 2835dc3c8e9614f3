# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""States on demand in a real graph: the tracker asks, the initializer answers or sleeps."""

import pytest
from live_graph import SKELETON, STATE, Camera, LiveGraph, States
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from hybrid_pose_ros.msg import Skeleton2D, StateTensors

CHUNK_US = 40_000
SELDOM = {'rate_hz': 0.1}
"""The initializer's clock brings the first state, and no other before 10 s have gone by."""

CALM = {'max_age_us': 60_000_000, 'least_confidence': 0.0, 'rate_jump': 1e6,
        'quiet_events_per_s': 0.0}
"""A tracker that asks for lost events only."""


class Both:
    """A tracker and an initializer, the camera before them, and what they publish."""

    def __init__(self, live: LiveGraph, tracker: dict, initializer: dict):
        self.live = live
        self.requests = live.listen('/snn_tracker/initialize_request', String)
        self.states = live.listen(STATE, StateTensors)
        self.skeletons = live.listen(SKELETON, Skeleton2D)
        live.start('snn_tracker', **tracker)
        live.start('ann_initializer', **initializer)
        self.camera = Camera(live, listeners=2)
        self.pass_until(lambda: self.skeletons, 'the first pose')

    def pass_time(self, duration_us: int) -> None:
        """Send events, and wait until the tracker has made poses of them."""
        self.camera.send(duration_us)
        self.live.spin_until(
            lambda: self.skeletons
            and self.skeletons[-1].sensor_time_us >= self.camera.now_us - 1_000, 'the last pose')

    def pass_until(self, condition, what: str) -> None:
        """Send events until something has come of them."""
        for _ in range(100):
            if condition():
                return
            known = len(self.live.statuses('snn_tracker'))
            self.camera.send(CHUNK_US)
            self.live.spin_until(
                lambda: condition() or len(self.live.statuses('snn_tracker')) > known, what)
        assert condition(), f'sent 4 s of events without {what}'


def reasons(requests: list[String]) -> list[str]:
    """Return why states were asked for, but for the first ones."""
    return [request.data for request in requests if request.data != 'no_state']


def test_lost_packets_bring_a_state_beside_the_clock(live):
    both = Both(live, CALM, SELDOM)
    both.pass_time(5 * CHUNK_US)
    known = len(both.states)
    both.camera.seq += 3
    lost_us = both.camera.now_us
    both.pass_until(lambda: len(both.states) > known, 'a state on request')
    assert reasons(both.requests) == ['lost_events']
    assert both.states[-1].sensor_time_us >= lost_us
    report = live.report('ann_initializer', lambda values: values['requests_lost_events'] == '1')
    assert report['requests_other'] == '0'
    assert live.report('snn_tracker')['requests_lost_events'] == '1'


def test_a_tracker_that_nobody_answers_goes_on_asking_and_says_that_its_poses_are_stale(live):
    skeletons = live.listen(SKELETON, Skeleton2D)
    requests = live.listen('/snn_tracker/initialize_request', String)
    live.start('snn_tracker', **CALM | {'max_age_us': 50_000, 'request_interval_us': 20_000})
    markers = live.listen('/skeleton_markers/markers', MarkerArray)
    live.start('skeleton_markers', least_presence=0.0)
    states, camera = States(live), Camera(live, listeners=1)
    camera.send(CHUNK_US)
    live.report('snn_tracker', lambda values: int(values.get('steps', 0)) >= 39)
    states.announce(states.write(30_000))
    live.spin_until(lambda: skeletons, 'the first pose')
    camera.send(5 * CHUNK_US)
    live.spin_until(lambda: skeletons[-1].sensor_time_us >= camera.now_us - 1_000, 'the last pose')
    assert all(pose.stale == (pose.state_age_us > 50_000) for pose in skeletons)
    assert sum(pose.stale for pose in skeletons) > 100
    live.spin_until(lambda: len(reasons(requests)) >= 5, 'more requests')
    live.spin_until(lambda: any(marker.text == 'stale: no new state of the ANN'
                                for message in markers for marker in message.markers), 'a note')
    assert set(reasons(requests)) == {'old_state'}
    assert any('poses stale: no new state' in status.message and status.level == status.WARN
               for status in live.statuses('snn_tracker'))
    states.announce(states.write(camera.now_us - 10_000))
    live.report('snn_tracker', lambda values: values['states'] == '2')  # in idle time
    camera.send(CHUNK_US)
    live.spin_until(lambda: not skeletons[-1].stale, 'a pose of the new state')


def test_joints_without_events_round_them_are_marked(live):
    both = Both(live, CALM | {'quiet_events_per_s': 1e6}, {})
    both.pass_time(5 * CHUNK_US)
    assert list(both.skeletons[-1].held) == [True] * 13
    assert live.report('snn_tracker')['held_joints'] == '13'


def test_joints_with_events_are_not_marked(live):
    both = Both(live, CALM, {})
    both.pass_time(5 * CHUNK_US)
    assert not any(any(pose.held) for pose in both.skeletons)


def test_a_sleeping_ann_wakes_for_a_request_only(live):
    """The camera sends 20 000 events a second, which here is as if nothing moved."""
    both = Both(live, CALM, {'sleep_events_per_s': 100_000.0, 'reach_us': 60_000_000})
    report = live.report('ann_initializer', lambda values: int(values['states']) >= 1)
    both.pass_time(10 * CHUNK_US)
    known = int(report['states'])
    after = live.report('ann_initializer', lambda values: int(values['states_slept']) >= 10)
    assert int(after['states']) == known
    live.report('ann_initializer', lambda values: float(values['power_mw']) == 0.0)
    both.camera.seq += 3
    both.pass_until(lambda: len(both.states) > known, 'a state on request')
    assert live.report('ann_initializer')['requests_lost_events'] == '1'


@pytest.mark.parametrize('text', ('', 'because', 'x' * 10_000))
def test_a_request_without_a_known_reason_is_answered_and_counted_as_such(live, text):
    states = live.listen(STATE, StateTensors)
    live.start('ann_initializer', **SELDOM)
    ask = live.publisher('/snn_tracker/initialize_request', String)
    camera = Camera(live, listeners=1)
    camera.send(2 * CHUNK_US)
    live.spin_until(lambda: states, 'the first state')
    camera.send(CHUNK_US)
    ask.publish(String(data=text))
    live.spin_until(lambda: len(states) > 1, 'a state on request')
    assert live.report('ann_initializer')['requests_other'] == '1'
    assert live.log() == []
