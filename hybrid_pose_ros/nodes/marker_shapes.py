# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Markers of a skeleton: spheres for joints, lines for bones."""

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from hybrid_pose_ros.tasks.skeleton import BONES
from hybrid_pose_ros.visualization.overlay import confidence_bgr


def marker(header: Header, name: str, kind: int, size_m: float, rate_hz: float) -> Marker:
    """Return an empty marker that expires unless it is published again."""
    shape = Marker(header=header, ns=name, id=0, type=kind, action=Marker.ADD)
    shape.pose.orientation.w = 1.0
    shape.scale.x = shape.scale.y = shape.scale.z = size_m
    # Three periods, so that one late array leaves no gap.
    lifetime_ns = round(3e9 / rate_hz)
    shape.lifetime = Duration(sec=lifetime_ns // 10**9, nanosec=lifetime_ns % 10**9)
    return shape


def body(header: Header, points: list[Point], shown: np.ndarray, confidence: np.ndarray, *,
         trained: bool, rate_hz: float) -> list[Marker]:
    """Return the non-empty markers of the visible joints, and of the bones between them.

    Args:
        header: header of the markers.
        points: positions of all J joints.
        shown: joints to draw, (J,) bool.
        confidence: confidence of the joints, (J,), which determines their color.
        trained: whether the weights are trained.
        rate_hz: rate at which the markers are published [Hz].
    """
    spheres = marker(header, 'joints', Marker.SPHERE_LIST, 0.06, rate_hz)
    bones = marker(header, 'bones', Marker.LINE_LIST, 0.025, rate_hz)
    spheres.color = bones.color = color(1.0, trained)
    colors = {joint: color(confidence[joint], trained)
              for joint in np.flatnonzero(shown).tolist()}
    spheres.points = [points[joint] for joint in colors]
    spheres.colors = list(colors.values())
    for bone in BONES:
        if all(joint in colors for joint in bone):
            bones.points += [points[joint] for joint in bone]
            bones.colors += [colors[joint] for joint in bone]
    return [shape for shape in (spheres, bones) if shape.points]


def color(confidence: float, trained: bool) -> ColorRGBA:
    """Return the color of a joint with this confidence."""
    blue, green, red = confidence_bgr(float(confidence), trained)
    return ColorRGBA(r=red / 255, g=green / 255, b=blue / 255, a=1.0)
