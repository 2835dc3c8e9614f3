# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the skeleton display in RViz."""

from dataclasses import dataclass

from hybrid_pose_ros.pose.presence import LEAST_PRESENCE
from hybrid_pose_ros.settings import check, param


@dataclass(frozen=True)
class MarkerParams:
    """Parameters of the skeleton_markers node."""

    rate_hz: float = param(30.0, 'Rate of marker arrays and overlay images [Hz].',
                           low=0.1, high=120.0, live=True)
    depth_m: float = param(3.0, 'Distance of the plane in which the skeleton is drawn [m].',
                           low=0.1, high=100.0, live=True)
    focal_px: float = param(0.0, 'Focal length [px]; 0: from ~/camera_info if it is published, '
                            'else for a field of view of 55 degrees.',
                            low=0.0, high=1e5, live=True)
    frame_id: str = param('', 'Frame of the markers (optical: z forward, x right, y down). Empty: '
                              'the frame of the packets.', live=True)
    least_confidence: float = param(0.05, 'Joints below this confidence are not drawn.', low=0.0,
                                    high=1.0, live=True)
    least_presence: float = param(LEAST_PRESENCE, 'No skeleton is drawn while the mean confidence '
                                  'of the joints, smoothed over 0.3 s, is below this.',
                                  low=0.0, high=1.0, live=True)
    trail_s: float = param(0.5, 'Length of the trails of hands and feet [s].',
                           low=0.0, high=10.0, live=True)
    event_ms: float = param(20.0, 'Time span of the events in the overlay image [ms].',
                            low=1.0, high=1_000.0, live=True)

    def __post_init__(self):
        check(self)
