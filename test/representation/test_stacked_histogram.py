# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from strategies import event_windows

from hybrid_pose_ros.events.event_array import event_array, no_events
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.representation.stacked_histogram import stacked_histogram
from hybrid_pose_ros.representation.step_counter import StepCounter

GEOMETRY = input_geometry(preset('edge'), 10, 8)


def histogram(events, **options):
    """Return the histogram of five bins on a sensor of 10x8 pixels, one cell each."""
    return stacked_histogram(events, GEOMETRY, bins=5, **options)


def test_bins_cut_the_time_from_the_first_to_the_last_event():
    events = event_array([1_000, 1_019, 1_020, 1_080, 1_100], [3] * 5, [4] * 5, [1] * 5)
    assert histogram(events)[5:, 4, 3].tolist() == [2, 1, 0, 0, 2]


def test_bins_cut_the_sensors_clock_where_a_window_is_given():
    events = event_array([999, 1_000, 1_199, 1_200, 1_999, 2_000], [3] * 6, [4] * 6, [1] * 6)
    counts = histogram(events, start_us=1_000, duration_us=1_000)
    assert counts[5:, 4, 3].tolist() == [2, 1, 0, 0, 1]
    assert counts.sum() == 4


def test_off_bins_come_before_on_bins():
    counts = histogram(event_array([0, 10], [0, 9], [0, 7], [0, 1]))
    assert counts[0, 0, 0] == 1
    assert counts[9, 7, 9] == 1
    assert counts.shape == (10, 8, 10)


@pytest.mark.parametrize('window', [{}, {'start_us': 0, 'duration_us': 1000}])
def test_the_empty_window_is_all_zeros(window):
    assert not histogram(no_events(), **window).any()


def test_one_event_is_in_the_newest_bin():
    assert histogram(event_array([7], [1], [2], [1]))[9, 2, 1] == 1


def test_events_of_one_instant_are_in_the_newest_bin():
    assert histogram(event_array([7] * 3, [1] * 3, [2] * 3, [0] * 3))[4, 2, 1] == 3


def test_counts_stop_at_65535():
    count = 65_600
    events = event_array(np.zeros(count), np.ones(count), np.ones(count), np.ones(count))
    assert histogram(events)[9, 1, 1] == 65_535


def test_pooled_cells_add_up_their_pixels():
    geometry = input_geometry(preset('edge'), 346, 260)
    events = event_array([0] * 4, [10, 11, 10, 11], [20, 20, 21, 21], [1] * 4)
    assert stacked_histogram(events, geometry, bins=1)[1, 10, 5] == 4


def test_events_outside_the_crop_still_set_the_time_span():
    """The paper takes the last 7500 events of the whole sensor and crops the histogram."""
    geometry = input_geometry(preset('paper'), 346, 260)
    events = event_array([0, 100, 1_000], [0, 100, 0], [0, 100, 0], [1] * 3)
    counts = stacked_histogram(events, geometry, bins=10)
    assert counts.sum() == 1
    assert counts[11, 98, 66] == 1


def test_half_a_window_is_refused():
    with pytest.raises(TypeError, match='both or neither'):
        histogram(no_events(), start_us=3)


@given(event_windows())
def test_every_event_is_counted_once(events):
    assert histogram(events).sum() == len(events)
    assert histogram(events, start_us=0, duration_us=1000).sum() == len(events)


@given(event_windows())
def test_the_order_of_events_does_not_matter(events):
    np.testing.assert_array_equal(histogram(events), histogram(events[::-1]))


@given(event_windows(start_us=20_000, duration_us=5_000))
def test_bins_on_the_clock_are_the_steps_of_the_snn(events):
    counts = histogram(events, start_us=20_000, duration_us=5_000)
    steps = StepCounter(GEOMETRY, 1_000)
    for step in steps.update(events) + steps.flush():
        np.testing.assert_array_equal(counts[[step.number - 20, step.number - 15]],
                                      step.counts(GEOMETRY))
