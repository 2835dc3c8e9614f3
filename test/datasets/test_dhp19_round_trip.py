# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated person before two cameras of DHP19, written as the dataset is and read again."""

import numpy as np
import pytest
from dhp19_files import SPECIAL, address, write_raw_form

from hybrid_pose_ros.datasets.dhp19 import find
from hybrid_pose_ros.datasets.dhp19_calibration import CAMERA_OF_CHANNEL, FRONT_CHANNELS
from hybrid_pose_ros.simulation.camera import camera
from hybrid_pose_ros.simulation.scene import SimulatedScene

BEGIN_US, DURATION_US = 400_000, 300_000
"""The recording within the scene."""


@pytest.fixture(scope='module')
def simulated():
    """Return events and labels of each front channel, from the scene's beginning on."""
    found = {}
    for channel in FRONT_CHANNELS:
        scene = SimulatedScene(camera=camera(f'dhp19-{CAMERA_OF_CHANNEL[channel]}'), seed=3,
                               duration_us=BEGIN_US + DURATION_US + 50_000)
        pieces = list(scene)
        found[channel] = (np.concatenate([piece.events for piece in pieces]),
                          [np.concatenate(field)
                           for field in zip(*(piece.labels for piece in pieces))])
    return found


@pytest.fixture(scope='module')
def recordings(simulated, tmp_path_factory):
    """Return what is read of the dataset's files, by channel."""
    clock_us = 7_000_000
    words, stamps_us = [], []
    for channel, (events, _) in simulated.items():
        words.append(address(345 - events['x'], 259 - events['y'].astype(int), events['p'],
                             channel))
        stamps_us.append(clock_us + events['t'])
    signals = clock_us + np.array([BEGIN_US, BEGIN_US + 1, BEGIN_US + DURATION_US])
    words, stamps_us = np.concatenate([*words, [SPECIAL] * 3]), np.concatenate([*stamps_us,
                                                                                signals])
    order = np.argsort(stamps_us, kind='stable')
    t, _, joints_mm, *_ = simulated[FRONT_CHANNELS[0]][1]
    sampled = joints_mm[np.searchsorted(t, BEGIN_US + np.arange(0, DURATION_US, 10_000))]
    folder = tmp_path_factory.mktemp('dhp19')
    write_raw_form(folder, (5, 1, 2), words[order], stamps_us[order], sampled)
    files, = find(folder)
    return dict(zip(FRONT_CHANNELS, files.load(FRONT_CHANNELS)))


@pytest.mark.parametrize('channel', FRONT_CHANNELS)
def test_labels_are_where_the_simulator_saw_the_joints(simulated, recordings, channel):
    t, joints_px, _, visible, *_ = simulated[channel][1]
    labels = recordings[channel].labels
    at = np.searchsorted(t, BEGIN_US + labels.t)
    assert len(labels.t) == 30
    assert np.allclose(labels.joints_px, joints_px[at], atol=1e-3)
    assert np.array_equal(labels.visible, visible[at])


@pytest.mark.parametrize('channel', FRONT_CHANNELS)
def test_events_are_those_of_the_simulator_that_the_filters_leave(simulated, recordings, channel):
    events, read = simulated[channel][0], recordings[channel].events
    during = events[(events['t'] > BEGIN_US) & (events['t'] < BEGIN_US + DURATION_US)]
    keys, found = (sorted(map(tuple, part[['t', 'x', 'y', 'p']].tolist()))
                   for part in (during, read))
    keys = {(t - BEGIN_US, x, y, p) for t, x, y, p in keys}
    assert set(found) <= keys and len(read) > 0.5 * len(during) > 5000
