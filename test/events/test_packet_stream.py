# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events.clock import nearest_turn
from hybrid_pose_ros.events.codecs import PACKET_ENCODINGS
from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.events.packet_stream import RESTART_JUMP, PacketStream

STEP_NS = 4_000_000


def packet(index, *, words=None, stamp_ns=None, **fields):
    """Return an EVT3 packet with the event (index mod 16, 1) at 4096 us * (1 + index)."""
    if words is None:
        words = (0x8000 | (1 + index) % 4096, 0x6000, 0x0001, 0x2000 | index % 16)
    values = {'stamp_ns': (1 + index) * STEP_NS if stamp_ns is None else stamp_ns,
              'frame_id': 'camera', 'width': 16, 'height': 16, 'seq': index, 'time_base': 0,
              'encoding': 'evt3', 'payload': np.array(words, '<u2').tobytes()}
    return Packet(**{**values, **fields})


def stream_of(*seqs):
    stream = PacketStream()
    for seq in seqs:
        stream.update(packet(seq))
    return stream


def test_packets_in_order_lose_nothing():
    stream = stream_of(*range(5, 15))
    counts = stream.counts
    assert (counts.packets, counts.events, counts.lost_packets, counts.restarts) == (10, 10, 0, 0)


def test_a_jump_of_seq_is_a_loss_and_the_decoder_waits_for_a_row():
    stream = stream_of(0)
    update = stream.update(packet(3, words=(0x8004, 0x6000, 0x2001, 0x0002, 0x2003)))
    assert (update.lost_packets, update.restarted) == (2, False)
    assert update.events.tolist() == [(4 * 4096, 3, 2, 0)]


def test_a_duplicate_is_dropped():
    stream = stream_of(0, 1)
    update = stream.update(packet(1))
    assert (len(update.events), update.lost_packets, update.restarted) == (0, 0, False)
    assert stream.update(packet(2)).lost_packets == 0
    assert (stream.counts.duplicated, stream.counts.events) == (1, 3)


def test_a_sender_that_does_not_number_its_packets_loses_none():
    stream = PacketStream()
    for index in range(4):
        stream.update(packet(index, seq=0))
    counts = stream.counts
    assert (counts.events, counts.lost_packets, counts.restarts, counts.duplicated) == (4, 0, 0, 0)


def test_a_packet_out_of_order_is_dropped_and_no_restart():
    stream = stream_of(0, 2, 1, 3)
    counts = stream.counts
    assert (counts.out_of_order, counts.lost_packets, counts.restarts) == (1, 1, 0)
    assert counts.events == 3


def test_a_packet_older_than_the_first_one_is_out_of_order():
    assert stream_of(7, 6, 8).counts.restarts == 0


@pytest.mark.parametrize('length', [2, 5, 200])
def test_a_bag_that_begins_again_is_a_restart(length):
    stream = PacketStream()
    for seq in range(100, 100 + length):
        stream.update(packet(seq))
    first = stream.update(packet(100))
    assert (first.restarted, first.lost_packets, len(first.events)) == (True, 0, 1)
    assert first.events['t'].tolist() == [101 * 4096]
    assert not stream.update(packet(101)).restarted
    assert stream.counts.restarts == 1


def test_a_driver_that_starts_again_is_a_restart():
    stream = stream_of(*range(50))
    assert stream.update(packet(0, stamp_ns=60 * STEP_NS)).restarted


HOST_CLOCKS = {
    'set 20 s ahead': lambda stamp_ns, index: stamp_ns + 20 * 10**9 * (index >= 250),
    'set 1 h ahead': lambda stamp_ns, index: stamp_ns + 3600 * 10**9 * (index >= 250),
    'set 0.6 s back': lambda stamp_ns, index: stamp_ns - 600_000_000 * (index >= 250),
    'set 1 h back': lambda stamp_ns, index: stamp_ns + 3600 * 10**9 * (index < 250),
    'set at first after two packets': lambda stamp_ns, index: 10**18 * (index >= 2) + stamp_ns,
    'never set': lambda stamp_ns, index: 0,
    '20 times faster': lambda stamp_ns, index: 20 * stamp_ns,
}
SENT = [packet(index) for index in range(4000, 4500)]  # the sensor's clock wraps within them


@pytest.mark.parametrize('host_clock', HOST_CLOCKS.values(), ids=HOST_CLOCKS)
@pytest.mark.parametrize('numbered', [True, False])
def test_the_clock_of_the_host_moves_no_event_and_restarts_nothing(host_clock, numbered):
    """+20 s counted as a roll-over that was not seen, and a step back as another run."""
    stream, times_us = PacketStream(), []
    for index, sent in enumerate(SENT):
        stamped = sent._replace(stamp_ns=host_clock(sent.stamp_ns, index) + (not numbered) * index,
                                seq=sent.seq if numbered else 0)
        times_us += stream.update(stamped).events['t'].tolist()
    assert times_us == [4096 * (1 + index) for index in range(4000, 4500)]
    assert (stream.counts.restarts, stream.counts.lost_packets) == (0, 0)


