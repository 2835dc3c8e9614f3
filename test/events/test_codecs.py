# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import array
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_decoders import PlainEvt3, PlainLibcaerCmp
from shared_data import EVENTS, needs_recordings
from strategies import pieces

from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events.clock import EVT3_PERIOD_US
from hybrid_pose_ros.events.codec import Codec, Decoded, records
from hybrid_pose_ros.events.codecs import CODECS, PacketDecoder, period_us
from hybrid_pose_ros.events.evt3 import TIME_BITS

ENCODINGS = sorted(CODECS)
TIME_BASE = 1_700_000_000_123_456_000


def payload_of(*words):
    return np.array(words, '<u2').tobytes()


JOINED_LATER = ('evt3_valid_time_needs_high_then_low_in_one_packet', 'fuzz_evt3_15',
                'fuzz_evt3_18')
"""The reference decoder joins a stream only where HIGH and LOW are in one packet."""


@needs_recordings
def test_every_worked_vector_decodes_to_its_events():
    cases = json.loads((EVENTS / 'vectors' / 'codec_vectors.json').read_text())['cases']
    for case in cases:
        if case['name'] in JOINED_LATER:
            continue
        decoder = PacketDecoder(case['encoding'], case['width'], case['height'])
        decoded = [decoder.decode(bytes.fromhex(packet), time_base)
                   for packet, time_base in zip(case['packets'], case['time_base'])]
        events = [row for events, _ in decoded for row in events.tolist()]
        triggers = [row for _, triggers in decoded for row in triggers.tolist()]
        assert events == [(t // 1000, x, y, p) for t, x, y, p in case['events']], case['name']
        assert triggers == [(t // 1000, i, e) for t, i, e in case['triggers']], case['name']
        assert [len(e) + len(t) for e, t in decoded] == case['outputs_per_packet'], case['name']
    assert len(cases) >= 107


def test_evt3_words_by_hand():
    """HIGH 1, LOW 10, Y 100, X 320 ON, X 5 OFF, a vector of 12 from 640 ON: pixels 0 and 11."""
    decoder = PacketDecoder('evt3', 1280, 720)
    events, triggers = decoder.decode(payload_of(
        0x8001, 0x600A, 0x0064, 0x2800 | 320, 0x2005, 0x3800 | 640, 0x4801, 0x5003, 0xA601))
    assert events.tolist() == [(4106, 320, 100, 1), (4106, 5, 100, 0), (4106, 640, 100, 1),
                               (4106, 651, 100, 1), (4106, 652, 100, 1), (4106, 653, 100, 1)]
    assert triggers.tolist() == [(4106, 6, 1)]


def test_evt3_clock_rolls_over_after_24_bits():
    decoder = PacketDecoder('evt3', 8, 8)
    events, _ = decoder.decode(payload_of(0x8FFF, 0x6FFF, 0x0001, 0x2001, 0x8000, 0x6000, 0x2002))
    assert events['t'].tolist() == [2**24 - 1, 2**24]


def test_evt3_step_back_of_time_low_is_no_roll_over():
    decoder = PacketDecoder('evt3', 8, 8)
    events, _ = decoder.decode(payload_of(0x8001, 0x632B, 0x0001, 0x2001, 0x6320, 0x2001))
    assert events['t'].tolist() == [4096 + 0x32B, 4096 + 0x320]


def test_evt3_step_back_over_a_roll_over_is_no_other_roll_over():
    decoder = PacketDecoder('evt3', 8, 8)
    events, _ = decoder.decode(payload_of(0x8FFF, 0x6FFF, 0x0001, 0x2001, 0x8000, 0x6003, 0x2001,
                                          0x8FFF, 0x6FFE, 0x2001, 0x8000, 0x6005, 0x2001))
    assert events['t'].tolist() == [2**24 - 1, 2**24 + 3, 2**24 - 2, 2**24 + 5]


def test_evt3_emits_nothing_before_a_time_when_it_joins_in_mid_stream():
    decoder = PacketDecoder('evt3', 16, 16)
    words = payload_of(0x0003, 0x2001, 0x8001, 0x2002, 0x6001, 0x0004, 0x2003)
    assert decoder.decode(words).events.tolist() == [(4097, 3, 4, 0)]


def test_libcaer_clock_rolls_over_after_31_bits():
    decoder = PacketDecoder('libcaer', 640, 480)
    pixel = 3 << 17 | 4 << 2 | 1 << 1
    payload = np.array([pixel, 2**31 - 2, pixel, 1], '<u4').tobytes()
    events, _ = decoder.decode(payload, TIME_BASE)
    assert events.tolist() == [(TIME_BASE // 1000 + 2**31 - 2, 3, 4, 1),
                               (TIME_BASE // 1000 + 2**31 + 1, 3, 4, 1)]


def test_libcaer_cmp_time_starts_anew_in_every_packet():
    decoder = PacketDecoder('libcaer_cmp', 346, 260)
    first, _ = decoder.decode(payload_of(0x2064, 0x0001, 0x1005, 0x3801), TIME_BASE)
    second, _ = decoder.decode(payload_of(0x3002), TIME_BASE)
    assert first.tolist() == [(TIME_BASE // 1000 + 4101, 100, 1, 1)]
    assert second.tolist() == [(TIME_BASE // 1000, 100, 2, 0)]


def test_evt2_words_by_hand():
    """HIGH 100, ON at LOW 5, OFF at LOW 63, trigger 6 rising at LOW 7."""
    decoder = PacketDecoder('evt2', 640, 480)
    words = [8 << 28 | 100, 1 << 28 | 5 << 22 | 320 << 11 | 240, 63 << 22 | 639 << 11,
             0xA << 28 | 7 << 22 | 6 << 8 | 1]
    events, triggers = decoder.decode(np.array(words, '<u4').tobytes())
    assert events.tolist() == [(6405, 320, 240, 1), (6463, 639, 0, 0)]
    assert triggers.tolist() == [(6407, 6, 1)]


def test_evt2_clock_rolls_over_after_34_bits():
    decoder = PacketDecoder('evt2', 8, 8)
    words = [8 << 28 | 0xFFFFFFF, 1 << 28, 8 << 28 | 0, 1 << 28, 8 << 28 | 1, 8 << 28, 1 << 28]
    events, _ = decoder.decode(np.array(words, '<u4').tobytes())
    assert events['t'].tolist() == [2**34 - 64, 2**34, 2**34]


@given(st.lists(st.integers(0, 0xFFFF)), st.data())
def test_evt3_kernel_equals_plain_decoder_on_any_words(words, data):
    decoder, plain = PacketDecoder('evt3', 1280, 720), PlainEvt3(1280, 720)
    for piece in data.draw(pieces(len(words))):
        events, triggers = decoder.decode(payload_of(*words[piece]))
        assert (events.tolist(), triggers.tolist()) == plain.decode(words[piece])


def test_a_high_at_the_end_of_a_packet_and_a_low_at_the_start_of_the_next_are_a_time():
    decoder = PacketDecoder('evt3', 8, 8)
    assert len(decoder.decode(payload_of(0x8001)).events) == 0
    events, _ = decoder.decode(payload_of(0x6002, 0x0003, 0x2004))
    assert events.tolist() == [(4098, 4, 3, 0)]


def test_after_a_gap_a_low_without_a_new_high_is_no_time():
    decoder = PacketDecoder('evt3', 8, 8)
    decoder.decode(payload_of(0x8001))
    decoder.after_gap(elapsed_us=4096)
    assert len(decoder.decode(payload_of(0x6002, 0x0003, 0x2004)).events) == 0


@given(st.lists(st.integers(0, 0x6FFF)), st.data())
def test_libcaer_cmp_kernel_equals_plain_decoder_on_any_words(words, data):
    decoder, plain = PacketDecoder('libcaer_cmp', 346, 260), PlainLibcaerCmp(346, 260)
    for piece in data.draw(pieces(len(words))):
        events, _ = decoder.decode(payload_of(*words[piece]), TIME_BASE)
        assert events.tolist() == plain.decode(words[piece], TIME_BASE // 1000)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(-10, 1024)), max_size=300),
       st.data())
def test_a_joined_evt3_stream_may_be_cut_anywhere(words, data):
    """Any words, but a clock that goes back by 10 HIGH at most, or ahead by a quarter turn."""
    high, words = 2000, list(words)
    for i, (word, step) in enumerate(words):
        if word >> 12 == 8:
            high += step
        words[i] = 0x8000 | high % 4096 if word >> 12 == 8 else word
    whole, cut = PacketDecoder('evt3', 1280, 720), PacketDecoder('evt3', 1280, 720)
    for decoder in (whole, cut):
        decoder.decode(payload_of(0x8000 | 2000, 0x6000))
    expected = whole.decode(payload_of(*words))
    parts = [cut.decode(payload_of(*words[piece])) for piece in data.draw(pieces(len(words)))]
    assert np.array_equal(np.concatenate([part.events for part in parts]), expected.events)
    assert np.array_equal(np.concatenate([part.triggers for part in parts]), expected.triggers)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=300), st.data())
def test_an_evt2_stream_may_be_cut_anywhere(words, data):
    words = np.array(words, '<u4')
    whole, cut = PacketDecoder('evt2', 640, 480), PacketDecoder('evt2', 640, 480)
    parts = [cut.decode(words[piece]) for piece in data.draw(pieces(len(words)))]
    assert np.array_equal(np.concatenate([part.events for part in parts]),
                          whole.decode(words).events)


BEGINNINGS = {'evt3': payload_of(0x8001, 0x6001, 0x0004), 'evt2': payload_of(0, 0x8000)}
"""A time, and a row on the sensor: without them no event of the words that follow counts."""


@given(st.sampled_from(ENCODINGS), st.booleans(), st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_decode_to_events_on_the_sensor(encoding, begins, payload):
    payload = BEGINNINGS.get(encoding, b'') + payload if begins else payload
    events, _ = PacketDecoder(encoding, 50, 40).decode(payload, TIME_BASE)
    assert (events['x'] < 50).all() and (events['y'] < 40).all() and (events['p'] < 2).all()


@given(st.lists(st.sampled_from([0x1, 0x7, 0x9, 0xB, 0xC, 0xD, 0xE, 0xF])), st.data())
def test_evt3_ignores_unknown_words(kinds, data):
    noise = [kind << 12 | data.draw(st.integers(0, 0xFFF)) for kind in kinds]
    decoder = PacketDecoder('evt3', 16, 16)
    events, triggers = decoder.decode(payload_of(0x8001, 0x6001, 0x0004, *noise, 0x2003))
    assert events.tolist() == [(4097, 3, 4, 0)]
    assert len(triggers) == 0


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_bytes_that_make_no_whole_word_are_ignored(encoding):
    payload = bytes(range(7 * CODECS[encoding].word_bytes))
    whole, dangling = (PacketDecoder(encoding, 2048, 2048) for _ in range(2))
    expected = whole.decode(payload)
    assert np.array_equal(dangling.decode(payload + b'\x55').events, expected.events)


def test_events_beyond_the_sensor_are_dropped():
    words = payload_of(0x8001, 0x6001, 0x0003, 0x2007, 0x2008, 0x3006, 0x5007, 0x0004, 0x2000)
    events, _ = PacketDecoder('evt3', 8, 4).decode(words)
    assert events[['x', 'y']].tolist() == [(7, 3), (6, 3), (7, 3)]


def test_payload_may_be_any_buffer_at_any_alignment():
    words = payload_of(0x8001, 0x6001, 0x0003, 0x2007)
    shifted = memoryview(b'\0' + words)[1:]
    for payload in (bytearray(words), array.array('B', words), np.frombuffer(words, np.uint8),
                    shifted):
        events, _ = PacketDecoder('evt3', 8, 8).decode(payload)
        assert events.tolist() == [(4097, 7, 3, 0)]


def test_after_a_gap_evt3_waits_for_time_and_row():
    decoder = PacketDecoder('evt3', 16, 16)
    decoder.decode(payload_of(0x8001, 0x6001, 0x0004, 0x3003))
    decoder.after_gap(elapsed_us=4096)
    events, _ = decoder.decode(payload_of(0x2001, 0x8002, 0x6005, 0x2002, 0x4001, 0x0006, 0x2003,
                                          0x4001, 0x3007, 0x4001))
    assert events.tolist() == [(8197, 3, 6, 0), (8197, 7, 6, 0)]


def test_after_a_gap_libcaer_cmp_waits_for_the_column():
    decoder = PacketDecoder('libcaer_cmp', 346, 260)
    decoder.decode(payload_of(0x2064, 0x3001), TIME_BASE)
    decoder.after_gap(elapsed_us=10_000)
    events, _ = decoder.decode(payload_of(0x3002, 0x2065, 0x3003, 0x5001), TIME_BASE)
    assert events[['x', 'y']].tolist() == [(101, 3)]


@given(st.integers(0, 2**34), st.integers(0, 2**30), st.integers(-8_000_000, 8_000_000))
def test_roll_overs_in_a_gap_are_read_off_the_elapsed_time(start_us, gap_us, jitter_us):
    """The host's stamps may be wrong by half a turn of the clock, 8 s."""
    decoder = PacketDecoder('evt3', 16, 16)
    for time_us in range(0, start_us, 2**22):  # so that every roll-over is seen
        decoder.decode(time_words(time_us))
    decoder.decode(time_words(start_us))
    decoder.after_gap(max(gap_us + jitter_us, 0))
    events, _ = decoder.decode(time_words(start_us + gap_us) + payload_of(0x0001, 0x2001))
    assert events['t'].tolist() == [start_us + gap_us]


def time_words(time_us):
    time_us %= 1 << TIME_BITS
    return payload_of(0x8000 | time_us >> 12, 0x6000 | time_us & 0xFFF)


def test_two_gaps_in_a_row_add_up():
    decoder = PacketDecoder('evt3', 16, 16)
    decoder.decode(time_words(0))
    decoder.after_gap(3 << TIME_BITS)
    assert len(decoder.decode(payload_of(0x2001)).events) == 0
    decoder.after_gap(2 << TIME_BITS)
    events, _ = decoder.decode(time_words(7) + payload_of(0x0001, 0x2001))
    assert events['t'].tolist() == [(5 << TIME_BITS) + 7]


@pytest.mark.parametrize('encoding, width, height, time_base, text', [
    ('evt4', 640, 480, 0, "unknown encoding 'evt4'"),
    ('evt3', 0, 480, 0, '0x480 px cannot send evt3'),
    ('evt3', 640, 2049, 0, '640x2049 px cannot send evt3'),
    ('mono', 640, 480, 2**64 - 1, 'time base 18446744073709551615 ns is out of range'),
    ('mono', 640, 480, -1, 'time base -1 ns is out of range'),
])
def test_what_cannot_be_decoded_is_refused(encoding, width, height, time_base, text):
    with pytest.raises(PacketError, match=text):
        PacketDecoder(encoding, width, height).decode(b'', time_base)


def test_a_codec_that_is_added_to_the_table_decodes(monkeypatch):
    """A word of the toy is x; its state counts events, which are its time."""
    def decode(words, state, size, time_base_ns):
        found = records(len(words))
        events = found.events[:len(words)]
        events['t'], events['x'], events['y'], events['p'] = state + np.arange(
            len(words)), words, 0, 1
        return Decoded(events[events['x'] < size[0]], found.triggers), state + len(words)
    monkeypatch.setitem(CODECS, 'toy', Codec(
        word_bytes=2, address_bits=3, decode=decode, start=0,
        after_gap=lambda state, elapsed_us: state + elapsed_us, period_us=256))
    decoder = PacketDecoder('toy', 8, 1)
    assert decoder.decode(payload_of(5, 9, 7)).events.tolist() == [(0, 5, 0, 1), (2, 7, 0, 1)]
    decoder.after_gap(elapsed_us=100)
    assert decoder.decode(payload_of(1)).events.tolist() == [(103, 1, 0, 1)]
    assert period_us('toy') == 256
    with pytest.raises(PacketError, match='9x1 px cannot send toy'):
        PacketDecoder('toy', 9, 1)


def test_the_clock_of_an_unknown_encoding_does_not_wrap():
    assert period_us('evt3') == EVT3_PERIOD_US and period_us('evt9') == 0
