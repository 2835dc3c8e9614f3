# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the tracker, and those that it shares with the initializer."""

from dataclasses import dataclass

from hybrid_pose_ros.demand import DemandParams
from hybrid_pose_ros.presets import PRESETS, Preset
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.representation.lens import load_lens
from hybrid_pose_ros.settings import check, param


@dataclass(frozen=True)
class NetworkParams:
    """What the two nodes of the network must have in common."""

    preset: str = param('edge', 'Network: edge (1000 steps a second on a CPU) or paper.',
                        choices=tuple(PRESETS))
    checkpoint: str = param('', 'Weights (.safetensors). Empty: those that ship with the preset, '
                            'or random ones, marked as untrained, where none do.')
    step_us: int = param(1_000, 'Length of a time bin of the spiking network [us].',
                         low=100, high=100_000)
    calibration: str = param('', 'YAML of camera_calibration: events and joints are those of a '
                             'camera without distortion. Empty: as the sensor sees them.')
    mask_hot_pixels: bool = param(True, 'Leave out pixels that fire alone at 100 Hz or more '
                                  'without end.')
    state_delay_us: int = param(0, 'For reproducible runs: states are of exactly the times at '
                                'which they are due on the sensor clock, and the tracker uses '
                                'each this long after its time [us], replaying no bins while '
                                'idle. 0: each as soon as it has been computed.',
                                low=0, high=1_000_000)
    autostart: bool = param(True, 'Configure and activate the node at its start; off: a lifecycle '
                            'manager does.')

    def __post_init__(self):
        check(self)

    def geometry(self, preset: Preset, width: int, height: int) -> InputGeometry:
        """Return where a sensor's pixels lie in the network's input.

        Raises:
            InputError: the sensor is too small for the preset, or the calibration not for it.
        """
        lens = load_lens(self.calibration, width, height) if self.calibration else None
        return input_geometry(preset, width, height, lens=lens)


@dataclass(frozen=True)
class TrackerParams(DemandParams, NetworkParams):
    """Parameters of the snn_tracker node."""

    fusion: bool = param(True, 'Correct the track by each pose of the ANN as its confidence '
                         'allows; off: the pose replaces the track, as published.')
    replay: bool = param(True, 'Replay the bins since the events of a state; off: the state is '
                         'used as if it were of the time of its arrival.')
    replay_steps: int = param(4, 'Steps of the replay beside each live bin where a new state '
                              'does not catch up in idle times.', low=2, high=1_000)
    replay_step_us: int = param(10_000, 'The replay takes past bins together in steps of up to '
                                'this length [us], 10 ms at most as trained; step_us or less: one '
                                'by one.', low=100, high=100_000)
    history_us: int = param(1_000_000, 'How far back bins are kept for the replay [us]; an older '
                            'state is refused.', low=1_000, high=5_000_000)
    merge_lag_us: int = param(100_000, 'Packets that waited longer than this are taken in long '
                              'steps of replay_step_us, with a pose for each [us].',
                              low=1_000, high=60_000_000)
    max_lag_us: int = param(200_000, 'A tracker that is further behind than this leaves out bins '
                            'up to the newest state [us].', low=10_000, high=60_000_000)
    quiet_events_per_s: float = param(300.0, 'A joint with fewer events round it (5 % of the '
                                      'height to each side) is held where it was, and marked; '
                                      '0: none is.', low=0.0, high=1e6, live=True)
    snn_threads: int = param(1, 'Threads of the spiking network; more than one is worth it for '
                         'paper only.', low=1, high=64)
    throttle_hz: float = param(30.0, 'Poses per second of sensor time on '
                               '~/skeleton_throttle [Hz], one per packet at most.',
                               low=0.1, high=1000.0, live=True)
    realtime_priority: int = param(0, 'Of the process, among those that go before all others '
                                   '(SCHED_RR); needs the right to (ulimit -r). 0: like others, '
                                   'at nice -10 where permitted.', low=0, high=99)
