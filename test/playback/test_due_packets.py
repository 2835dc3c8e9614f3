# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings as the packets of a driver."""

import numpy as np
import pytest
from labeled_clips import HEIGHT, WIDTH, circling_clip, write_clip

from hybrid_pose_ros.events.clock import EVT3_PERIOD_US
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.playback.due_packets import encoded_packets, recorded_packets
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.gaps import LONGEST_GAP_US
from hybrid_pose_ros.recordings.recording import PacketRecording

PERIOD_US = 4_000


@pytest.mark.parametrize('start_us', (0, 2 * EVT3_PERIOD_US // 8_000 * 8_000, 50_000_000))
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


HOUR_NS = 3600 * 10**9
CLOCKS = {
    'right': lambda ns, seq: ns,
    'an hour ahead from packet 20 on': lambda ns, seq: ns + (seq >= 20) * HOUR_NS,
    'an hour back from packet 20 on': lambda ns, seq: ns - (seq >= 20) * HOUR_NS,
    'zero at first': lambda ns, seq: ns * (seq >= 2),
    'always zero': lambda ns, seq: 0,
    '20 times too fast': lambda ns, seq: ns + seq * PERIOD_US * 50,
    'paused for ten minutes': lambda ns, seq: ns + (seq >= 20) * HOUR_NS // 6}
"""Header stamps of packets by what a host can make of them."""


class Packets(PacketRecording):
    """Packets in memory."""

    def __init__(self, packets):
        self._packets = packets

    def pieces(self):
        raise NotImplementedError

    def packets(self):
        return iter(self._packets)


def driver_packets(later_us=lambda seq: 0, lost=lambda seq: 0):
    """Return 50 packets of a clip, sensor time and numbers later by what two functions say.

    Packets after lost ones begin with a time of their own, as those of sensors do.
    """
    clip, encoder = circling_clip(duration_ms=200), Evt3Encoder(WIDTH, HEIGHT)
    packets = []
    for seq in range(50):
        if lost(seq) != lost(seq - 1):
            encoder = Evt3Encoder(WIDTH, HEIGHT)
        events = clip.events_between(PERIOD_US * seq, PERIOD_US * (seq + 1)).copy()
        events['t'] += later_us(seq)
        packets.append(Packet(1_700_000_000 * 10**9 + 1000 * (PERIOD_US * seq + later_us(seq)),
                              'camera', WIDTH, HEIGHT, seq + lost(seq), 0, 'evt3',
                              encoder.encode(events)))
    return packets


def played(packets):
    return list(recorded_packets(Packets(packets)))


@pytest.mark.parametrize('clock', CLOCKS)
def test_packets_are_due_when_the_sensor_saw_their_first_events_whatever_their_stamps(clock):
    clip = circling_clip(duration_ms=200)
    first_us = [int(clip.events_between(PERIOD_US * seq, PERIOD_US * (seq + 1))['t'][0])
                for seq in range(50)]
    packets = [packet._replace(stamp_ns=CLOCKS[clock](packet.stamp_ns, packet.seq))
               for packet in driver_packets()]
    dues = played(packets)
    assert [due.due_us for due in dues] == [time_us - first_us[0] for time_us in first_us]
    assert [due.packet.stamp_ns for due in dues] == [1000 * due.due_us for due in dues]
    assert [due.packet.payload for due in dues] == [packet.payload for packet in packets]
    assert not any(due.gap_us for due in dues)


def test_a_recorder_that_was_paused_makes_one_short_wait():
    """Ten minutes, 150 000 packets, are missing before packet 20."""
    whole = played(driver_packets())
    paused = played(driver_packets(later_us=lambda seq: (seq >= 20) * 600_000_000,
                                   lost=lambda seq: (seq >= 20) * 150_000))
    assert [due.due_us for due in paused[:20]] == [due.due_us for due in whole[:20]]
    waits_us = np.diff([due.due_us for due in paused]) - np.diff([due.due_us for due in whole])
    assert (np.delete(waits_us, 19) == 0).all() and waits_us[19] <= LONGEST_GAP_US
    gaps_us = [due.gap_us for due in paused]
    assert gaps_us[20] == pytest.approx(600_000_000, abs=2 * PERIOD_US)
    assert not any(gaps_us[:20] + gaps_us[21:])


def test_a_dark_recording_is_played_without_the_darkness(tmp_path):
    clip = circling_clip(duration_ms=200)
    events = clip.events.copy()
    events['t'] += (events['t'] >= 100_000) * 600_000_000
    write_clip(tmp_path, clip._replace(events=events))
    recording = open_recording(str(tmp_path / f'{clip.name}.h5'))
    dues = list(encoded_packets(recording, PERIOD_US, 'camera'))
    assert [due.due_us for due in dues] == [
        PERIOD_US * number + (number > 25) * (LONGEST_GAP_US - PERIOD_US)
        for number in range(1, 51)]
    assert [number for number, due in enumerate(dues) if due.gap_us] == [25]


def test_packets_without_events_and_bad_ones_are_due_with_the_one_before():
    packets = driver_packets()
    packets[10] = packets[10]._replace(payload=b'')
    packets[30] = packets[30]._replace(payload=b'odd')
    dues = [due.due_us for due in played(packets)]
    assert len(dues) == 50 and dues[10] == dues[9] and dues[30] == dues[29]
    assert dues[11] - dues[9] == pytest.approx(2 * PERIOD_US, abs=PERIOD_US)


def test_a_clock_that_begins_again_is_gone_on_with_at_once():
    packets = driver_packets()
    dues = [due.due_us for due in played(packets + packets)]
    assert dues[50] == dues[49]
    assert [due - dues[50] for due in dues[50:]] == dues[:50]


def test_a_clock_that_begins_again_without_events_is_gone_on_with_at_the_first_ones():
    """The restart was forgotten: all packets up to the old clock's time were due at once."""
    packets = driver_packets()
    first = [due.due_us for due in played(packets)]
    dark = packets[0]._replace(payload=b'')
    dues = [due.due_us for due in played([*packets, dark, *packets[1:]])]
    assert dues[50] == dues[51] == first[49]
    assert [due - dues[51] for due in dues[51:]] == [due - first[1] for due in first[1:]]
