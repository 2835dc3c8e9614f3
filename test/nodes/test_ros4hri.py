# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tracked body on the topics of ROS4HRI; without hri_msgs, one line that says so."""

import pytest
from child_processes import finished
from live_graph import LiveGraph

from hybrid_pose_ros.graph.description import NodeSpec, command
from hybrid_pose_ros.msg import Skeleton2D

TRACKED = '/humans/bodies/tracked'

try:
    from hri_msgs.msg import IdsList, NormalizedRegionOfInterest2D
    from hri_msgs.msg import Skeleton2D as BodySkeleton
except ImportError:
    IdsList = None

needs_hri_msgs = pytest.mark.skipif(IdsList is None, reason='hri_msgs is not installed')


@pytest.mark.skipif(IdsList is not None, reason='hri_msgs is installed')
def test_without_hri_msgs_the_node_says_what_to_install():
    ended = finished(*command(NodeSpec('ros4hri')))
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        'ros4hri: this node requires hri_msgs: install ros-$ROS_DISTRO-hri-msgs or leave ros4hri '
        'off']


def send(live: LiveGraph, confidence: float) -> None:
    """Publish a pose with all joints in the middle of the image."""
    poses = live.publisher('/snn_tracker/skeleton_throttle', Skeleton2D)
    poses.publish(Skeleton2D(width=20, height=10, confidence=[confidence] * 13,
                             x_px=[9.5] * 13, y_px=[4.5] * 13))


@needs_hri_msgs
def test_a_body_comes_moves_and_goes(live):
    live.start('ros4hri', patience_s=0.5)
    tracked = live.listen(TRACKED, IdsList)
    skeletons = live.listen('/humans/bodies/event0001/skeleton2d', BodySkeleton)
    regions = live.listen('/humans/bodies/event0001/roi', NormalizedRegionOfInterest2D)
    send(live, 0.9)
    live.spin_until(lambda: tracked and list(tracked[-1].ids) == ['event0001'], 'a body')
    live.spin_until(lambda: live.listener.count_publishers(
        '/humans/bodies/event0001/skeleton2d') == 1, 'its topics')
    send(live, 0.9)
    live.spin_until(lambda: skeletons and regions, 'its skeleton')
    point = skeletons[-1].skeleton[BodySkeleton.NOSE]
    assert (point.x, point.y) == (0.5, 0.5) and point.c == pytest.approx(0.9)
    live.spin_until(lambda: not tracked[-1].ids, 'nobody, as no pose comes')
    live.spin_until(lambda: not live.listener.count_publishers(
        '/humans/bodies/event0001/skeleton2d'), 'the end of its topics')


@needs_hri_msgs
def test_a_pose_that_nobody_believes_is_nobody(live):
    live.start('ros4hri')
    tracked = live.listen(TRACKED, IdsList)
    send(live, 0.05)
    live.spin_until(lambda: tracked, 'who is there')
    assert not tracked[-1].ids
