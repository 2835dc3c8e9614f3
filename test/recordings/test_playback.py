# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings as the packets of a driver."""

import numpy as np
import pytest
from labeled_clips import circling_clip, write_clip

from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.playback import CLOCK_US, encoded_packets

PERIOD_US = 4_000


@pytest.mark.parametrize('start_us', (0, 2 * CLOCK_US // 8_000 * 8_000, 50_000_000))
def test_the_truth_of_a_packets_end_goes_along_on_the_clock_of_its_reader(tmp_path, start_us):
    clip = circling_clip(duration_ms=100)
    events = clip.events.copy()
    events['t'] += start_us
    write_clip(tmp_path, clip._replace(events=events, label_us=clip.label_us + start_us))
    recording = open_recording(str(tmp_path / f'{clip.name}.h5'))
    stream, packets = PacketStream(), list(encoded_packets(recording, PERIOD_US, 'camera'))
    assert len(packets) == 25
    for number, due in enumerate(packets):
        times_us = stream.update(due.packet).events['t']
        assert due.truth.stamp_us - PERIOD_US <= times_us.min()
        assert times_us.max() < due.truth.stamp_us
        label = np.searchsorted(clip.label_us, PERIOD_US * (number + 1))
        np.testing.assert_allclose(due.truth.joints_px, clip.joints_px[label], atol=1e-4)
        assert due.truth.visible.all()


def test_without_a_label_there_is_no_truth(tmp_path):
    clip = circling_clip(duration_ms=20)
    write_clip(tmp_path, clip._replace(label_us=clip.label_us + 500))
    recording = open_recording(str(tmp_path / f'{clip.name}.h5'))
    assert [due.truth for due in encoded_packets(recording, PERIOD_US, 'camera')] == [None] * 5
