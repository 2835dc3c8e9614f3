# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import event_windows, pieces

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.codecs import PacketDecoder
from hybrid_pose_ros.events.event_array import event_array, no_events
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder

WIDTH, HEIGHT = 40, 6


def words_of(events):
    return np.frombuffer(Evt3Encoder(WIDTH, HEIGHT).encode(events), '<u2').tolist()


@given(event_windows(width=WIDTH, height=HEIGHT, duration_us=40) |
       event_windows(width=WIDTH, height=HEIGHT, duration_us=2**24) |
       event_windows(width=2048, height=2048, duration_us=20_000), st.data())
def test_decoding_gives_the_events_back_however_they_are_cut_into_packets(events, data):
    encoder, decoder = Evt3Encoder(2048, 2048), PacketDecoder('evt3', 2048, 2048)
    decoded = [decoder.decode(encoder.encode(events[piece])).events
               for piece in data.draw(pieces(len(events)))]
    assert np.array_equal(np.concatenate(decoded), events)


@given(st.sampled_from([50_000, 2**24 - 20_000, 2**24 - 1]),
       st.lists(st.tuples(st.integers(-40_960, 40_960) | st.integers(0, 2**27),
                          st.integers(0, 1))))
def test_decoding_gives_long_silences_and_steps_back_back(start_us, steps):
    times = start_us + np.cumsum([0, *(step for step, _ in steps)]).clip(0)
    events = event_array(times, [*(k for _, k in steps), 0], times * 0, times * 0)
    events = events[np.diff(times, prepend=times[0]) >= -40_960]
    assert np.array_equal(decode(Evt3Encoder(2, 1).encode(events), 2, 1), events)


@given(st.lists(st.integers(0, 30_000) | st.integers(0, 2**25), min_size=1, max_size=60),
       st.data())
def test_one_flipped_bit_of_a_high_moves_no_event_after_the_next_two(steps, data):
    """It moved the clock 16.8 s ahead for good. The turn of a stream's first HIGH is arbitrary."""
    times = 2**24 - 100_000 + np.cumsum(steps)
    times -= times[0] // 2**24 * 2**24  # as a decoder that joins there counts
    events = event_array(times, times * 0, times * 0, times * 0)
    encoder, decoder = Evt3Encoder(2, 1), PacketDecoder('evt3', 2, 1)
    packets = [np.frombuffer(encoder.encode(events[piece]), '<u2')
               for piece in data.draw(pieces(len(events)))]
    sizes, words = [len(packet) for packet in packets], np.concatenate(packets)
    highs = np.flatnonzero(words >> 12 == 8)
    flipped = data.draw(st.integers(0, len(highs) - 1))
    words[highs[flipped]] ^= 1 << data.draw(st.integers(0, 11))
    decoded = np.concatenate([decoder.decode(packet).events['t']
                              for packet in np.split(words, np.cumsum(sizes)[:-1])])
    kinds = words[:highs[flipped + 2]] if flipped + 2 < len(highs) else words
    before = np.count_nonzero(kinds >> 12 == 2)  # events up to the second HIGH after it
    wrong_us = (decoded - times)[before:]
    assert not np.any(wrong_us % 2**24 if flipped == 0 else wrong_us)


@pytest.mark.parametrize('bit', range(12))
def test_a_flipped_high_within_a_packet_moves_no_event_by_more_than_it_can_step_back(bit):
    times = np.arange(10) * 4096
    words = np.array(words_of(event_array(times, times * 0, times * 0, times * 0)), np.uint16)
    words[np.flatnonzero(words >> 12 == 8)[5]] ^= 1 << bit
    assert np.abs(decode(words)['t'] - times).max() <= 40_960


@pytest.mark.parametrize('encoded_by', ['this version', '0.1.0'])
@pytest.mark.parametrize('turns', [0.6, 1, 1.5, 2, 3.25])
def test_a_silence_of_whole_turns_is_kept(turns, encoded_by):
    """Version 0.1.0 wrote a HIGH every half turn of a silence, this one every eighth."""
    silence_us = int(turns * 2**24)
    words = words_of(event_array([5, 5 + silence_us], [1, 2], [0, 0], [0, 0]))
    if encoded_by == '0.1.0':
        halves = [0x8000, 0x8800] * 4
        words = words[:4] + halves[1:1 + (silence_us - 1) // 2**23] + words[-3:]
    assert decode(np.array(words, np.uint16))['t'].tolist() == [5, 5 + silence_us]


def decode(payload, width=WIDTH, height=HEIGHT):
    return PacketDecoder('evt3', width, height).decode(payload).events


def test_a_reader_may_join_at_any_packet():
    events = event_array([4096, 4097, 4099], [1, 2, 3], [5, 5, 5], [1, 1, 1])
    encoder = Evt3Encoder(WIDTH, HEIGHT)
    encoder.encode(events[:2])
    assert np.array_equal(decode(encoder.encode(events[2:])), events[2:])


def test_five_neighbors_of_one_time_are_a_vector_of_12_12_and_8():
    row = event_array([4097] * 5, [2, 3, 13, 26, 33], [5] * 5, [1] * 5)
    assert words_of(row) == [0x8001, 0x6001, 0x0005, 0x3802, 0x4803, 0x4000, 0x5081]


def test_four_neighbors_are_four_words():
    row = event_array([4097] * 4, [7, 8, 9, 10], [5] * 4, [0] * 4)
    assert words_of(row) == [0x8001, 0x6001, 0x0005, 0x2007, 0x2008, 0x2009, 0x200A]


def test_a_vector_ends_where_order_or_polarity_do():
    events = event_array([4097] * 15, [*range(3, 8), *range(4, 9), *range(9, 14)], [5] * 15,
                         [0] * 10 + [1] * 5)
    assert np.array_equal(decode(Evt3Encoder(WIDTH, HEIGHT).encode(events)), events)


def test_no_events_give_no_bytes():
    assert Evt3Encoder(WIDTH, HEIGHT).encode(no_events()) == b''


def test_times_come_back_modulo_the_turn_of_the_clock():
    events = event_array([3 * 2**24 + 5, 4 * 2**24 + 5], [1, 2], [0, 0], [0, 0])
    assert decode(Evt3Encoder(WIDTH, HEIGHT).encode(events))['t'].tolist() == [5, 2**24 + 5]


@pytest.mark.parametrize('times', [(50_000, 9_000), (0, 2**40 + 1)])
def test_steps_that_words_cannot_say_are_refused(times):
    with pytest.raises(InputError, match='EVT3 allows -40960 to 1099511627776'):
        Evt3Encoder(WIDTH, HEIGHT).encode(event_array(times, [0, 0], [0, 0], [0, 0]))


def test_a_sensor_that_is_too_large_is_refused():
    with pytest.raises(InputError, match='does not support a sensor of 2049x4 px'):
        Evt3Encoder(2049, 4)
