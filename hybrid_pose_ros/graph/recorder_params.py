# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the recorder records."""

from dataclasses import dataclass

from hybrid_pose_ros.settings import check, param


@dataclass(frozen=True)
class RecorderParams:
    """Parameters of the recorder node."""

    bag: str = param('', 'Folder of the rosbag2 MCAP bag to record; where it exists, a number is '
                         'added. Empty: count only.')
    record_events: bool = param(True, 'Record the event packets too: 3 to 9 bytes an event.')
    record_overlay: bool = param(False, 'Record the picture of events and skeleton too, for '
                                 'viewers that open bags; some 0.3 MB a second of a DAVIS346.')
    record_3d: bool = param(False, 'Record the poses in the world too, where several cameras make '
                            'some.')
    complete: bool = param(False, 'Listen to the events only when skeletons, states and markers '
                           'have a publisher: a player that counts its subscribers waits so long.')
    idle_s: float = param(0.0, 'End when neither events nor skeletons came for so long [s], once '
                               'there were some; 0: never.', low=0.0, high=3600.0)

    def __post_init__(self):
        check(self)
