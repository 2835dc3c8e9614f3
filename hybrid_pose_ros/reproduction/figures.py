# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Published 2D errors on DHP19, in sensor pixels, by row of the report.

Each entry has the mean error at the ten steps of 10 ms after the ANN pass, and the mean over these
steps. One network was trained per camera.

Source: result files and plots of the published code of arXiv 2303.14176.
"""

from typing import NamedTuple


class Published(NamedTuple):
    """Published results of one system."""

    camera: int
    ann_input: str
    mpjpe_px: float
    by_step: tuple[float, ...] = ()  # empty: evaluated only at ANN passes


COUNT, DURATION = '7500 events', '100 ms of events'
RECURRENT_NOTE = ('published for an ANN with 100 ms of events as input, which is worse (5.725 px) '
                  'than an ANN with 7500 events')

PUBLISHED = {
    'ann': (
        Published(3, COUNT, 5.035, (5.033, 5.029, 5.039, 5.042, 5.034, 5.036, 5.032, 5.031, 5.038,
                                    5.032)),
        Published(2, COUNT, 4.673)),
    'ann_held': (
        Published(3, COUNT, 5.836, (5.077, 5.187, 5.334, 5.507, 5.696, 5.896, 6.101, 6.310, 6.522,
                                    6.734)),
        Published(2, COUNT, 5.533, (4.737, 4.859, 5.018, 5.199, 5.395, 5.600, 5.810, 6.022, 6.237,
                                    6.450))),
    'snn': (
        Published(3, 'none', 21.378, (45.61, 28.32, 21.27, 18.44, 17.22, 18.40, 16.55, 16.08,
                                      16.40, 15.49)),
        Published(2, 'none', 19.172, (50.66, 29.14, 19.88, 15.84, 14.00, 13.82, 13.00, 11.98,
                                      11.67, 11.72))),
    'rnn': (
        Published(3, 'none', 8.016, (15.277, 9.896, 8.746, 7.905, 7.164, 6.681, 6.375, 6.153,
                                     6.028, 5.931)),),
    'hybrid_rnn': (
        Published(3, DURATION, 5.628, (5.803, 5.737, 5.702, 5.619, 5.610, 5.597, 5.594, 5.560,
                                       5.535, 5.522)),),
    'hybrid_snn': (
        Published(3, COUNT, 5.189, (5.157, 5.191, 5.256, 5.280, 5.228, 5.191, 5.153, 5.136, 5.130,
                                    5.168)),
        Published(2, COUNT, 4.972, (4.829, 4.883, 4.969, 5.051, 5.031, 4.983, 4.941, 4.943, 4.994,
                                    5.099))),
    'hybrid_snn_no_state_init': (
        Published(3, COUNT, 5.847, (5.096, 5.313, 5.368, 5.477, 5.566, 5.658, 5.883, 6.215, 6.694,
                                    7.202)),),
    'hybrid_snn_no_output_init': (
        Published(3, COUNT, 5.465, (5.733, 5.602, 5.407, 5.362, 5.379, 5.397, 5.386, 5.416, 5.419,
                                    5.549)),),
    'hybrid_rnn_no_state_init': (
        Published(3, DURATION, 5.863, (5.761, 5.790, 5.817, 5.843, 5.896, 5.945, 5.932, 5.917,
                                       5.884, 5.844)),),
}
"""Published results by row; camera 3 first."""

PUBLISHED_MW = {'ann': 3718.0, 'ann_held': 371.8, 'hybrid_snn': 424.0}
"""Modeled power at 7 nm and 100 poses per second; it omits one convolution of the ANN."""
PUBLISHED_FIRING_PERCENT = {'hybrid_snn': 2.69, 'snn': 3.22}
"""Mean firing rate of the nine layers, camera 3."""
