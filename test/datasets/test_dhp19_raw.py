# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from dhp19_files import HEADER, SPECIAL, address, poses_mm, write_aedat2, write_raw_form
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.datasets import dhp19_filters
from hybrid_pose_ros.datasets.aedat2 import read_aedat2
from hybrid_pose_ros.datasets.dhp19 import find
from hybrid_pose_ros.datasets.dhp19_filters import filtered
from hybrid_pose_ros.datasets.dhp19_raw import span
from hybrid_pose_ros.errors import InputError, RecordingError

BEGIN_US = 5_000_000
COLUMNS = 4 * 346


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'mov1.aedat'


def read_words(path, words, stamps_us, header=HEADER):
    write_aedat2(path, words, stamps_us, header)
    return read_aedat2(path)


def test_an_address_is_row_column_polarity_and_channel(path):
    events = read_words(path, address([0, 345, 17], [259, 0, 4], [1, 0, 1], [3, 0, 2]),
                        [7, 2**31 - 1, 9])
    assert events.t.tolist() == [7, 2**31 - 1, 9]
    assert events.x.tolist() == [0, 345, 17] and events.y.tolist() == [259, 0, 4]
    assert events.p.tolist() == [1, 0, 1] and events.channel.tolist() == [3, 0, 2]
    assert events.specials_us.tolist() == []


def test_signals_are_told_from_events_and_frames_are_skipped(path):
    frame = 1 << 31 | SPECIAL
    events = read_words(path, [SPECIAL, address(1, 2, 1, 0), frame, SPECIAL | 3, 1 << 31],
                        [1, 2, 3, 4, 5])
    assert events.t.tolist() == [2] and events.specials_us.tolist() == [1, 4]


def test_an_event_that_begins_with_the_mark_of_the_header_is_an_event(path):
    events = read_words(path, address([5, 6], [0x23 << 2, 3], [0, 1], 1), [0x0a0a0a, 0x0a0a0b])
    assert path.read_bytes()[len(HEADER):][:1] == b'#'
    assert events.t.tolist() == [0x0a0a0a, 0x0a0a0b]


@pytest.mark.parametrize('size', range(1, 8))
def test_a_file_that_ends_within_an_event_is_refused(path, size):
    write_aedat2(path, address([5], [6], [1], 1), [10])
    path.write_bytes(path.read_bytes() + bytes(size))
    with pytest.raises(RecordingError, match=f'{size} bytes after event 1: the file is truncated'):
        read_aedat2(path)


@given(st.lists(st.integers(-100_000, 100_000_000), min_size=1, max_size=200),
       st.integers(0, 2**32 - 1))
def test_the_clock_of_32_bits_is_unwrapped(tmp_path_factory, steps_us, first_us):
    """Of steps shorter than half a turn, forth and back, the sums are the times."""
    expected = first_us + np.cumsum([0, *steps_us])
    events = read_words(tmp_path_factory.getbasetemp() / 'wrap.aedat', address(
        [1] * len(expected), [1] * len(expected), [1] * len(expected), 0), expected % 2**32)
    assert events.t.tolist() == expected.tolist()


@pytest.mark.parametrize('content', [b'', b'#!AER-DAT3.1\r\n', b'\x89HDF'])
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(RecordingError, match='mov1.aedat is not an AEDAT 2.0 file: expected'):
        read_aedat2(path)


def test_a_missing_file_is_refused(path):
    with pytest.raises(RecordingError, match='mov1.aedat cannot be read: No such file'):
        read_aedat2(path)


@pytest.mark.parametrize('events, specials, expected', [
    ((1000, 9000), (), (1000, 9000)),
    ((1000, 9000), (2000, 2001, 8000), (2000, 8000)),
    ((1000, 9000), (2000, 2000, 2000, 2001, 8000), (2000, 8000)),
    ((1000, 9000), (2000,), (2000, 5000)),
    ((1000, 9000), (8000,), (5000, 8000)),
    ((1000, 9000), (2000, 2001), (2000, 5000)),
    ((1000, 9000), (8000, 8001), (5000, 8000)),
    ((1000, 9000), (2000, 2000, 2000, 2001), (2000, 5000)),
    ((3000, 1000, 9000), (5500,), (2500, 5500)),  # one signal: beside the earliest and the latest
    ((3000, 1000, 9000), (5500, 5500), (5500, 8500)),  # two: beside the first and the last
    ((1000, 2500), (2000, 2000), (0, 2000)),  # S16_2_4 likewise, but for its clock
    ((7000, 9000, 100), (7500, 7500), (7500, 9000))])  # the clock begins anew: S14_1_1
def test_a_recording_lasts_as_its_special_events_say(path, events, specials, expected):
    assert span(np.array(events), np.array(specials), 3000, path) == expected


@given(st.lists(st.integers(0, 10**6), min_size=6, max_size=9))
def test_more_than_five_special_events_are_a_corrupted_recording(specials):
    with pytest.raises(RecordingError, match=f'x has {len(specials)} special events: expected at'):
        span(np.array([0, 10]), np.array(specials), 3000, 'x')


