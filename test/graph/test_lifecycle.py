# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network's nodes under a lifecycle manager."""

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from live_graph import EVENTS, SKELETON, STATE, Camera, LiveGraph
from ring_states import own_segments

from hybrid_pose_ros.graph import NETWORK
from hybrid_pose_ros.msg import Skeleton2D, StateTensors

CHUNK_US = 40_000
CONFIGURE, ACTIVATE = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE
DEACTIVATE, CLEANUP = Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP


class Manager:
    """Asks nodes for their state and changes it, as a lifecycle manager does."""

    def __init__(self, live: LiveGraph):
        self._live = live

    def state(self, node: str) -> int:
        """Return the primary state of a node."""
        return self._call(GetState, f'/{node}/get_state', GetState.Request()).current_state.id

    def change(self, node: str, *transitions: int) -> list[bool]:
        """Return whether each transition succeeded."""
        return [self._call(ChangeState, f'/{node}/change_state', ChangeState.Request(
            transition=Transition(id=transition))).success for transition in transitions]

    def _call(self, kind, name, request):
        client = self._live.listener.create_client(kind, name)
        self._live.spin_until(client.service_is_ready, name)
        future = client.call_async(request)
        self._live.spin_until(future.done, f'an answer of {name}')
        self._live.listener.destroy_client(client)
        return future.result()


def track(live: LiveGraph, camera: Camera, messages: list) -> None:
    """Send events until something comes of them."""
    messages.clear()
    for _ in range(100):
        camera.send(CHUNK_US)
        live.report('snn_tracker')
        if messages:
            return
    raise AssertionError('nothing came of the events')


def test_a_node_is_active_when_it_has_started_by_itself(live):
    live.start('snn_tracker')
    assert Manager(live).state('snn_tracker') == State.PRIMARY_STATE_ACTIVE


def test_nodes_of_a_manager_do_what_it_says_and_can_begin_again(live):
    manager, before = Manager(live), own_segments()
    states, skeletons = live.listen(STATE, StateTensors), live.listen(SKELETON, Skeleton2D)
    for node in NETWORK:
        live.start(node, autostart=False)
        assert manager.state(node) == State.PRIMARY_STATE_UNCONFIGURED
        assert manager.change(node, CONFIGURE) == [True]
        assert manager.state(node) == State.PRIMARY_STATE_INACTIVE
        assert live.report(node, lambda values: values == {}) == {}
    assert live.listener.count_subscribers(EVENTS) == 0
    for _ in range(2):
        for node in NETWORK:
            assert manager.change(node, ACTIVATE) == [True]
        camera = Camera(live, listeners=2)
        track(live, camera, skeletons)
        assert states and own_segments() > before
        for node in NETWORK:
            assert manager.change(node, DEACTIVATE, CLEANUP, CONFIGURE) == [True] * 3
        assert own_segments() == before
        live.spin_until(lambda: live.listener.count_subscribers(EVENTS) == 0, 'no listener')
        states.clear()


def test_a_node_that_cannot_be_configured_says_why_and_may_try_again(live, tmp_path):
    manager = Manager(live)
    live.start('snn_tracker', autostart=False, checkpoint=str(tmp_path / 'none.safetensors'))
    assert manager.change('snn_tracker', CONFIGURE) == [False]
    assert manager.state('snn_tracker') == State.PRIMARY_STATE_UNCONFIGURED
    assert 'no weights at' in live.warnings('snn_tracker')[0]


@pytest.mark.parametrize('node', NETWORK)
def test_a_node_can_be_shut_down_from_every_state(live, node):
    manager = Manager(live)
    for transitions, shut_down in (
            ((), Transition.TRANSITION_UNCONFIGURED_SHUTDOWN),
            ((CONFIGURE,), Transition.TRANSITION_INACTIVE_SHUTDOWN),
            ((CONFIGURE, ACTIVATE), Transition.TRANSITION_ACTIVE_SHUTDOWN)):
        live.start(node, autostart=False)
        assert all(manager.change(node, *transitions, shut_down))
        assert manager.state(node) == State.PRIMARY_STATE_FINALIZED
        live.stop(node)
