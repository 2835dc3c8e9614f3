# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Thinned, copied and noisy streams."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import event_windows

from hybrid_pose_ros.evaluation.disturbances import DOUBLE_US, scaled, with_noise


def pixels(events):
    """Return a sorted list of pixel and polarity of each event."""
    return sorted(zip(events['x'].tolist(), events['y'].tolist(), events['p'].tolist()))


@given(event_windows(duration_us=100_000), st.floats(0.01, 4.0), st.integers(0, 99))
def test_scaled_events_are_sorted_and_lie_where_events_were(events, factor, seed):
    result = scaled(events, factor, np.random.default_rng(seed))
    assert (np.diff(result['t']) >= 0).all() and (result['t'] >= 0).all()
    assert set(pixels(result)) <= set(pixels(events))
    assert int(factor) * len(events) <= len(result) <= (int(factor) + 1) * len(events)


@given(event_windows())
def test_a_factor_of_1_changes_nothing(events):
    np.testing.assert_array_equal(scaled(events, 1.0, np.random.default_rng(0)), events)


@given(event_windows(duration_us=100_000))
def test_doubling_keeps_every_event_and_adds_one_close_by_in_time(events):
    result = scaled(events, 2.0, np.random.default_rng(0))
    assert pixels(result) == sorted(2 * pixels(events))
    for event in events:
        same = result[(result['x'] == event['x']) & (result['y'] == event['y'])]
        assert event['t'] in same['t']
        assert (np.abs(same['t'] - event['t']) <= DOUBLE_US).sum() >= 2


@given(event_windows(duration_us=100_000), st.integers(0, 99))
def test_thinning_takes_events_away_and_no_more(events, seed):
    result = scaled(events, 0.5, np.random.default_rng(seed))
    times = events['t'].tolist()
    for t in result['t'].tolist():
        times.remove(t)


def test_noise_comes_at_its_rate_all_over_the_sensor():
    events = np.zeros(2, dtype=[('t', 'i8'), ('x', 'u2'), ('y', 'u2'), ('p', 'u1')])
    events['t'] = [0, 1_000_000]
    noisy = with_noise(events, 10.0, 20, 10, np.random.default_rng(0))
    assert 1800 < len(noisy) < 2200  # 10 Hz of 200 pixels: 2000, standard deviation 45
    assert (np.diff(noisy['t']) >= 0).all() and noisy['t'].max() <= 1_000_000
    assert len(set(zip(noisy['x'].tolist(), noisy['y'].tolist()))) == 200


@given(event_windows())
def test_without_noise_nothing_is_added(events):
    assert with_noise(events, 0.0, 10, 8, np.random.default_rng(0)) is events
