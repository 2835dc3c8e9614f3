# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packets that are wrong: one clear warning from each node that listens, and a living graph."""

import array

import pytest
from live_graph import HEIGHT, OVERLAY, WIDTH, Camera, LiveGraph
from sensor_msgs.msg import Image

NODES = ('snn_tracker', 'ann_initializer', 'skeleton_markers')


def listening(live: LiveGraph) -> Camera:
    """Return a driver of which three nodes have taken in 5 good packets."""
    camera = connected(live)
    camera.send(20_000)
    return camera


def connected(live: LiveGraph) -> Camera:
    """Return a driver to which three nodes listen."""
    live.listen(OVERLAY, Image)  # or the markers take in no events
    for name in NODES:
        live.start(name)
    return Camera(live, len(NODES))


def after_good_packets(live: LiveGraph, camera: Camera, events: int = 800) -> dict[str, dict]:
    """Send 5 good packets; return each node's report that counts so many events in all."""
    camera.send(20_000)
    return {name: live.report(name, lambda values: values['events'] == str(events))
            for name in NODES}


@pytest.mark.parametrize('fault, said', (
    ({'events': array.array('B', bytes(7))}, 'payload of 7 bytes was truncated'),
    ({'encoding': 'evt7'}, "unknown encoding 'evt7': expected one of evt3, libcaer"),
    ({'encoding': 'mono'}, f'is mono of {WIDTH}x{HEIGHT} px, but the stream started with evt3'),
    ({'width': 2 * WIDTH}, f'is evt3 of {2 * WIDTH}x{HEIGHT} px, but the stream started with'),
    ({'height': 0}, f'is evt3 of {WIDTH}x0 px, but the stream started with'),
    ({'time_base': 1 << 63}, 'is out of range'),
), ids=('truncated', 'encoding', 'other encoding', 'width', 'height', 'time base'))
def test_a_bad_packet_is_told_once_counted_and_got_over(live, fault, said):
    camera = listening(live)
    camera.send_packet(**fault)
    camera.send_packet(**fault)
    for name, report in after_good_packets(live, camera).items():
        warnings = live.warnings(name)
        assert len(warnings) == 1 and said in warnings[0], warnings
        assert warnings[0].startswith('dropped a packet: ')
        assert report['bad_packets'] == '2'
        assert said in report['last_bad_packet']


@pytest.mark.parametrize('size', ((0, 0), (1 << 11, 1 << 12), ((1 << 32) - 1, (1 << 32) - 1)))
def test_a_first_packet_of_an_impossible_sensor_does_not_decide_the_size(live, size):
    camera = connected(live)
    camera.send_packet(width=size[0], height=size[1])
    for name, report in after_good_packets(live, camera, events=400).items():
        assert report['bad_packets'] == '1'
        assert len(live.warnings(name)) == 1


def test_a_packet_without_events_is_nothing_special(live):
    camera = listening(live)
    camera.send_packet(events=array.array('B'))
    for report in after_good_packets(live, camera).values():
        assert report['packets'] == '11'
        assert report['bad_packets'] == report['lost_packets'] == report['restarts'] == '0'
    assert live.log() == []


def test_lost_packets_are_counted_and_told(live):
    camera = listening(live)
    camera.seq += 3
    for name, report in after_good_packets(live, camera).items():
        assert report['lost_packets'] == '3'
        assert live.warnings(name) == ['lost 3 packets before packet 8 (3 of 9 so far)']


def test_a_packet_that_comes_twice_is_used_once(live):
    camera = listening(live)
    packet = camera.send_packet(events=array.array('B'))
    camera.send_packet(header=packet.header, seq=packet.seq)
    for name, report in after_good_packets(live, camera).items():
        assert report['duplicated'] == '1' and report['lost_packets'] == '0'
        warnings = live.warnings(name)
        assert len(warnings) == 1 and 'duplicate or out of order' in warnings[0]


def test_packets_that_overtake_each_other_are_not_mixed_up(live):
    camera = listening(live)
    late = camera.seq
    camera.seq += 1
    following = camera.send_packet(events=array.array('B'))
    camera.send_packet(seq=late, header=following.header)
    camera.seq = following.seq + 1
    for name, report in after_good_packets(live, camera).items():
        assert report['out_of_order'] == '1' and report['lost_packets'] == '1'
        assert report['restarts'] == '0'
        assert [warning.split()[0] for warning in live.warnings(name, 2)] == ['lost', 'dropped']
