# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that a callback takes along."""

from live_graph import DEEP
from rclpy.node import Node
from std_msgs.msg import String

from hybrid_pose_ros.nodes.waiting import MOST, waiting


def test_all_that_waits_is_taken_along_in_order_but_not_without_end(live):
    node = Node('late', context=live.listener.context)  # nobody spins it
    subscription = node.create_subscription(String, '/words', lambda message: None, DEEP)
    publisher = live.publisher('/words', String)
    live.spin_until(subscription.get_publisher_count, 'the publisher')
    words = [str(number) for number in range(MOST + 5)]
    for word in words:
        publisher.publish(String(data=word))
    taken, sizes = [], []

    def all_came() -> bool:
        some = [message.data for message, _ in waiting(subscription)]
        taken.extend(some)
        sizes.append(len(some))
        return len(taken) == len(words)
    live.spin_until(all_came, 'the last word')
    assert taken == words
    assert max(sizes) <= MOST
    assert not list(waiting(subscription))
    node.destroy_node()
