# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the recorder."""

from dataclasses import dataclass

from hybrid_pose_ros.settings import check, param


@dataclass(frozen=True)
class RecorderParams:
    """Parameters of the recorder node."""

    bag: str = param('', 'Folder of the rosbag2 MCAP bag to record; if it exists, a number is '
                         'appended. Empty: count messages without recording.')
    record_events: bool = param(True, 'Also record the event packets (3 to 9 bytes per event).')
    record_overlay: bool = param(False, 'Also record the overlay image of events and skeleton, '
                                 'for bag viewers; about 0.3 MB/s for a DAVIS346.')
    record_3d: bool = param(False, 'Also record the 3D poses triangulated from several cameras.')
    complete: bool = param(False, 'Subscribe to the events only once skeletons, states and '
                           'markers have a publisher; a player that waits for its subscribers '
                           'starts no earlier.')
    idle_s: float = param(0.0, 'Stop after this long [s] without events or skeletons, once some '
                               'have been received; 0: never.', low=0.0, high=3600.0)

    def __post_init__(self):
        check(self)
