# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the tracker, and those shared with the initializer."""

from dataclasses import dataclass

from hybrid_pose_ros.model.presets import PRESETS, Preset
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.representation.lens import load_lens
from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.tracking.state_requests import StateRequestParams


@dataclass(frozen=True)
class NetworkParams:
    """Parameters on which the two nodes of the network must agree."""

    preset: str = param('edge', 'Network: edge (1000 steps per second on a CPU) or paper.',
                        choices=tuple(PRESETS))
    checkpoint: str = param('', 'Weights (.safetensors). Empty: the weights shipped with the '
                            'preset, or random ones, marked as untrained, if there are none.')
    step_us: int = param(1_000, 'Length of a time bin of the spiking network [us].',
                         low=100, high=100_000)
    calibration: str = param('', 'Calibration file (YAML) of camera_calibration, used to '
                             'undistort events and joints. Empty: no undistortion.')
    mask_hot_pixels: bool = param(True, 'Mask pixels that keep firing at 100 Hz or more while '
                                  'their neighbors are silent.')
    state_delay_us: int = param(0, 'For reproducible runs: each state is computed for exactly the '
                                'sensor time at which it is due, and the tracker uses it this '
                                'long after that time [us], without replaying bins while idle. 0: '
                                'use states on arrival.',
                                low=0, high=1_000_000)
    autostart: bool = param(True, 'Configure and activate the node at startup; off: leave this '
                            'to a lifecycle manager.')

    def __post_init__(self) -> None:
        check(self)

    def geometry(self, preset: Preset, width: int, height: int) -> InputGeometry:
        """Return the mapping from a sensor's pixels to the network's input.

        Raises:
            InputError: the sensor is too small for the preset, or does not match the calibration.
        """
        lens = load_lens(self.calibration, width, height) if self.calibration else None
        return input_geometry(preset, width, height, lens=lens)


@dataclass(frozen=True)
class TrackerParams(StateRequestParams, NetworkParams):
    """Parameters of the snn_tracker node."""

    fusion: bool = param(True, 'Correct the track toward each ANN pose, weighted by its '
                         'confidence; off: the ANN pose replaces the track, as in the paper.')
    replay: bool = param(True, 'Compensate ANN latency by replaying the bins received since the '
                         'last event of a state; off: use the state as if it had no latency.')
    replay_steps: int = param(4, 'Number of replay steps per live bin if idle time is too short '
                              'for a new state to catch up.', low=2, high=1_000)
    replay_step_us: int = param(10_000, 'Replay merges past bins into steps of up to this length '
                                '[us]; the networks are trained for up to 10 ms. step_us or '
                                'less: no merging.', low=100, high=100_000)
    history_us: int = param(1_000_000, 'Length of the history of bins for replay [us]; older '
                            'states are rejected.', low=1_000, high=5_000_000)
    merge_lag_us: int = param(100_000, 'Packets that waited longer than this [us] are processed '
                              'in steps of replay_step_us, with one pose per step.',
                              low=1_000, high=60_000_000)
    max_lag_us: int = param(200_000, 'If the tracker lags by more than this [us], it skips the '
                            'bins before the newest state.', low=10_000, high=60_000_000)
    quiet_events_per_s: float = param(300.0, 'A joint with fewer events per second nearby than '
                                      'this (within 5 % of the image height) is held at its '
                                      'position and flagged; 0: no joint is held.', low=0.0,
                                      high=1e6, live=True)
    snn_threads: int = param(1, 'Number of threads of the spiking network; more than one speeds '
                         'up only preset paper.', low=1, high=64)
    throttle_hz: float = param(30.0, 'Poses per second of sensor time on ~/skeleton_throttle '
                               '[Hz], at most one per packet.',
                               low=0.1, high=1000.0, live=True)
    realtime_priority: int = param(0, 'SCHED_RR priority of the tracker; requires CAP_SYS_NICE '
                                   'or an rtprio limit (ulimit -r). 0: default scheduling at '
                                   'nice -10 if permitted.', low=0, high=99)
