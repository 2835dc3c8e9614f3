# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the markers cost when nobody looks."""

from live_graph import EVENTS, OVERLAY
from sensor_msgs.msg import Image


def test_events_are_taken_in_only_while_somebody_looks_at_the_overlay(live):
    live.start('skeleton_markers')
    listener = live.listener
    assert 'packets' not in live.report('skeleton_markers')
    assert listener.count_subscribers(EVENTS) == 0
    looking = listener.create_subscription(Image, OVERLAY, lambda image: None, 5)
    live.report('skeleton_markers', lambda values: 'packets' in values)
    assert listener.count_subscribers(EVENTS) == 1
    listener.destroy_subscription(looking)
    live.spin_until(lambda: listener.count_subscribers(EVENTS) == 0, 'the end of it')
    assert 'packets' not in live.report('skeleton_markers')
