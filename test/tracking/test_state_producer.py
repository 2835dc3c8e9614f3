# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The initializer's path without ROS: when a frame is due, and which events are in it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.model.checkpoint import untrained
from hybrid_pose_ros.model.layout import state_layout
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.tracking.initializer_params import InitializerParams
from hybrid_pose_ros.tracking.state_producer import WINDOWS_KEPT, StateProducer, next_due_us

pytest.importorskip('torch')

WIDTH, HEIGHT, STEP_US = 16, 12, 1_000
EDGE = preset('edge')
WEIGHTS = untrained(EDGE)
PARAMS = InitializerParams(min_events=10, rate_hz=50.0)
WINDOW = round(EDGE.ann.window_events * WIDTH / 346)
"""Events in a frame: the network's number is for a DAVIS346, and edges grow with the width."""


@pytest.fixture(scope='module')
def ann():
    """Return a loaded producer, whose network the others share."""
    return StateProducer(WEIGHTS, PARAMS, WIDTH, HEIGHT)


@pytest.fixture
def producer(ann, monkeypatch):
    """Return how to make a producer without loading the network again."""
    monkeypatch.setattr('hybrid_pose_ros.networks.initializer.StateInitializer',
                        lambda weights, precision: ann.network)

    def make(**changes) -> StateProducer:
        return StateProducer(WEIGHTS, replace(PARAMS, **changes), WIDTH, HEIGHT)
    return make


