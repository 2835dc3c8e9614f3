# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import event_windows, pieces

from hybrid_pose_ros.events.event_array import event_array, no_events
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.representation import step_counter
from hybrid_pose_ros.representation.geometry import Region, input_geometry
from hybrid_pose_ros.representation.step_counter import Gap, StepCounter, count_steps

GEOMETRY = input_geometry(preset('edge'), 10, 8)


def counter(step_us=1000, **options):
    """Return a counter for a sensor of 10x8 pixels, one cell each."""
    return StepCounter(GEOMETRY, step_us, **options)


def at(*times_us, x=1, y=2, p=1):
    """Return events at those times, all at one pixel."""
    count = len(times_us)
    return event_array(times_us, [x] * count, [y] * count, [p] * count)


def same(a, b):
    """Return whether two steps, or gaps, are equal."""
    return (a._replace(pieces=None) == b._replace(pieces=None)
            and (a.counts(GEOMETRY) == b.counts(GEOMETRY)).all())


def test_a_step_completes_when_an_event_at_its_end_is_seen():
    steps = counter()
    assert steps.update(at(5_200, 5_999)) == []
    step, = steps.update(at(6_000))
    assert (step.number, step.end_us, step.events, step.last_event_us) == (5, 6_000, 2, 5_999)
    assert step.counts(GEOMETRY)[1, 2, 1] == 2
    assert step.counts(GEOMETRY).sum() == 2
    assert step.counts(GEOMETRY).dtype == np.uint8


def test_bins_lie_on_the_sensors_clock_and_not_on_the_first_event():
    step, = counter(step_us=10_000).update(at(19_999, 20_000))
    assert (step.number, step.end_us) == (1, 20_000)


def test_polarities_have_a_channel_each():
    steps = counter()
    steps.update(at(0, 1, p=0))
    steps.update(at(2, p=1))
    step, = steps.flush()
    assert step.counts(GEOMETRY)[:, 2, 1].tolist() == [2, 1]


def test_bins_without_events_are_steps_too():
    first, *empty = counter().update(at(500, 4_000))
    assert [step.number for step in empty] == [1, 2, 3]
    assert [(step.events, step.last_event_us, step.counts(GEOMETRY).sum()) for step in empty] == \
        [(0, None, 0)] * 3
    assert first.events == 1


def test_nothing_comes_of_no_events():
    steps = counter()
    assert steps.update(no_events()) == []
    assert steps.flush() == []
    assert steps.advance(10_000) == []


def test_the_last_pixel_counts():
    steps = counter()
    steps.update(at(0, x=9, y=7))
    assert steps.flush()[0].counts(GEOMETRY)[1, 7, 9] == 1


def test_counts_stop_at_255():
    steps = counter()
    steps.update(at(*range(300)))
    step, = steps.flush()
    assert step.counts(GEOMETRY)[1, 2, 1] == 255
    assert step.events == 300


def test_late_events_go_into_the_open_step_and_are_reported():
    steps = counter()
    done = steps.update(at(999, 1_003, 998, 997, 2_000))
    assert [step.events for step in done] == [1, 3]
    assert done[1].last_event_us == 1_003
    assert steps.late_events == 2


def test_a_step_back_within_the_bin_is_not_late():
    steps = counter()
    steps.update(at(1_003, 1_001))
    assert steps.late_events == 0


def test_events_outside_are_counted_as_such():
    steps = counter()
    steps.update(event_array([10, 20, 30], [10, 0, 3], [0, 8, 3], [1, 1, 1]))
    step, = steps.flush()
    assert steps.outside_events == 2
    assert step.events == 1
    assert step.last_event_us == 30


def test_a_long_jump_is_one_gap():
    facts = counter(gap_us=1_000_000).update(at(500, 2_000_700, 2_001_000))
    assert [type(fact).__name__ for fact in facts] == ['Step', 'Gap', 'Step']
    assert facts[1] == Gap(from_us=1_000, to_us=2_000_000)
    assert facts[2].number == 2_000


def test_a_jump_as_long_as_the_bound_is_no_gap():
    facts = counter(gap_us=200_000).update(at(0, 200_999))
    assert len(facts) == 200
    assert not any(isinstance(fact, Gap) for fact in facts)


def test_a_clock_that_restarts_is_a_gap_backwards():
    """A bag that is played in a loop: without the gap all its events would be late for ever."""
    steps = counter(back_us=100_000)
    steps.update(at(500_000))
    done, gap, step = steps.update(at(100_200, 101_000))
    assert (done.number, gap, step.number) == (500, Gap(501_000, 100_000), 100)
    assert step.events == 1
    assert steps.late_events == 0


def test_a_time_without_events_completes_steps():
    steps = counter()
    steps.update(at(500))
    assert steps.advance(999) == []
    assert [step.number for step in steps.advance(3_000)] == [0, 1, 2]
    assert steps.advance(2_000) == []
    assert [step.number for step in steps.update(at(4_000))] == [3]


