# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RViz configurations: shipped templates, filled in with the frame, topics and view of a graph.

RViz draws nothing, and reports no error, if the fixed frame differs from that of the markers and
no transform connects them, or if a topic has no publisher.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hybrid_pose_ros.pose.rig import Rig

PLANE_SHARE = 0.95
"""Distance of the viewer from the skeleton's plane, as a fraction of the depth of the plane. RViz
has a field of view of 45 degrees, so the image of a camera with 55 by 43 degrees fills the height,
and the axes at the camera's origin are behind the viewer."""
PERSON_DISTANCE_M = 3.0
"""Distance at which RViz shows a height of 2.5 m: a standing person with some margin."""
AHEAD_WEIGHT = 0.01
"""Weight of the point in front of the cameras relative to one optical axis; it matters only if the
axes are parallel."""
PITCH_LIMIT = math.pi / 2 - 0.001  # of RViz [rad]


def rviz_config(template: Path, *, frame_id: str, namespace: str, view: Mapping[str, Any]) -> str:
    """Return the text of a configuration file.

    Args:
        template: shipped configuration, whose topics have no namespace.
        frame_id: fixed frame, which must be that of the markers.
        namespace: namespace of the nodes, '' or such as '/left'.
        view: pose of the viewer, as returned by `plane_view` and `rig_view`.
    """
    config = yaml.safe_load(template.read_text())
    manager = config['Visualization Manager']
    manager['Global Options']['Fixed Frame'] = frame_id
    for display in manager['Displays']:
        if 'Topic' in display:
            display['Topic']['Value'] = namespace + display['Topic']['Value']
    manager['Views']['Current'] |= view
    return yaml.safe_dump(config, sort_keys=False, width=math.inf)


def plane_view(depth_m: float) -> dict[str, Any]:
    """Return a view of the skeleton's plane from near the camera, with the camera's orientation.

    Args:
        depth_m: distance of the plane in the optical frame (z forward, x right, y down) [m].
    """
    return _orbit(np.array([0.0, 0.0, depth_m]), np.array([0.0, 0.0, -PLANE_SHARE * depth_m]),
                  up=np.array([0.0, -1.0, 0.0]))


def rig_view(rig: Rig) -> dict[str, Any]:
    """Return a view of a person observed by several cameras, from the side of the first camera."""
    axes = np.stack([camera.rotation[2] for camera in rig.cameras])  # in the world, (C, 3)
    centers_m = np.stack([camera.center_m for camera in rig.cameras])
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    # The point closest to all optical axes; for parallel axes, the point in front of the cameras.
    ahead_m = centers_m.mean(axis=0) + PERSON_DISTANCE_M * axes.mean(axis=0)
    focus_m = np.linalg.solve(
        across.sum(axis=0) + AHEAD_WEIGHT * np.eye(3),
        np.einsum('cij,cj->i', across, centers_m) + AHEAD_WEIGHT * ahead_m)
    away = centers_m[0] - focus_m
    return _orbit(focus_m, PERSON_DISTANCE_M * away / np.linalg.norm(away),
                  up=-rig.cameras[0].rotation[1])


def _orbit(focus_m: np.ndarray, offset_m: np.ndarray, *, up: np.ndarray) -> dict[str, Any]:
    """Return the properties of RViz's Orbit view, whose up axis is always z.

    Args:
        focus_m: point at the center of the view, (3,).
        offset_m: from the focus to the viewer, (3,).
        up: up direction, used only if the viewer is directly above or below the focus, (3,).
    """
    distance_m = float(np.linalg.norm(offset_m))
    pitch = math.asin(offset_m[2] / distance_m)
    side = offset_m
    if abs(pitch) > math.radians(70):
        side = up if pitch < 0 else -up
    return {'Distance': distance_m,
            'Focal Point': dict(zip('XYZ', focus_m.tolist())),
            'Pitch': min(max(pitch, -PITCH_LIMIT), PITCH_LIMIT),
            'Yaw': math.atan2(side[1], side[0])}
