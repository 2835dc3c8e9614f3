# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EVT3's 24-bit clock wraps, and nodes that started on one side of it meet those of the other."""

import pytest
from live_graph import SKELETON, STATE, Camera, LiveGraph, States, stamps_us
from std_msgs.msg import Header

from hybrid_pose_ros.events.clock import EVT3_PERIOD_US, nearest_turn
from hybrid_pose_ros.msg import Skeleton2D, StateTensors
from hybrid_pose_ros.nodes.messages import to_time

CHUNK_US = 40_000
BEFORE_US = 400_000  # sent before the wrap


class Run:
    """Tracker and initializer at a camera whose clock is about to wrap."""

    def __init__(self, live: LiveGraph):
        """Start both nodes and the camera, and wait for poses."""
        self._live = live
        self.skeletons = live.listen(SKELETON, Skeleton2D)
        self.states = live.listen(STATE, StateTensors)
        self._nodes = {name: live.start(name) for name in ('ann_initializer', 'snn_tracker')}
        self.camera = Camera(live, listeners=2)
        self.camera.now_us = EVT3_PERIOD_US - BEFORE_US
        self.wait_for_poses()

    def wait_for_poses(self) -> None:
        """Send events until a fresh state has become a pose of the events sent since."""
        asked_us = self.camera.now_us
        for _ in range(100):
            self.camera.send(CHUNK_US)
            self._live.report('snn_tracker')
            if any(self._is_fresh(skeleton, asked_us) for skeleton in self.skeletons):
                return
        raise AssertionError(f'no pose came of a new state; log: {self._live.log()}')

    def cross_the_wrap(self) -> None:
        """Send events until the clock has wrapped, and some more."""
        while self.camera.now_us < EVT3_PERIOD_US + CHUNK_US:
            self.camera.send(CHUNK_US)
            self._live.report('snn_tracker')

    def _is_fresh(self, skeleton: Skeleton2D, asked_us: int) -> bool:
        pose_us = nearest_turn(skeleton.sensor_time_us, self.camera.now_us)
        return not skeleton.stale and asked_us < pose_us - skeleton.state_age_us

    def restart(self, name: str, how: str) -> None:
        """Let a node end and come back, with nothing of the stream in its memory."""
        if how == 'started again':
            self._live.stop(name)
            self._nodes[name] = self._live.start(name)
        else:
            self._nodes[name].trigger_deactivate()
            self._nodes[name].trigger_activate()


@pytest.mark.parametrize('how', ['started again', 'deactivated and activated'])
@pytest.mark.parametrize('name', ['ann_initializer', 'snn_tracker'])
def test_a_node_that_comes_back_on_the_other_side_of_a_wrap_takes_part_at_once(live, name, how):
    """No state was of use any more, or all poses were stale, until both had been restarted."""
    run = Run(live)
    run.restart(name, how)  # before the wrap
    run.wait_for_poses()
    run.cross_the_wrap()
    run.wait_for_poses()
    run.restart(name, how)  # behind it
    run.wait_for_poses()
    values = live.report('snn_tracker')
    assert live.log('snn_tracker') == []
    assert int(values['states']) > 0


def test_poses_go_on_while_header_stamps_jump(live):
    """A host clock set ahead moved sensor time, one set back dropped the state."""
    live.start('snn_tracker')
    skeletons = live.listen(SKELETON, Skeleton2D)
    camera, states = Camera(live, 1), States(live)
    camera.send(CHUNK_US)
    live.report('snn_tracker', lambda values: values.get('steps') == '39')
    states.announce(states.write(10_000))
    live.spin_until(lambda: skeletons, 'a pose from the state')
    for stamp_ns in (0, 2 * 10**18, 2 * 10**18 + 9 * 10**9, 2 * 10**18 - 600_000_000, 10**9):
        camera.send(CHUNK_US, header=Header(stamp=to_time(stamp_ns)))
        live.spin_until(lambda: skeletons[-1].sensor_time_us == camera.now_us - 1_000, 'its poses')
    assert stamps_us(skeletons) == list(range(39_000, camera.now_us, 1_000))
    values = live.report('snn_tracker')
    assert [values[name] for name in ('restarts', 'gaps', 'states')] == ['0', '0', '1']