def test_signals_in_the_wrong_order_are_refused(path):
    with pytest.raises(RecordingError, match='give the start 800 us and the end 200 us'):
        span(np.array([0, 900]), np.array([800, 500, 200]), 3000, path)


def kept(*events):
    """Return which of events (t, column, row) all filters let through."""
    t, x, y = (np.array(values) for values in zip(*events))
    return filtered(t, x, y, COLUMNS).tolist()


def test_an_event_stays_where_a_neighbor_had_one_at_most_70_ms_ago():
    assert kept((0, 50, 50), (70_000, 51, 51), (140_001, 50, 50), (150_000, 52, 52)) == [1]
    assert kept((0, 50, 50), (5, 50, 50), (6, 52, 50)) == []  # the same pixel, and one further off


def test_pixels_at_the_mosaics_edge_support_none_but_those_between_two_images_do():
    assert kept((0, 0, 50), (1, 1, 50), (2, 0, 50)) == [2]
    assert kept((0, 345, 50), (1, 346, 50)) == [1]


def test_a_pixel_with_ten_thousand_events_is_left_out(monkeypatch):
    monkeypatch.setattr(dhp19_filters, 'HOT_EVENTS', 3)
    assert kept((0, 50, 50), (1, 51, 50), (2, 50, 50), (3, 51, 50), (4, 51, 50)) == []
    assert kept((0, 50, 50), (1, 51, 50), (2, 50, 50), (3, 51, 50)) == [1, 2, 3]


@pytest.mark.parametrize('column, row, lamp', [
    # counted from 1 as the dataset does: 780 < x < 810, 115 < y < 145; 1252 < x < 1259,
    # 136 < y < 144
    (780, 115, False), (781, 116, True), (809, 144, True), (810, 144, False), (809, 145, False),
    (1252, 137, False), (1253, 137, True), (1258, 143, True), (1259, 143, False),
    (1258, 144, False)])
def test_the_two_lamps_are_left_out(column, row, lamp):
    x, y = column - 1, row - 1
    assert kept((0, x + 1, y), (1, x, y)) == ([] if lamp else [1])  # the second has support


def plain_filter(t, x, y):
    """Return what stays, as the dataset's own loop decides it."""
    latest, stays = {}, []
    for i in range(len(t)):
        if t[i] - latest.get((x[i], y[i]), -10**9) <= 70_000:
            stays.append(i)
        if 0 < x[i] < COLUMNS - 1 and 0 < y[i] < 259:
            latest |= {(x[i] + dx, y[i] + dy): t[i] for dx in (-1, 0, 1) for dy in (-1, 0, 1)
                       if dx or dy}
    return stays


@given(st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 6), st.integers(0, 6)),
                max_size=60))
def test_the_background_filter_is_that_of_the_plain_loop(steps):
    t = np.cumsum([step for step, _, _ in steps], dtype=np.int64)
    x, y = (np.array([step[i] for step in steps], np.int64) for i in (1, 2))
    assert filtered(t, x, y, COLUMNS).tolist() == plain_filter(t, x, y)


def test_the_filter_is_compiled_and_plain_python_alike():
    rng = np.random.default_rng(5)
    t = np.sort(rng.integers(0, 400_000, 3000))
    x, y = rng.integers(0, 12, 3000), rng.integers(0, 12, 3000)
    ways = [function(t, x, y, np.full((COLUMNS, 260), -1 << 62), 70_000)
            for function in (dhp19_filters._supported, dhp19_filters._supported.py_func)]
    assert np.array_equal(*ways) and 0 < ways[0].sum() < 3000


