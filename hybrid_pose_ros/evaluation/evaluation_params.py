# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation may vary."""

from dataclasses import dataclass

from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.tracker_params import TrackerParams


@dataclass(frozen=True)
class EvaluationParams:
    """How the graph is run, and what is done to the events before."""

    step_us: int = param(TrackerParams.step_us, 'Length of a time bin of the spiking network '
                         '[us].', low=100, high=100_000)
    ann_rate_hz: float = param(InitializerParams.rate_hz, 'States of the ANN a second [Hz].',
                               low=1.0, high=200.0)
    ann_delay_us: int = param(0, 'Time from the last event of an ANN pass to the arrival of its '
                              'state [us].', low=0, high=300_000)
    region_of_interest: bool = param(InitializerParams.region_of_interest, 'Use a region around '
                                     'the person as the input of the networks; off: always the '
                                     'whole sensor.')
    replay: bool = param(TrackerParams.replay, 'Compensate latency by replaying the '
                         'bins since the events of a state; off: no compensation.')
    quiet_events_per_s: float = param(TrackerParams.quiet_events_per_s, 'A joint with fewer '
                                      'events nearby is held, as in the tracker; 0: never.',
                                      low=0.0, high=1e6)
    stride_us: int = param(0, 'Time between scored instants [us], a multiple of step_us; 0: '
                           'automatic.', low=0, high=1_000_000)
    ann_latency_us: int = param(10_000, 'Minimum time of an ANN pass in latency-aware scores '
                                '[us].', low=0, high=300_000)
    pose_latency_us: int = param(1_000, 'Time from bin to pose in latency-aware scores [us].',
                                 low=0, high=300_000)
    event_factor: float = param(1.0, 'Events per recorded event: below 1 events are dropped, '
                                'above 1 copies are added.', low=0.01, high=10.0)
    noise_hz: float = param(0.0, 'Rate of random events added per pixel [Hz].',
                            low=0.0, high=100.0)
    max_s: float = param(0.0, 'Length of the evaluated part of each recording [s]; 0: all.',
                         low=0.0, high=86_400.0)
    seed: int = param(0, 'Random seed of noise and of dropped or copied events.', low=0,
                      high=2**31)

    def __post_init__(self):
        check(self)

    @property
    def late_us(self) -> int:
        """Latency of a state in latency-aware scores [us]."""
        return max(self.ann_delay_us, self.ann_latency_us)