def test_after_a_flush_the_next_step_is_open():
    steps = counter()
    steps.update(at(500))
    assert [step.number for step in steps.flush()] == [0]
    steps.update(at(700))
    assert steps.late_events == 1
    assert [step.number for step in steps.flush()] == [1]


def test_steps_keep_their_counts_when_later_events_come():
    steps = counter()
    first, = steps.update(at(0, 1_000))
    kept = first.counts(GEOMETRY).copy()
    steps.update(at(1_001, 2_000, 3_000))
    np.testing.assert_array_equal(first.counts(GEOMETRY), kept)


def test_times_before_zero_have_bins():
    facts = counter().update(at(-1_500, -1_000, 0))
    assert [(step.number, step.events) for step in facts] == [(-2, 1), (-1, 1)]


def jittered(events, seed):
    """Return the events with some times stepping back, as those of real sensors do."""
    events = events.copy()
    rng = np.random.default_rng(seed)
    events['t'] -= rng.integers(0, 30, len(events)) * (rng.random(len(events)) < 0.2)
    return events


@given(events=event_windows(width=12, duration_us=3_000_000), seed=st.integers(0, 99),
       data=st.data(), step_us=st.sampled_from([1, 1_000, 10_000]))
def test_a_stream_may_be_cut_into_packets_anywhere(events, seed, data, step_us):
    events = jittered(events, seed)
    options = {'step_us': step_us, 'gap_us': 300 * step_us, 'back_us': 10}
    whole, cut = counter(**options), counter(**options)
    expected = whole.update(events) + whole.flush()
    facts = [fact for piece in data.draw(pieces(len(events)))
             for fact in cut.update(events[piece])] + cut.flush()
    assert len(facts) == len(expected)
    for a, b in zip(facts, expected):
        assert type(a) is type(b)
        assert a == b if isinstance(a, Gap) else same(a, b)
    assert (cut.late_events, cut.outside_events) == (whole.late_events, whole.outside_events)


@given(events=event_windows(width=12, duration_us=400_000), seed=st.integers(0, 99))
def test_no_event_is_lost_and_none_counted_twice(events, seed):
    events = jittered(events, seed)
    steps = counter()
    done = steps.update(events) + steps.flush()
    assert sum(step.events for step in done) + steps.outside_events == len(events)
    counted = sum(int(step.counts(GEOMETRY).sum()) for step in done)
    assert counted == sum(step.events for step in done)


@given(event_windows(duration_us=200_000))
def test_steps_follow_each_other_without_holes(events):
    steps = counter()
    done = steps.update(events) + steps.flush()
    if len(events):
        first = int(events['t'][0]) // 1000
        assert [step.number for step in done] == list(range(first, first + len(done)))
        assert all(step.end_us == (step.number + 1) * 1000 for step in done)


@given(event_windows(duration_us=200_000))
def test_ten_short_steps_are_one_long_step(events):
    short, long = counter(1_000), counter(10_000)
    parts = {}
    for step in short.update(events) + short.flush():
        counts = step.counts(GEOMETRY).astype(int)
        parts[step.number // 10] = parts.get(step.number // 10, 0) + counts
    whole = {step.number: step.counts(GEOMETRY) for step in long.update(events) + long.flush()}
    assert parts.keys() == whole.keys()
    for index, counts in whole.items():
        np.testing.assert_array_equal(parts[index], counts)


@given(events=event_windows(duration_us=30_000))
def test_the_size_of_a_block_does_not_show(events):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_counter, 'BLOCK_STEPS', 2)
        small = counter()
        blocks = small.update(events) + small.flush()
    whole = counter()
    for a, b in zip(blocks, whole.update(events) + whole.flush(), strict=True):
        assert same(a, b)


def test_steps_keep_their_events_when_the_memory_of_a_packet_is_used_again():
    packet = at(0, 500, 1_000)
    step, = (steps := counter()).update(packet)
    packet['x'], packet['y'] = 9, 7
    assert step.counts(GEOMETRY)[1, 2, 1] == 2
    assert steps.flush()[0].counts(GEOMETRY)[1, 2, 1] == 1


@given(events=event_windows(width=10, height=8, duration_us=30_000), first=st.integers(0, 9),
       width=st.integers(10, 20))
def test_a_region_counts_the_events_that_it_contains(events, first, width):
    """In a region, cell i of ten covers the columns from first + i * width / 10 on."""
    seen = GEOMETRY.within(Region(first, 0, width, 8 * width // 10))
    counts = count_steps((steps := counter()).update(events) + steps.flush(), seen)
    columns = [0] * 10
    for event in events:
        cell = int((int(event['x']) - first) * 10 / width)
        row = int(int(event['y']) * 10 / width)
        if event['x'] >= first and cell < 10 and row < 8:
            columns[cell] += 1
    assert counts.sum(axis=(0, 1)).tolist() == columns


def test_a_restart_drops_the_open_step_but_no_count_of_events():
    steps = counter()
    steps.update(at(5_000, 6_000, 5_999))
    assert steps.late_events == 1
    steps.restart()
    assert steps.update(at(100, 1_100))[0].number == 0
    assert steps.late_events == 1