def events_at(times_us) -> np.ndarray:
    """Return events, each on another pixel of the first row or two."""
    index = np.arange(len(times_us))
    return event_array(times_us, index % WIDTH, index // WIDTH % HEIGHT, index % 2)


def test_nothing_is_due_before_the_first_event(producer):
    made = producer()
    made.append(events_at([]))
    assert not made.is_due()


def test_a_frame_ends_at_the_border_of_a_time_bin(producer):
    made = producer()
    made.append(events_at(range(0, 4_500, 100)))
    frame = made.frame()
    assert frame.sensor_time_us == 4_000
    assert frame.counts.sum() == 40


@given(st.integers(0, 5_000))
def test_every_event_before_the_border_and_none_behind_it_is_in_the_frame(ann, newest_us):
    made = ann
    made.restart()
    times_us = np.linspace(0, 3_000, 30).astype(int)
    made.append(events_at([*times_us[:-1], 3_000 + newest_us]))
    frame = made.frame()
    assert frame.sensor_time_us == (3_000 + newest_us) // STEP_US * STEP_US
    assert frame.counts.sum() == 29


def test_a_frame_holds_the_last_events_only(producer):
    made = producer()
    made.append(events_at(np.arange(WINDOW + 500)))
    made.append(events_at([WINDOW + 10_000]))
    assert made.frame().counts.sum() == WINDOW


def test_events_out_of_reach_are_not_in_the_frame(producer):
    made = producer(reach_us=5_000)
    made.append(events_at(range(0, 1_000, 10)))
    made.append(events_at(range(20_000, 21_001, 10)))
    assert made.frame().counts.sum() == 100


def test_too_few_events_make_no_frame(producer):
    made = producer(min_events=50)
    made.append(events_at(range(0, 4_900, 100)))
    assert made.frame() is None
    made.append(events_at(range(4_900, 6_000, 10)))
    assert made.frame() is not None


@pytest.mark.parametrize('rate_hz, step_us, due_us', [
    (50.0, 1_000, [20_000, 40_000, 60_000]), (30.0, 1_000, [34_000, 67_000, 100_000]),
    (30.0, 10_000, [40_000, 70_000, 100_000]), (200.0, 10_000, [10_000, 20_000, 30_000])])
def test_states_are_due_at_multiples_of_the_period_at_the_ends_of_bins(rate_hz, step_us, due_us):
    found = [0]
    for _ in due_us:
        found.append(next_due_us(found[-1], rate_hz, step_us))
    assert found[1:] == due_us
    assert next_due_us(due_us[0] - 1, rate_hz, step_us) == due_us[0]
    assert 0 < next_due_us(10**12 + 1, rate_hz, step_us) - 10**12 <= 1e6 / rate_hz + step_us


def test_the_next_frame_is_due_by_the_sensors_clock(producer):
    made = producer(rate_hz=50.0)
    made.append(events_at(range(0, 5_000, 100)))
    assert made.is_due()  # the first as soon as may be
    assert made.frame().sensor_time_us == 4_000
    made.append(events_at([19_999]))
    assert not made.is_due()
    made.append(events_at([20_000]))
    assert made.is_due()
    assert made.frame().sensor_time_us == 20_000
    assert not made.is_due()
    made.append(events_at([39_999]))
    assert not made.is_due() and made.due_in_us() == 1
    made.append(events_at([45_500]))
    assert made.frame().sensor_time_us == 45_000  # the newest bin, in time or not
    made.append(events_at([59_999]))
    assert not made.is_due()
    made.append(events_at([60_000]))
    assert made.is_due()


def test_with_a_fixed_delay_frames_are_of_the_times_when_they_are_due(producer):
    made = producer(rate_hz=50.0, state_delay_us=1)
    made.append(events_at(range(0, 65_500, 100)))
    for due_us in (1_000, 20_000, 40_000, 60_000):
        assert made.is_due()
        frame = made.frame()
        assert (frame.sensor_time_us, frame.counts.sum()) == (due_us, min(due_us / 100, WINDOW))
    assert not made.is_due()


def test_a_frame_that_cannot_be_made_is_passed_over(producer):
    made = producer(min_events=50, reach_us=10_000, rate_hz=50.0)
    made.append(events_at(range(0, 10_000, 100)))
    assert made.frame() is not None
    made.append(events_at([19_000, 20_000]))
    assert made.is_due() and made.frame() is None
    made.append(events_at(range(22_000, 39_000, 100)))
    assert not made.is_due()
    made.append(events_at([40_000]))
    assert made.is_due() and made.frame() is not None


def test_the_first_frame_is_of_the_first_bin_with_enough_events(producer):
    made = producer(min_events=50, state_delay_us=1)
    made.append(events_at(range(0, 10_000, 100)))
    tried = [made.frame() for _ in range(5)]
    assert tried[:4] == [None] * 4 and tried[4].sensor_time_us == 5_000


def test_no_frame_is_made_of_events_that_the_last_one_has_seen(producer):
    """Else ten dark minutes would cost a pass of the ANN for each period."""
    made = producer(rate_hz=50.0, state_delay_us=1)
    made.append(events_at([*range(0, 19_000, 100), 600_000_000]))
    assert [made.frame().sensor_time_us for _ in range(2)] == [1_000, 20_000]
    assert made.is_due() and made.frame() is None
    assert not made.is_due() and made.due_us == 600_020_000


def test_a_request_makes_the_next_frame_due_at_once(producer):
    made = producer(rate_hz=50.0)
    made.append(events_at(range(0, 1_500, 100)))
    assert made.frame() is not None
    made.append(events_at(range(1_500, 9_500, 100)))
    assert not made.is_due()
    made.request()
    assert made.is_due()
    assert made.frame().sensor_time_us == 9_000
    assert not made.is_due() and made.due_us == 20_000


def test_a_request_waits_for_events(producer):
    made = producer(min_events=50)
    made.request()
    assert not made.is_due()
    made.append(events_at(range(0, 2_000, 100)))
    assert made.frame() is None and made.is_due()
    made.append(events_at(range(2_000, 10_000, 100)))
    assert made.frame() is not None and not made.is_due()


def slowly(made, bins: range, *, events_per_bin: int = 2) -> list[int]:
    """Feed few events in each bin; return when frames were made [bins]."""
    frames = []
    for index in bins:
        made.append(events_at(np.linspace(index * STEP_US, index * STEP_US + 999,
                                          events_per_bin).astype(int)))
        if made.is_due() and made.frame() is not None:
            frames.append(index)
    return frames


def test_while_nothing_moves_no_frame_is_due_but_on_request(producer):
    made = producer(sleep_events_per_s=5_000.0, reach_us=500_000)
    assert len(slowly(made, range(20), events_per_bin=100)) == 1
    slowly(made, range(20, 300))  # 100 000 events a second take a while to be forgotten
    slept = made.slept
    assert slowly(made, range(300, 500)) == []
    assert made.slept == slept + 10  # 200 ms at 50 Hz
    made.request()
    assert slowly(made, range(500, 600)) == [500]


def test_a_sleeping_ann_looks_again_when_all_it_has_seen_is_out_of_reach(producer):
    made = producer(sleep_events_per_s=5_000.0, reach_us=500_000)
    frames = slowly(made, range(2_000))
    assert len(frames) == 4 and set(np.diff(frames[1:])) <= {500, 519, 520}


def test_an_ann_wakes_when_something_moves(producer):
    made = producer(sleep_events_per_s=5_000.0)
    slowly(made, range(400))
    frames = slowly(made, range(400, 500), events_per_bin=20)
    assert len(frames) == 4 and frames[0] <= 440 and set(np.diff(frames)) == {20}


def test_an_ann_never_sleeps_where_nobody_wants_it(producer):
    made = producer()
    assert len(slowly(made, range(10, 1_010))) == 1 + 50
    assert made.slept == 0


def test_a_restart_forgets_all_events(producer):
    made = producer()
    made.append(events_at(range(100_000, 105_000, 100)))
    made.frame()
    made.restart()
    assert not made.is_due()
    made.append(events_at(range(0, 3_000, 100)))
    assert made.is_due()
    frame = made.frame()
    assert (frame.sensor_time_us, frame.counts.sum()) == (3_000 - STEP_US, 20)


def test_the_states_tensors_are_those_of_the_layout_and_all_written(ann):
    ann.restart()
    ann.append(events_at(range(0, 5_000, 50)))
    tensors = {name: np.full(shape, np.nan, np.float32) for name, shape in ann.layout.items()}
    ann.run_into(ann.frame(), tensors)
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())
    assert dict(ann.layout) == {**state_layout(EDGE, WIDTH, HEIGHT), 'region': (4,)}


def test_more_events_than_the_window_in_one_time_bin_do_not_push_out_those_before(producer):
    """Events are cut at a bin's border: the newest bin may hold more than the ANN looks at."""
    made = producer()
    count = EDGE.ann.window_events
    made.append(events_at(np.linspace(0, 999, count).astype(int)))
    made.append(events_at(np.linspace(1_000, 1_999, (WINDOWS_KEPT - 1) * count)
                          .astype(int)))
    assert made.frame().counts.sum() == WINDOW


@pytest.mark.parametrize('changes', (
    {'rate_hz': 0.0}, {'min_events': 0}, {'slots': 2}, {'threads': 0}, {'transport': 'pigeon'}))
def test_parameters_that_are_not_legal_are_refused(changes):
    with pytest.raises(InputError, match=f'parameter {next(iter(changes))}'):
        replace(PARAMS, **changes)


def test_a_sensor_smaller_than_the_presets_crop_is_refused():
    with pytest.raises(InputError, match='needs a sensor of at least 256x256 pixels'):
        StateProducer(untrained(preset('paper')), replace(PARAMS, preset='paper'), WIDTH, HEIGHT)
