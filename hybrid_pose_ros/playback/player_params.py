# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the player."""

from dataclasses import dataclass

from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.simulation.camera import CAMERAS


@dataclass(frozen=True)
class PlayerParams:
    """Parameters of the event_player node."""

    recording: str = param('', 'Bag, .raw, .aedat4 or .h5 file to play. Empty: simulate a person '
                           'live.')
    topic: str = param('', 'Topic of the event packets, if a bag has several; event stream of an '
                       'AEDAT4 file.')
    rate: float = param(1.0, 'Playback speed.', low=0.01, high=100.0)
    packets_per_s: float = param(250.0, 'Packets per second if the player encodes the events; '
                                 'the packets of a bag are sent unchanged.', low=1.0, high=1_000.0)
    duration_s: float = param(10.0, 'Duration of the simulated scene [s]; 0: endless.',
                              low=0.0, high=86_400.0)
    seed: int = param(0, 'Random seed of the simulated scene.', low=0, high=1_000_000)
    camera: str = param('davis346-front', 'Camera of the simulated scene.',
                        choices=tuple(CAMERAS))
    loop: bool = param(False, 'Restart at the end of a recording.')
    frame_id: str = param('event_camera', 'Frame of the packets that the player encodes.')
    subscribers: int = param(1, 'Number of subscribers to wait for before the first packet.',
                             low=0, high=100)
    players: int = param(1, 'Number of players that start simultaneously, one per camera.',
                         low=1, high=100)

    def __post_init__(self):
        check(self)
