# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the markers are, and what they cost when nobody looks."""

import pytest
from live_graph import DEEP, EVENTS, OVERLAY, LiveGraph
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
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


CALIBRATED = CameraInfo(k=[500.0, 0.0, 330.0, 0.0, 400.0, 230.0, 0.0, 0.0, 1.0])


def first_joint(live: LiveGraph, *, info: CameraInfo | None = None, qos: QoSProfile = DEEP,
                **parameters) -> list[float]:
    """Return where the marker of a joint at pixel (340, 250) of 640x480 is."""
    live.start('skeleton_markers', depth_m=2.0, **parameters)
    markers = live.listen('/skeleton_markers/markers', MarkerArray)
    poses = live.publisher('/snn_tracker/skeleton_throttle', Skeleton2D)
    if info is not None:
        camera = live.publisher('/event_camera/camera_info', CameraInfo, qos)
        for _ in range(5):  # as cameras repeat it: best effort may lose one
            camera.publish(info)
        live.report('skeleton_markers')
    pose = Skeleton2D(width=640, height=480, trained=True, confidence=[1.0] * 13,
                      x_px=[340.0] * 13, y_px=[250.0] * 13)
    poses.publish(pose)
    live.spin_until(lambda: markers, 'markers')
    point = markers[0].markers[0].points[0]
    return [point.x, point.y, point.z]


@pytest.mark.parametrize('durability', (DurabilityPolicy.VOLATILE,
                                        DurabilityPolicy.TRANSIENT_LOCAL))
@pytest.mark.parametrize('reliability', (ReliabilityPolicy.RELIABLE,
                                         ReliabilityPolicy.BEST_EFFORT))
def test_joints_are_drawn_with_the_camera_s_own_lens(live, reliability, durability):
    qos = QoSProfile(depth=5, reliability=reliability, durability=durability)
    assert first_joint(live, info=CALIBRATED, qos=qos) == pytest.approx([0.04, 0.1, 2.0])


def test_a_focal_length_that_is_set_counts_more(live):
    assert first_joint(live, info=CALIBRATED, focal_px=100.0) == pytest.approx([0.41, 0.21, 2.0])


def test_a_camera_that_was_never_calibrated_is_one_of_55_degrees(live):
    x, _, z = first_joint(live, info=CameraInfo())
    assert x / z == pytest.approx(20.5 / 614.7, rel=1e-3)


def test_a_person_of_little_presence_is_not_drawn(live):
    """The presence of the first pose is its mean confidence; that of the next, a second later, is
    almost that of the next."""
    live.start('skeleton_markers', least_presence=0.4)
    drawn = live.listen('/skeleton_markers/markers', MarkerArray)
    poses = live.publisher('/snn_tracker/skeleton_throttle', Skeleton2D)

    def kinds(confidence, second):
        count = len(drawn)
        poses.publish(Skeleton2D(width=640, height=480, trained=True, confidence=[confidence] * 13,
                                 sensor_time_us=second * 1_000_000))
        live.spin_until(lambda: len(drawn) > count, 'markers')
        return {(marker.ns, marker.text) for marker in drawn[-1].markers}

    assert kinds(0.3, 1) == {('note', 'nobody')}
    assert {'joints', 'bones'} <= {name for name, _ in kinds(0.9, 2)}
    assert kinds(0.1, 3) == {('note', 'nobody')}
