# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network's nodes under a lifecycle manager."""

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from live_graph import EVENTS, SKELETON, STATE, Camera, LiveGraph
from ring_states import own_segments

from hybrid_pose_ros.graph.description import NETWORK
from hybrid_pose_ros.msg import Skeleton2D, StateTensors

CHUNK_US = 40_000
CONFIGURE, ACTIVATE = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE
DEACTIVATE, CLEANUP = Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP


STATES = {  # the transitions to it, the ids and labels that are legal in it
    'unconfigured': ((), {CONFIGURE, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN},
                     {'configure', 'shutdown'}),
    'inactive': ((CONFIGURE,),
                 {ACTIVATE, CLEANUP, Transition.TRANSITION_INACTIVE_SHUTDOWN},
                 {'activate', 'cleanup', 'shutdown'}),
    'active': ((CONFIGURE, ACTIVATE),
               {DEACTIVATE, Transition.TRANSITION_ACTIVE_SHUTDOWN}, {'deactivate', 'shutdown'}),
    'finalized': ((Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,), set(), set())}
IDS = {*range(9), 10, 42, 255}  # all that a request may name, one of rclpy's own, two unknown
LABELS = {'configure', 'cleanup', 'activate', 'deactivate', 'shutdown', 'unknown'}


class Manager:
    """Asks nodes for their state and changes it, as a lifecycle manager does."""

    def __init__(self, live: LiveGraph):
        self._live = live

    def state(self, node: str) -> int:
        """Return the primary state of a node."""
        return self._call(GetState, f'/{node}/get_state', GetState.Request()).current_state.id

    def change(self, node: str, *transitions: int) -> list[bool]:
        """Return whether each transition succeeded."""
        return [self.request(node, Transition(id=transition)) for transition in transitions]

    def request(self, node: str, transition: Transition) -> bool:
        """Return whether one transition succeeded."""
        return self._call(ChangeState, f'/{node}/change_state',
                          ChangeState.Request(transition=transition)).success

    def _call(self, kind, name, request):
        client = self._live.listener.create_client(kind, name)
        self._live.spin_until(client.service_is_ready, name)
        future = client.call_async(request)
        self._live.spin_until(future.done, f'an answer of {name}')
        self._live.listener.destroy_client(client)
        return future.result()


class Nav2Manager(Manager):
    """Sends what Nav2's lifecycle_manager sends to its nodes, without its bond.

    A transition has succeeded when the answer says so and the node reports the state after it.
    Startup, reset and pause stop at the first that has not; shutdown goes on.
    """

    AFTER = {CONFIGURE: State.PRIMARY_STATE_INACTIVE, ACTIVATE: State.PRIMARY_STATE_ACTIVE,
             DEACTIVATE: State.PRIMARY_STATE_INACTIVE, CLEANUP: State.PRIMARY_STATE_UNCONFIGURED,
             Transition.TRANSITION_UNCONFIGURED_SHUTDOWN: State.PRIMARY_STATE_FINALIZED}

    def startup(self) -> bool:
        """Configure all nodes, then activate all."""
        return self._change_all(CONFIGURE) and self._change_all(ACTIVATE)

    def pause(self) -> bool:
        """Deactivate all nodes, in reverse order."""
        return self._change_all(DEACTIVATE)

    def resume(self) -> bool:
        """Activate all nodes."""
        return self._change_all(ACTIVATE)

    def reset(self) -> bool:
        """Deactivate and clean up all nodes."""
        return self._change_all(DEACTIVATE) and self._change_all(CLEANUP)

    def shutdown(self) -> None:
        """Shut all nodes down, by the one id that is legal after cleanup."""
        for transition in (DEACTIVATE, CLEANUP, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN):
            self._change_all(transition)

    def states(self) -> set[int]:
        """Return the states that nodes are in."""
        return {self.state(node) for node in NETWORK}

    def _change_all(self, transition: int) -> bool:
        forward = transition in (CONFIGURE, ACTIVATE)
        return all(self.change(node, transition) == [True]
                   and self.state(node) == self.AFTER[transition]
                   for node in (NETWORK if forward else reversed(NETWORK)))


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
        live.spin_until(lambda: states, 'the notice of the state')
        assert own_segments() > before
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


@pytest.mark.parametrize('name', STATES)
@pytest.mark.parametrize('node', NETWORK)
def test_an_illegal_transition_is_rejected_and_the_node_stays_usable(live, node, name):
    manager = Manager(live)
    path, legal_ids, legal_labels = STATES[name]
    live.start(node, autostart=False)
    assert all(manager.change(node, *path))
    state = manager.state(node)
    illegal = [Transition(id=number) for number in sorted(IDS - legal_ids)]
    illegal += [Transition(label=label) for label in sorted(LABELS - legal_labels)]
    assert [manager.request(node, transition) for transition in illegal] == [False] * len(illegal)
    assert manager.state(node) == state
    assert len(live.warnings(node, len(illegal))) == len(illegal)
    if name != 'finalized':
        assert manager.request(node, Transition(label='shutdown'))
        assert manager.state(node) == State.PRIMARY_STATE_FINALIZED


def test_a_rejected_transition_names_the_state_the_request_and_what_is_possible(live):
    live.start('snn_tracker', autostart=False)
    assert Manager(live).change('snn_tracker', ACTIVATE) == [False]
    assert live.warnings('snn_tracker') == [
        'rejected transition activate (3) in state unconfigured: expected configure (1), '
        'shutdown (5)']


def test_nav2_s_manager_starts_pauses_resets_and_shuts_down_nodes_without_autostart(live):
    manager = Nav2Manager(live)
    for node in NETWORK:
        live.start(node, autostart=False)
    assert manager.startup() and manager.states() == {State.PRIMARY_STATE_ACTIVE}
    assert manager.pause() and manager.resume()
    assert manager.reset() and manager.states() == {State.PRIMARY_STATE_UNCONFIGURED}
    assert manager.startup()
    manager.shutdown()
    assert manager.states() == {State.PRIMARY_STATE_FINALIZED}


def test_nav2_s_manager_aborts_where_nodes_started_themselves_and_they_stay_active(live):
    manager, skeletons = Nav2Manager(live), live.listen(SKELETON, Skeleton2D)
    for node in NETWORK:
        live.start(node)
    assert not manager.startup()
    assert 'rejected transition configure (1) in state active' in live.warnings(NETWORK[0])[0]
    assert manager.states() == {State.PRIMARY_STATE_ACTIVE}
    track(live, Camera(live, listeners=2), skeletons)
    assert manager.reset()  # from where the manager can start them
    assert manager.startup()
