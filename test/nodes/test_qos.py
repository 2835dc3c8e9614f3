# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How reliably topics travel, as nodes offer it and as users may set it."""

from live_graph import EVENTS, SKELETONS, LiveGraph
from rclpy.qos import ReliabilityPolicy

RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
RELIABILITY = 'qos_overrides./event_camera/events.subscription.reliability'


def asked_for(live: LiveGraph) -> set[ReliabilityPolicy]:
    """Return what those who subscribe to the events ask for."""
    ends = live.listener.get_subscriptions_info_by_topic(EVENTS)
    return {end.qos_profile.reliability for end in ends}


def test_a_user_may_ask_for_another_reliability_of_one_node(live):
    live.start('snn_tracker', **{RELIABILITY: 'reliable'})
    live.spin_until(lambda: asked_for(live) == {RELIABLE}, 'the tracker\'s subscription')
    live.start('ann_initializer')
    live.spin_until(lambda: asked_for(live) == {RELIABLE, BEST_EFFORT}, 'the initializer\'s')


def test_poses_may_be_best_effort(live):
    live.start('snn_tracker',
               **{f'qos_overrides.{SKELETONS}.publisher.reliability': 'best_effort'})
    live.spin_until(lambda: [
        end.qos_profile.reliability
        for end in live.listener.get_publishers_info_by_topic(SKELETONS)] == [BEST_EFFORT],
        'the topic of the poses')
