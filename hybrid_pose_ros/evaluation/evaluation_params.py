# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of an evaluation."""

from dataclasses import dataclass

from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.tracker_params import TrackerParams


@dataclass(frozen=True)
class EvaluationParams:
    """How the graph is run, and how the events are modified before they reach it."""

    step_us: int = param(TrackerParams.step_us, 'Length of a time bin of the spiking network '
                         '[us].', low=100, high=100_000)
    ann_rate_hz: float = param(InitializerParams.rate_hz, 'ANN states per second [Hz].',
                               low=1.0, high=200.0)
    ann_delay_us: int = param(0, 'Delay from the last event of an ANN pass to the arrival of its '
                              'state [us].', low=0, high=300_000)
    region_of_interest: bool = param(InitializerParams.region_of_interest, 'Feed the networks '
                                     'only a region around the person; off: always the whole '
                                     'sensor.')
    replay: bool = param(TrackerParams.replay, 'Compensate ANN latency by replaying the bins '
                         'since the last event of a state; off: no compensation.')
    quiet_events_per_s: float = param(TrackerParams.quiet_events_per_s, 'A joint with fewer '
                                      'events per second nearby than this is held at its '
                                      'position, as in the tracker; 0: no joint is held.',
                                      low=0.0, high=1e6)
    stride_us: int = param(0, 'Time between scored instants [us], a multiple of step_us; 0: '
                           'automatic.', low=0, high=1_000_000)
    ann_latency_us: int = param(10_000, 'Minimum duration of an ANN pass in latency-aware scores '
                                '[us].', low=0, high=300_000)
    pose_latency_us: int = param(1_000, 'Time from the end of a bin to its pose in latency-aware '
                                        'scores [us].',
                                 low=0, high=300_000)
    event_factor: float = param(1.0, 'Number of events per recorded event: below 1, events are '
                                'dropped; above 1, copies are added.', low=0.01, high=10.0)
    noise_hz: float = param(0.0, 'Rate of added random events per pixel [Hz].',
                            low=0.0, high=100.0)
    max_s: float = param(0.0, 'Length of the evaluated part of each recording [s]; 0: all.',
                         low=0.0, high=86_400.0)
    seed: int = param(0, 'Random seed for noise and for dropped or copied events.', low=0,
                      high=2**31)

    def __post_init__(self):
        check(self)

    @property
    def late_us(self) -> int:
        """Latency of a state in latency-aware scores [us]."""
        return max(self.ann_delay_us, self.ann_latency_us)
