# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Darkness, in which no pixel fires, and a strobe light, at which all do."""

import array

import numpy as np
import pytest
from live_graph import HEIGHT, PERIOD_US, SKELETON, STATE, WIDTH, Camera, LiveGraph, moving_bar

from hybrid_pose_ros.events.event_array import event_array, no_events
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.msg import Skeleton2D, StateTensors

CHUNK_US = 40_000
STEP_US = 1_000
FLASH_US = 20_000


class Scene:
    """A tracker and an initializer before a camera whose light the test sets."""

    def __init__(self, live: LiveGraph):
        self.live = live
        self.skeletons = live.listen(SKELETON, Skeleton2D)
        self.states = live.listen(STATE, StateTensors)
        # A state of the newest events may come first, and is not to leave out bins on the way.
        live.start('snn_tracker', max_lag_us=60_000_000)
        live.start('ann_initializer')
        self._camera, self._encoder = Camera(live, listeners=2), Evt3Encoder(WIDTH, HEIGHT)
        self._now_us = 0
        while not self.skeletons:
            self.pass_time(CHUNK_US, moving_bar)

    def poses(self, duration_us: int, light) -> list[Skeleton2D]:
        """Send what a light makes of the time; return the poses when that of now has come."""
        first = len(self.skeletons)
        self.pass_time(duration_us, light)
        self.live.spin_until(lambda: self.skeletons[-1].sensor_time_us
                             >= self._now_us - STEP_US, 'the last pose')
        return self.skeletons[first:]

    def pass_time(self, duration_us: int, light) -> list[Skeleton2D]:
        """Send what a light makes of the time; return the poses that have come meanwhile."""
        first, until_us = len(self.skeletons), self._now_us + duration_us
        for start_us in range(self._now_us, until_us, PERIOD_US):
            events = light(start_us, start_us + PERIOD_US)
            self._camera.send_packet(events=array.array('B', self._encoder.encode(events)))
        self._now_us = until_us
        packets = str(self._camera.seq)
        for node in ('snn_tracker', 'ann_initializer'):
            self.live.report(node, lambda values: values['packets'] == packets)
        return self.skeletons[first:]


@pytest.fixture
def scene(live) -> Scene:
    return Scene(live)


def darkness(start_us: int, end_us: int) -> np.ndarray:
    return no_events()


def strobe(start_us: int, end_us: int) -> np.ndarray:
    """Return an event of every pixel at each FLASH_US, and what moves in between."""
    moving = moving_bar(start_us, end_us)
    if start_us % FLASH_US:
        return moving
    y, x = np.divmod(np.arange(WIDTH * HEIGHT), WIDTH)
    flash = event_array(np.full(len(x), start_us), x, y, np.full(len(x), start_us // FLASH_US % 2))
    return np.concatenate([flash, moving])


def test_after_a_short_darkness_its_bins_have_poses_with_all_joints_held(scene):
    scene.poses(CHUNK_US, moving_bar)
    assert scene.pass_time(400_000, darkness) == []  # that a bin is over only an event can tell
    poses = scene.poses(CHUNK_US, moving_bar)
    assert len(poses) == (400_000 + CHUNK_US) // STEP_US
    assert sum(pose.skipped_steps for pose in poses) == 0
    assert all(poses[390].held) and poses[390].events == 0


def test_after_a_long_darkness_a_new_state_is_asked_for_and_waited_for(scene):
    scene.poses(CHUNK_US, moving_bar)
    known = len(scene.states)
    assert scene.pass_time(1_600_000, darkness) == []
    for _ in range(50):
        if scene.pass_time(CHUNK_US, moving_bar):
            break
    assert scene.skeletons[-1].state_age_us < 1_600_000
    scene.live.spin_until(lambda: len(scene.states) > known, 'the notice of the state')
    assert scene.live.report('snn_tracker')['gaps'] == '1'


def test_a_strobe_light_stops_no_pose_and_asks_the_ann_now_and_then_only(scene):
    asked = int(scene.live.report('snn_tracker')['requests_rate_jump'])
    scene.poses(CHUNK_US, moving_bar)
    poses = []
    for _ in range(1_000_000 // CHUNK_US):
        known = len(scene.states)
        poses += scene.poses(CHUNK_US, strobe)
        scene.live.spin_until(lambda: len(scene.states) > known, 'a state that was due')
    assert len(poses) == 1_000_000 // STEP_US
    assert sum(pose.skipped_steps for pose in poses) == 0
    assert max(pose.events for pose in poses) > WIDTH * HEIGHT
    asked = int(scene.live.report('snn_tracker')['requests_rate_jump']) - asked
    assert asked <= 10  # request_interval_us apart, in 50 flashes
    assert not any(pose.stale for pose in poses)
