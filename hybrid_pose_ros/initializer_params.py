# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the initializer."""

from dataclasses import dataclass

from hybrid_pose_ros.settings import param
from hybrid_pose_ros.tracker_params import NetworkParams


@dataclass(frozen=True)
class InitializerParams(NetworkParams):
    """Parameters of the ann_initializer node."""

    rate_hz: float = param(30.0, 'States a second of sensor time [Hz], at most what the ANN can '
                           'do.', low=0.1, high=200.0, live=True)
    min_events: int = param(500, 'Events that the ANN needs before it makes a first state.',
                            low=1, high=1_000_000, live=True)
    reach_us: int = param(1_000_000, 'The ANN looks no further back than this [us].',
                          low=1_000, high=60_000_000)
    sleep_events_per_s: float = param(0.0, 'With fewer events than this, states are made on '
                                      'request only, or after reach_us; 0: never so.',
                                      low=0.0, high=1e9, live=True)
    threads: int = param(1, 'Threads of the ANN; the tracker wants a core for itself.',
                         low=1, high=256)
    precision: str = param('auto', "Of the ANN's maps and products: float32, bfloat16, or auto: "
                           'bfloat16 where the CPU has instructions for it.',
                           choices=('auto', 'float32', 'bfloat16'))
    slots: int = param(3, 'Slots of the shared-memory ring.', low=3, high=64)
    checksum: bool = param(False, 'Add a checksum to every state (about 0.3 ms a MiB).')
    transport: str = param('auto', 'shared_memory, inline (the state in the message, for a '
                           'tracker on another host), or auto: shared memory where every '
                           'tracker can see it.', choices=('auto', 'shared_memory', 'inline'))
