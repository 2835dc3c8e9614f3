# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The player on recordings whose time does not run evenly, and on a host whose clock is set."""

import time

import pytest
from bag_files import a_packet, packet_messages, write_mcap
from live_graph import EVENTS, HEIGHT, WIDTH, moving_bar

from event_camera_msgs.msg import EventPacket
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.nodes.qos import EVENTS_QOS

PACKET_US = 10_000
PAUSE_US = 600_000_000
HOUR_NS = 3600 * 10**9


def write_paused(path):
    """Record 10 packets of a moving bar, 5 of them before and 5 after a pause of 10 minutes."""
    packets = []
    for number in range(10):
        if number % 5 == 0:
            encoder = Evt3Encoder(WIDTH, HEIGHT)
        start_us = PACKET_US * number + (number >= 5) * PAUSE_US
        events = moving_bar(start_us, start_us + PACKET_US)
        packets.append(a_packet(start_us // PACKET_US, encoder.encode(events), width=WIDTH,
                                height=HEIGHT, stamp_ns=10**18 + 1000 * start_us))
    write_mcap(path, packet_messages(packets))
    return packets


def test_a_pause_is_reported_in_one_line_and_the_packets_are_those_recorded(live, tmp_path):
    recorded = write_paused(tmp_path / 'a.mcap')
    received = live.listen(EVENTS, EventPacket, EVENTS_QOS)
    live.start('event_player', recording=str(tmp_path / 'a.mcap'), loop=True)
    live.spin_until(lambda: len(received) > 10, 'played once')
    assert [(packet.seq, bytes(packet.events)) for packet in received[:10]] == [
        (packet.seq, packet.payload) for packet in recorded]
    line, *_ = live.warnings('event_player')
    assert line == '600.0 s without events at 0.0 s: skipped'


def test_the_intact_files_of_a_split_bag_are_played_and_the_broken_one_is_reported(live, tmp_path):
    """The player refused the whole bag."""
    write_mcap(tmp_path / 'a_0.mcap', packet_messages([a_packet(seq) for seq in range(3)]))
    (tmp_path / 'a_1.mcap').write_bytes(b'')
    write_mcap(tmp_path / 'a_2.mcap', packet_messages([a_packet(seq) for seq in range(6, 9)]))
    received = live.listen(EVENTS, EventPacket, EVENTS_QOS)
    live.start('event_player', recording=str(tmp_path), loop=True)
    live.spin_until(lambda: len(received) > 12, 'played twice')
    assert [packet.seq for packet in received[:12]] == 2 * [0, 1, 2, 6, 7, 8]
    assert [line for line in live.log('event_player') if 'cannot be played' in line] == [
        f'parts of the recording cannot be played: {tmp_path}/a_1.mcap is empty']


@pytest.mark.parametrize('step_ns', [-HOUR_NS, HOUR_NS])
def test_a_step_of_the_host_clock_delays_nothing_and_does_not_move_stamps(
        live, tmp_path, monkeypatch, step_ns):
    write_paused(tmp_path / 'a.mcap')
    real, steps_ns = time.time_ns, [0]
    monkeypatch.setattr(time, 'time_ns', lambda: real() + steps_ns[0])
    received = live.listen(EVENTS, EventPacket, EVENTS_QOS)
    live.start('event_player', recording=str(tmp_path / 'a.mcap'), loop=True)
    live.spin_until(lambda: len(received) >= 5, 'played to the pause')
    steps_ns[0] = step_ns
    live.spin_until(lambda: len(received) >= 10, 'played on')
    assert received[9].header.stamp.sec - received[0].header.stamp.sec < 1800
