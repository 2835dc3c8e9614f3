# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.representation.hot_pixels import HotPixels

WIDTH, HEIGHT = 12, 9


def flicker(x, y, hz, start_us, end_us):
    """Return the events of one pixel."""
    times_us = np.arange(start_us, end_us, round(1e6 / hz))
    count = len(times_us)
    return event_array(times_us, [x] * count, [y] * count, np.arange(count) % 2)


def merged(*parts):
    """Return events in order of time."""
    events = np.concatenate(parts)
    return events[np.argsort(events['t'], kind='stable')]


def masked(events, cuts=()):
    """Return the pixels (x, y) that are masked after some events, that came in pieces."""
    hot = HotPixels(WIDTH, HEIGHT)
    for piece in np.split(events, sorted(cuts)):
        hot.masked(piece)
    assert hot.number == hot.mask.sum()
    return [(int(x), int(y)) for y, x in np.argwhere(hot.mask)]


def test_a_pixel_that_fires_alone_and_without_end_is_masked():
    events = merged(flicker(5, 4, 500, 0, 2_100_000), flicker(2, 2, 20, 0, 2_100_000))
    assert masked(events) == [(5, 4)]


def test_pixels_at_the_border_are_masked_too():
    assert masked(merged(flicker(0, 0, 500, 0, 2_100_000),
                         flicker(WIDTH - 1, HEIGHT - 1, 500, 0, 2_100_000))) \
        == [(0, 0), (WIDTH - 1, HEIGHT - 1)]


def test_it_takes_a_while():
    assert masked(flicker(5, 4, 500, 0, 1_400_000)) == []


def test_a_lamp_that_flickers_is_not_masked():
    lamp = [flicker(x, y, 200, 0, 2_100_000) for x in range(3, 7) for y in range(3, 7)]
    assert masked(merged(*lamp)) == []


def test_an_edge_that_moves_on_is_not_masked():
    edge = [flicker(x, y, 1000, 250_000 * x, 250_000 * (x + 1))
            for x in range(WIDTH) for y in range(HEIGHT)]
    assert masked(merged(*edge)) == []


def test_a_pixel_that_has_cooled_down_is_freed():
    hot, rest = flicker(5, 4, 500, 0, 2_100_000), flicker(1, 1, 20, 2_100_000, 4_600_000)
    assert masked(merged(hot, rest)) == []


def test_nothing_follows_from_a_window_that_was_broken_off():
    gaps = [flicker(5, 4, 500, start_us, start_us + 600_000)
            for start_us in range(0, 20_000_000, 2_000_000)]
    assert masked(merged(*gaps)) == []


@given(cuts=st.lists(st.integers(0, 1090), max_size=6))
def test_packets_may_be_cut_anywhere(cuts):
    events = merged(flicker(5, 4, 500, 0, 2_100_000), flicker(2, 2, 20, 0, 2_100_000))
    assert masked(events, cuts) == [(5, 4)]


def test_events_beside_the_sensor_and_late_ones_do_no_harm():
    events = event_array([10, 5, 2_000_000, 3], [WIDTH, 1, 2, 3], [1, HEIGHT, 3, 1], [0, 1, 0, 1])
    assert masked(events) == []


def test_only_the_events_of_masked_pixels_are_left_out():
    hot = HotPixels(WIDTH, HEIGHT)
    hot.masked(flicker(5, 4, 500, 0, 2_100_000))
    events = merged(flicker(5, 4, 500, 2_100_000, 2_200_000),
                    flicker(4, 5, 500, 2_100_000, 2_200_000))
    left = hot.masked(events)
    assert len(left) == len(events) // 2
    assert set(left['x']) == {4} and set(left['y']) == {5}


@given(st.lists(st.integers(0, 1_600), max_size=6))
def test_what_is_left_does_not_depend_on_how_the_stream_is_cut(cuts):
    """A mask of the end of a piece used to hold for all of the piece."""
    events = merged(flicker(5, 4, 500, 0, 2_500_000), flicker(2, 2, 20, 0, 2_500_000))
    left = [np.concatenate([hot.masked(piece) for piece in np.split(events, sorted(at))])
            for hot, at in ((HotPixels(WIDTH, HEIGHT), cuts), (HotPixels(WIDTH, HEIGHT), []))]
    np.testing.assert_array_equal(left[0], left[1])
    assert 0 < (left[0]['x'] == 5).sum() < 1_000
