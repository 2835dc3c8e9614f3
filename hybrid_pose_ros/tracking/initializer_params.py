# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the initializer."""

from dataclasses import dataclass

from hybrid_pose_ros.settings import param
from hybrid_pose_ros.tracking.tracker_params import NetworkParams


@dataclass(frozen=True)
class InitializerParams(NetworkParams):
    """Parameters of the ann_initializer node."""

    rate_hz: float = param(30.0, 'States per second of sensor time [Hz], limited by the speed of '
                           'the ANN.', low=0.1, high=200.0, live=True)
    min_events: int = param(500, 'Minimum number of events in the input of the ANN.',
                            low=1, high=1_000_000, live=True)
    reach_us: int = param(1_000_000, 'Maximum age of the events in the input of the ANN [us].',
                          low=1_000, high=60_000_000)
    sleep_events_per_s: float = param(0.0, 'Below this event rate, states are computed only on '
                                      'request or after reach_us; 0: at any rate.',
                                      low=0.0, high=1e9, live=True)
    region_of_interest: bool = param(True, 'Once the person is found, feed both networks only a '
                                     'region around them; off: always the whole sensor.',
                                     live=True)
    region_margin: float = param(1.5, 'Size of the region of interest relative to the person.',
                                 low=1.1, high=4.0, live=True)
    threads: int = param(1, 'Number of ANN threads; leave one core for the tracker.',
                         low=1, high=256)
    precision: str = param('auto', 'Precision of the ANN: float32, bfloat16, or auto: bfloat16 if '
                           'the CPU has instructions for it.',
                           choices=('auto', 'float32', 'bfloat16'))
    slots: int = param(3, 'Number of slots in the shared-memory ring.', low=3, high=64)
    checksum: bool = param(False, 'Add a checksum to every state (about 0.3 ms per MiB).')
    transport: str = param('auto', 'shared_memory, inline (state in the message, for a tracker on '
                           'another host), or auto: shared memory if all trackers can '
                           'access it.', choices=('auto', 'shared_memory', 'inline'))
