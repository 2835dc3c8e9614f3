# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the markers are, and what they cost when nobody looks."""

import pytest
from live_graph import EVENTS, OVERLAY, LiveGraph
from sensor_msgs.msg import CameraInfo, Image
from visualization_msgs.msg import MarkerArray

from hybrid_pose_ros.msg import Skeleton2D


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


def first_joint(live: LiveGraph, *, info: CameraInfo | None = None, **parameters) -> list[float]:
    """Return where the marker of a joint at pixel (340, 250) of 640x480 is."""
    live.start('skeleton_markers', depth_m=2.0, **parameters)
    markers = live.listen('/skeleton_markers/markers', MarkerArray)
    poses = live.publisher('/snn_tracker/skeleton_throttle', Skeleton2D)
    if info is not None:
        live.publisher('/event_camera/camera_info', CameraInfo).publish(info)
        live.report('skeleton_markers')
    pose = Skeleton2D(width=640, height=480, trained=True, confidence=[1.0] * 13,
                      x_px=[340.0] * 13, y_px=[250.0] * 13)
    poses.publish(pose)
    live.spin_until(lambda: markers, 'markers')
    point = markers[0].markers[0].points[0]
    return [point.x, point.y, point.z]


def test_joints_lie_where_the_camera_s_own_lens_says(live):
    info = CameraInfo(k=[500.0, 0.0, 330.0, 0.0, 400.0, 230.0, 0.0, 0.0, 1.0])
    assert first_joint(live, info=info) == pytest.approx([0.04, 0.1, 2.0])


def test_a_focal_length_that_is_set_counts_more(live):
    info = CameraInfo(k=[500.0, 0.0, 330.0, 0.0, 400.0, 230.0, 0.0, 0.0, 1.0])
    assert first_joint(live, info=info, focal_px=100.0) == pytest.approx([0.41, 0.21, 2.0])


def test_a_camera_that_was_never_calibrated_is_one_of_55_degrees(live):
    x, _, z = first_joint(live, info=CameraInfo())
    assert x / z == pytest.approx(20.5 / 614.7, rel=1e-3)
