# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""States in the messages, where the tracker cannot see the initializer's memory."""

import os

import pytest
from live_graph import SKELETON, STATE, Camera, LiveGraph
from ring_states import own_segments

from hybrid_pose_ros.errors import TransportError
from hybrid_pose_ros.msg import Skeleton2D, StateTensors

CHUNK_US = 40_000


class Seen:
    """What a tracker and an initializer publish while events come."""

    def __init__(self, live: LiveGraph, **parameters):
        self.live = live
        self.states = live.listen(STATE, StateTensors)
        self.skeletons = live.listen(SKELETON, Skeleton2D)
        live.start('snn_tracker')
        live.start('ann_initializer', **parameters)
        self._camera = Camera(live, listeners=2)

    def next_state(self) -> StateTensors:
        """Let the initializer make a state; return its message."""
        known = len(self.states)
        self._camera.send(CHUNK_US)
        self.live.spin_until(lambda: len(self.states) > known, 'a state')
        return self.states[-1]

    def poses(self) -> int:
        """Send more events until there are poses; return how many."""
        for _ in range(10):
            if self.skeletons:
                break
            self.next_state()
        return len(self.skeletons)


@pytest.fixture
def elsewhere(monkeypatch):
    """Let readers believe that they run on another host than writers."""
    monkeypatch.setattr('hybrid_pose_ros.transport.admission.host_identity', lambda: 'elsewhere')


def test_inline_states_travel_in_the_messages_and_need_no_shared_memory(live, elsewhere):
    before = own_segments()
    seen = Seen(live, transport='inline')
    state = seen.next_state()
    assert len(state.payload) == state.byte_count
    assert own_segments() == before
    assert seen.poses()
    assert live.report('ann_initializer')['transport'] == 'inline'
    assert live.log() == []


def test_shared_memory_is_chosen_where_the_tracker_sees_it(live):
    seen = Seen(live)
    state = seen.next_state()
    assert not state.payload
    assert os.path.exists(f'/dev/shm/{state.segment}')
    assert seen.poses()
    assert live.report('ann_initializer')['transport'] == 'shared_memory'
    assert live.log() == []


def test_the_initializer_changes_over_to_inline_where_the_tracker_cannot_see_its_memory(
        live, elsewhere):
    seen = Seen(live)
    assert not seen.next_state().payload
    live.spin_until(lambda: any('sending states in messages from now on' in line
                                for line in live.log('ann_initializer', above=0)),
                    'the initializer to say that it changed over')
    assert seen.poses()
    assert len(seen.states[-1].payload) == seen.states[-1].byte_count
    report = live.report('snn_tracker')
    assert int(report['states_out_of_sight']) >= 1
    assert report['states_refused'] == '0'
    warnings = live.log('snn_tracker')
    assert len(warnings) == 1 and 'requested states in messages' in warnings[0]


def test_a_tracker_that_is_started_anew_gets_inline_states_at_once(live, elsewhere):
    seen = Seen(live)
    assert seen.poses()
    live.stop('snn_tracker')
    seen.skeletons.clear()
    live.start('snn_tracker')
    assert seen.poses()
    report = live.report('snn_tracker', lambda values: 'states_out_of_sight' in values)
    assert report['states_out_of_sight'] == '0'


def test_an_initializer_that_is_started_anew_is_asked_again(live, elsewhere):
    seen = Seen(live)
    assert seen.poses()
    old = seen.states[-1].segment
    live.stop('ann_initializer')
    live.start('ann_initializer')
    for _ in range(10):
        seen.next_state()
    anew = [state for state in seen.states if state.segment != old]
    assert len(anew[0].payload) == 0 < len(anew[-1].payload)
    assert len({state.segment for state in anew}) == 1


def test_memory_that_was_asked_for_is_not_left_but_complained_of(live, elsewhere):
    seen = Seen(live, transport='shared_memory')
    for _ in range(3):
        assert not seen.next_state().payload
    live.spin_until(lambda: live.log('ann_initializer'), 'a warning')
    assert live.log('ann_initializer')[0].endswith(
        'but the parameter transport is shared_memory: set it to auto or inline')
    assert not seen.skeletons


def test_states_go_inline_where_shared_memory_is_full(live, monkeypatch):
    def full(*_, **__):
        raise TransportError('/dev/shm is full')
    monkeypatch.setattr('hybrid_pose_ros.transport.ring.create_segment', full)
    seen = Seen(live)
    assert seen.next_state().payload
    assert seen.poses()
    assert live.warnings('ann_initializer') == ['/dev/shm is full: sending states in messages']


def test_a_full_shared_memory_that_was_asked_for_is_reported_until_there_is_room(
        live, monkeypatch):
    def full(*_, **__):
        raise TransportError('/dev/shm is full')
    monkeypatch.setattr('hybrid_pose_ros.nodes.initializing_session.RETRY_S', 0.0)
    with monkeypatch.context() as patch:
        patch.setattr('hybrid_pose_ros.transport.ring.create_segment', full)
        live.start('ann_initializer', transport='shared_memory')
        camera = Camera(live, listeners=1)
        camera.send(CHUNK_US)
        live.spin_until(lambda: live.log('ann_initializer'), 'an error')
        live.report('ann_initializer', lambda values: values['packets'] == '10')
    assert live.warnings('ann_initializer') == ['/dev/shm is full']
    camera.send(CHUNK_US)
    live.report('ann_initializer', lambda values: values['states'] != '0')