def moving_edge(milliseconds, channel):
    """Return words and times: a column of 40 pixels, one further to the right each 5 ms."""
    step = np.repeat(np.arange(milliseconds // 5), 40)
    row = np.tile(np.arange(40), milliseconds // 5)
    stamps_us = BEGIN_US + 5000 * step + 10 * row
    return address(100 + step, 100 + row, step % 2, channel), stamps_us


def write_recording(folder, *, specials_us, milliseconds=100, poses=10, name=(1, 1, 1)):
    """Write a recording that all four cameras see the edge in."""
    parts = [moving_edge(milliseconds, channel) for channel in range(4)]
    words, stamps_us = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    words = np.concatenate([words, np.full(len(specials_us), SPECIAL)])
    stamps_us = np.concatenate([stamps_us, specials_us])
    order = np.argsort(stamps_us, kind='stable')
    write_raw_form(folder, name, words[order], stamps_us[order], poses_mm(poses))


def test_a_recording_begins_at_the_first_signal_and_both_axes_are_turned_round(tmp_path):
    begin = BEGIN_US + 30_000
    write_recording(tmp_path, specials_us=[begin, begin + 1, begin + 50_000])
    files, = find(tmp_path)
    first, third = files.load([0, 3])
    assert (first.name, third.name) == ('S1_session1_mov1_cam0', 'S1_session1_mov1_cam3')
    assert np.array_equal(first.events, third.events)
    events = first.events
    assert events['t'][0] > 0 and events['t'][-1] < 50_000
    assert (np.diff(events['t']) >= 0).all()
    step = (events['t'] + 30_000) // 5000
    assert np.array_equal(events['x'], 345 - (100 + step))
    assert np.array_equal(events['y'], 259 - (100 + (events['t'] % 5000) // 10))
    assert np.array_equal(events['p'], step % 2)
    # of each column the first pixel has a neighbor in the column before, but for the very first
    assert len(events) == 10 * 40 - 2
    assert first.labels.t.tolist() == [0, 10_000, 20_000, 30_000, 40_000]
    assert np.allclose(third.labels.joints_px[0, 0], (159.145, 125.014), atol=6e-4)


def test_addresses_beside_the_sensor_and_a_fifth_camera_are_left_out(tmp_path):
    beside = ((346, 100, 1), (100, 260, 0), (100, 100, 4))  # column, row, channel
    neighbors = ((345, 100, 1), (100, 1, 0), (101, 100, 3))  # in the mosaic, if they were on it
    columns, rows, channels = np.transpose([*neighbors, *beside])
    write_raw_form(tmp_path, (1, 1, 1), [SPECIAL, SPECIAL, *address(columns, rows, 1, channels)],
                   [BEGIN_US, BEGIN_US, *BEGIN_US + 10 + np.arange(6)], poses_mm(3))
    for recording in find(tmp_path)[0].load([0, 1, 2, 3]):
        assert len(recording.events) == 0  # the neighbors came first: nothing supports them


def test_labels_and_events_end_with_the_shorter_of_the_two(tmp_path):
    write_recording(tmp_path, specials_us=[BEGIN_US, BEGIN_US, BEGIN_US + 95_000], poses=4)
    recording, = find(tmp_path)[0].load([2])
    assert recording.events['t'][-1] < 40_000 and recording.labels.t[-1] == 30_000


def test_the_published_form_is_split_by_subject_too(tmp_path):
    for subject in (12, 13):
        write_recording(tmp_path, specials_us=[BEGIN_US] * 2, name=(subject, 2, 6))
    assert [str(files.name) for files in find(tmp_path, 'test')] == ['S13_session2_mov6']


def test_missing_labels_of_the_published_form_are_named(tmp_path):
    write_recording(tmp_path, specials_us=[BEGIN_US] * 2)
    (tmp_path / 'Vicon_data' / 'S1_1_1.mat').unlink()
    with pytest.raises(InputError, match='contains no labels: expected S1_1_1.mat'):
        find(tmp_path)


def test_a_file_that_was_cut_between_two_events_is_refused(tmp_path):
    """Its labels go on for 4 s, but four sensors are never silent for a second."""
    write_recording(tmp_path, specials_us=[BEGIN_US], poses=500, milliseconds=1_000)
    with pytest.raises(RecordingError, match='events end 0.9.* s after .* lasts 5.000 s: the fi'):
        find(tmp_path)[0].load([2])


def test_one_recording_without_labels_does_not_stop_the_others(tmp_path):
    for movement in (1, 2):
        write_recording(tmp_path, specials_us=[BEGIN_US] * 2, name=(1, 1, movement))
    (tmp_path / 'Vicon_data' / 'S1_1_2.mat').unlink()
    whole, lacking = find(tmp_path)
    assert len(whole.load([2])[0].labels.t)
    with pytest.raises(RecordingError, match='S1_1_2.mat cannot be read: No such file'):
        lacking.load([2])


@pytest.mark.parametrize('specials_us, text', [
    ([BEGIN_US] * 7, 'has 7 special events'),
    ([BEGIN_US + 10**7, BEGIN_US + 10**7, BEGIN_US + 2 * 10**7], 'no events between')])
def test_recordings_that_cannot_be_used_say_why(tmp_path, specials_us, text):
    write_recording(tmp_path, specials_us=specials_us)
    with pytest.raises(RecordingError, match=f'mov1.aedat.*{text}'):
        find(tmp_path)[0].load([0])


def test_a_recording_without_events_is_refused(tmp_path):
    write_raw_form(tmp_path, (1, 1, 1), [SPECIAL], [5], poses_mm(3))
    with pytest.raises(RecordingError, match='mov1.aedat contains no events'):
        find(tmp_path)[0].load([0])


def test_a_clock_that_is_set_anew_within_a_recording_is_refused(tmp_path):
    words, stamps_us = moving_edge(100, 1)
    stamps_us = stamps_us + 10**6 * (np.arange(len(words)) < 400)
    write_raw_form(tmp_path, (1, 1, 1), [*words, address(1, 1, 1, 0)],
                   [*stamps_us, 2 * BEGIN_US], poses_mm(600))
    with pytest.raises(RecordingError, match='clock of channel 1 steps back by 9.* us'):
        find(tmp_path)[0].load([1])
