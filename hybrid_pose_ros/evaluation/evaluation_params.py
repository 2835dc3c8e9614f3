# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation may vary."""

from dataclasses import dataclass

from hybrid_pose_ros.initializer_params import InitializerParams
from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.tracker_params import TrackerParams


@dataclass(frozen=True)
class EvaluationParams:
    """How the graph is run, and what is done to the events before."""

    step_us: int = param(TrackerParams.step_us, 'Length of a time bin of the spiking network '
                         '[us].', low=100, high=100_000)
    ann_rate_hz: float = param(InitializerParams.rate_hz, 'States of the ANN a second [Hz].',
                               low=1.0, high=200.0)
    ann_delay_us: int = param(0, 'From the events that the ANN sees to its state at the tracker '
                              '[us].', low=0, high=300_000)
    replay: bool = param(TrackerParams.replay, 'Replay the bins since the events of a late '
                         'state; off: it is used as if it were of the time of its arrival.')
    quiet_events_per_s: float = param(TrackerParams.quiet_events_per_s, 'A joint with fewer '
                                      'events around it is held, as in the tracker; 0: none is.',
                                      low=0.0, high=1e6)
    stride_us: int = param(0, 'Time between two instants that are scored [us], a multiple of '
                           'step_us; 0: chosen.', low=0, high=1_000_000)
    ann_latency_us: int = param(10_000, 'Latency-aware: a pass of the ANN takes at least this '
                                '[us].', low=0, high=300_000)
    pose_latency_us: int = param(1_000, 'Latency-aware: from the end of a bin to its pose [us].',
                                 low=0, high=300_000)
    event_factor: float = param(1.0, 'Events for each that was recorded: below 1 some are left '
                                'out, above 1 copies are added.', low=0.01, high=10.0)
    noise_hz: float = param(0.0, 'Events added at random, for each pixel [Hz].',
                            low=0.0, high=100.0)
    max_s: float = param(0.0, 'Only so much of each recording [s]; 0: all.',
                         low=0.0, high=86_400.0)
    seed: int = param(0, 'Of what is drawn: noise, events left out or copied.', low=0,
                      high=2**31)

    def __post_init__(self):
        check(self)

    @property
    def late_us(self) -> int:
        """How late a state is where its ANN really has to run [us]."""
        return max(self.ann_delay_us, self.ann_latency_us)
