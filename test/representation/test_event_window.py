# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import event_windows, pieces

from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.representation.event_window import EventWindow

SENSOR = np.zeros((8, 10), np.int32)
"""All pixels of a sensor are inside."""


def at(*times_us):
    """Return events at those times."""
    return event_array(times_us, [0] * len(times_us), [0] * len(times_us), [1] * len(times_us))


@given(events=event_windows(max_events=200), size=st.integers(1, 30), data=st.data())
def test_the_window_is_the_last_events_however_the_stream_is_cut(events, size, data):
    window = EventWindow(size)
    for piece in data.draw(pieces(len(events), max_cuts=60)):
        window.append(events[piece])
    np.testing.assert_array_equal(window.latest(), events[-size:])


def test_a_new_window_is_empty():
    assert len(EventWindow(5).latest()) == 0


def test_events_before_a_time_are_the_last_ones_that_are_not_too_old():
    window = EventWindow(5)
    window.append(at(0, 899, 900, 901, 1_000))
    assert window.before(1_000, SENSOR, events=9, reach_us=100)['t'].tolist() == [900, 901]
    assert window.before(1_000, SENSOR, events=1, reach_us=100)['t'].tolist() == [901]
    assert len(window.before(0, SENSOR, events=9, reach_us=100)) == 0


def test_only_events_inside_a_region_count():
    inside = SENSOR.copy()
    inside[:, 5:] = -1
    window = EventWindow(9)
    window.append(event_array([1, 2, 3, 4, 5], [4, 5, 0, 9, 10], [0, 0, 7, 0, 0], [1] * 5))
    assert window.before(10, inside, events=9, reach_us=10)['t'].tolist() == [1, 3]


def test_an_event_that_steps_back_stays_in_order_of_arrival():
    window = EventWindow(3)
    window.append(at(10, 12, 11))
    assert window.latest()['t'].tolist() == [10, 12, 11]


def test_what_was_handed_out_does_not_change():
    window = EventWindow(2)
    window.append(at(1, 2))
    before = window.latest()
    for time_us in range(3, 60):
        window.append(at(time_us))
    assert before['t'].tolist() == [1, 2]


def test_a_cleared_window_is_empty():
    window = EventWindow(2)
    window.append(at(1, 2))
    window.clear()
    assert len(window.latest()) == 0
    window.append(at(3))
    assert window.latest()['t'].tolist() == [3]