@pytest.mark.parametrize('host_clock', HOST_CLOCKS.values(), ids=HOST_CLOCKS)
@pytest.mark.parametrize('lost', [1, 100])
def test_after_lost_packets_an_implausible_stamp_does_not_choose_the_turn(host_clock, lost):
    stream = PacketStream()
    for index, sent in enumerate(SENT[:250]):
        stream.update(sent._replace(stamp_ns=host_clock(sent.stamp_ns, index)))
    late = SENT[250 + lost]
    update = stream.update(late._replace(stamp_ns=host_clock(late.stamp_ns, 250 + lost)))
    assert update.events['t'].tolist() == [4096 * (1 + late.seq)]
    assert (update.lost_packets, update.restarted) == (lost, False)


def test_two_readers_that_join_on_both_sides_of_a_wrap_agree_in_the_nearest_turn():
    """They differ by 16.8 s for good, which no state or pose may be compared by."""
    early, late = PacketStream(), PacketStream()
    for sent in SENT:
        time_us = early.update(sent).events['t'][0]
        if sent.seq >= 4300:
            late_us = late.update(sent).events['t'][0]
            assert time_us - late_us == 2**24
            assert nearest_turn(late_us, time_us) == time_us


def test_a_sensor_clock_that_jumps_back_is_a_restart():
    stream = PacketStream()
    fields = {'encoding': 'mono', 'payload': np.array([1 << 32], '<u8').tobytes()}
    stream.update(packet(0, time_base=2_000_000_000, **fields))
    assert not stream.update(packet(1, time_base=1_999_000_000, **fields)).restarted
    assert stream.update(packet(2, time_base=1_000_000_000, **fields)).restarted


def test_a_jump_of_seq_past_all_reason_is_a_restart():
    update = stream_of(0).update(packet(RESTART_JUMP + 1, stamp_ns=2 * STEP_NS))
    assert (update.restarted, update.lost_packets) == (True, 0)


def test_after_a_restart_the_decoder_starts_anew():
    stream = stream_of(4095, 4096)  # the clock rolled over
    assert stream.update(packet(0)).events['t'].tolist() == [4096]


def test_roll_overs_while_packets_are_lost_follow_the_stamps():
    """The packets that were lost took twice as long as those before: 50 s, three turns."""
    stream = stream_of(*range(10))
    update = stream.update(packet(12_500, seq=6_010))
    assert update.events['t'].tolist() == [4096 * 12_501]


def test_roll_overs_while_packets_are_lost_follow_their_number_where_the_host_clock_was_set():
    stream = stream_of(*range(10))
    update = stream.update(packet(12_500, stamp_ns=0))
    assert update.events['t'].tolist() == [4096 * 12_501]


def test_a_silence_without_lost_packets_adds_no_turn():
    stream = PacketStream()
    stream.update(packet(0, words=(0x8000, 0x6005, 0x0001, 0x2001), stamp_ns=0))
    update = stream.update(packet(1, words=(0x8000, 0x6007, 0x0001, 0x2001), stamp_ns=50 * 10**9))
    assert update.events['t'].tolist() == [7]


BAD = {
    'encoding': ({'encoding': 'jpeg'}, "unknown encoding 'jpeg'"),
    'evt2 in a packet': ({'encoding': 'evt2'}, "unknown encoding 'evt2'"),
    'size': ({'width': 0}, 'evt3 of 0x16 px'),
    'other size': ({'width': 32}, 'the stream started with evt3 of 16x16 px'),
    'other encoding': ({'encoding': 'mono'}, 'packet 1 is mono of 16x16 px'),
    'half a word': ({'payload': b'\x01\x80\x01'}, 'payload of 3 bytes was truncated'),
    'time base': ({'time_base': 2**63}, 'time base 9223372036854775808 ns is out of range'),
}


@pytest.mark.parametrize('fields, text', BAD.values(), ids=BAD)
def test_a_bad_packet_is_refused_in_one_line_counted_and_the_stream_goes_on(fields, text):
    stream = stream_of(0)
    with pytest.raises(PacketError, match=text) as error:
        stream.update(packet(1, **fields))
    assert '\n' not in str(error.value)
    update = stream.update(packet(2))
    assert (len(update.events), update.lost_packets) == (1, 1)
    assert stream.counts.bad_packets == 1


def test_a_stream_may_begin_with_a_bad_packet():
    stream = PacketStream()
    with pytest.raises(PacketError, match='0x16 px cannot send evt3'):
        stream.update(packet(0, width=0))
    assert len(stream.update(packet(1)).events) == 1


def test_an_empty_packet_is_a_good_one():
    stream = stream_of(0)
    assert len(stream.update(packet(1, words=())).events) == 0
    assert stream.update(packet(2)).lost_packets == 0


@given(st.lists(st.tuples(
    st.sampled_from([*PACKET_ENCODINGS, 'evt3', 'evt3', '']),
    st.integers(0, 2**32 - 1) | st.just(16),
    st.integers(0, 2**64 - 1) | st.integers(0, 20), st.integers(0, 2**64 - 1) | st.just(0),
    st.integers(0, 2**62), st.binary(max_size=40)), max_size=20))
def test_whatever_the_packets_only_packet_errors_are_raised_and_all_are_counted(packets):
    stream = PacketStream()
    bad = 0
    for encoding, width, seq, time_base, stamp_ns, payload in packets:
        try:
            stream.update(Packet(stamp_ns, '', width, 16, seq, time_base, encoding, payload))
        except PacketError:
            bad += 1
    assert (stream.counts.packets, stream.counts.bad_packets) == (len(packets), bad)
