# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.simulation.pixels import DARK, response
from hybrid_pose_ros.simulation.sensor import Sensor, SensorSettings

HEIGHT, WIDTH = 6, 40
STEP_US = 1000


def watch(images, *, seed=0, step_us=STEP_US, **settings):
    """Return what a sensor makes of images, the first at time 0, the others step_us apart."""
    sensor = Sensor(SensorSettings(**settings), images[0], np.random.default_rng(seed))
    events = []
    for index, image in enumerate(images[1:], start=1):
        sensor.advance(image, index * step_us)
        events.append(sensor.collect())
    return np.concatenate(events)


def even(brightness):
    return np.full((HEIGHT, WIDTH), brightness, np.float32)


def moving_edge(count, *, pixels_a_step=0.25):
    """Return images of a bright field whose soft right edge moves to the right."""
    x = np.arange(WIDTH)
    return [np.tile(0.1 + 0.6 / (1.0 + np.exp(x - 5.0 - pixels_a_step * step)), (HEIGHT, 1))
            .astype(np.float32) for step in range(count)]


def test_an_ideal_sensor_sees_nothing_where_nothing_changes():
    assert len(watch([even(0.4)] * 50)) == 0


def test_growing_brightness_makes_on_events_and_falling_brightness_off_events():
    assert (watch([even(0.1), even(0.5)])['p'] == 1).all()
    assert (watch([even(0.5), even(0.1)])['p'] == 0).all()


def test_a_pixel_fires_once_for_each_threshold_of_the_way():
    # ln(0.8 / 0.1) = 2.08 is 10.4 thresholds of 0.2; a pixel begins anywhere between -1 and 1 of
    # them and what is left at the end is half a threshold in the mean
    counts = np.bincount(watch([even(0.1), even(0.8)])['x'], minlength=WIDTH)
    assert counts.min() >= 9 * HEIGHT and counts.max() <= 11 * HEIGHT
    assert counts.sum() / (HEIGHT * WIDTH) == pytest.approx(np.log(8.0) / 0.2 - 0.5, abs=0.15)


@pytest.mark.parametrize('threshold', (0.1, 0.2, 0.3))
def test_the_count_of_events_goes_with_one_over_the_threshold(threshold):
    events = watch(moving_edge(80), threshold_on=threshold, threshold_off=threshold)
    assert len(events) * threshold == pytest.approx(len(watch(moving_edge(80))) * 0.2, rel=0.05)


def test_a_bright_edge_that_moves_right_makes_on_events_ahead_of_its_end():
    events = watch(moving_edge(80))
    assert (events['p'] == 1).all()
    half = len(events) // 2
    assert events['x'][half:].mean() > events['x'][:half].mean() + 5.0


def test_a_bright_bar_that_moves_right_makes_on_before_off_events_in_every_pixel():
    x = np.arange(WIDTH)
    images = [np.tile(0.1 + 0.6 * np.exp(-0.5 * ((x - 0.25 * step) / 2.0) ** 2), (HEIGHT, 1))
              .astype(np.float32) for step in range(160)]
    events = watch(images)
    passed = events[(events['x'] >= 10) & (events['x'] < 30)]
    for column in range(10, 30):
        of_column = passed[passed['x'] == column]
        assert of_column['t'][of_column['p'] == 1].max() < \
            of_column['t'][of_column['p'] == 0].min()


def test_crossing_times_lie_where_the_line_between_two_images_crosses():
    first, second = even(np.exp(-2.0)), even(np.exp(-1.0))
    sensor = Sensor(SensorSettings(threshold_on=0.5, threshold_off=0.5), first,
                    np.random.default_rng(0))
    sensor._pixels.above[:] = 0.25
    sensor.advance(second, 1000)  # 0.25 + 1.0 t/ms reaches 0.5 after 0.25 ms, 1.0 after 0.75 ms
    times = np.unique(sensor.collect()['t'])
    assert np.abs(times - [250, 750]).max() <= 1


@given(st.integers(0, 2**32 - 1))
def test_two_steps_of_a_straight_line_make_the_events_of_one(seed):
    """The memory, not the image before, decides when a pixel fires."""
    middle = float(np.exp(0.5 * (np.log(0.1) + np.log(0.8))))
    once = watch([even(0.1), even(0.8)], seed=seed, step_us=2000)
    twice = watch([even(0.1), even(middle), even(0.8)], seed=seed)
    assert len(once) == pytest.approx(len(twice), abs=2)  # one at the very border
    count = min(len(once), len(twice))
    assert np.abs(once['t'][:count] - twice['t'][:count]).max() <= 2


def test_a_pixel_is_blind_after_an_event():
    events = watch(moving_edge(200, pixels_a_step=1.0), refractory_us=900, threshold_on=0.05)
    for pixel in np.unique(events[['x', 'y']]):
        times = events['t'][(events['x'] == pixel['x']) & (events['y'] == pixel['y'])]
        assert np.diff(times).min(initial=10_000) >= 899  # time stamps are rounded down


def test_a_long_blindness_costs_events():
    images = moving_edge(80, pixels_a_step=1.0)
    assert len(watch(images, refractory_us=3000)) < 0.7 * len(watch(images))


def test_a_finite_bandwidth_follows_the_exact_exponential():
    # a white pixel with 50 Hz: after 1 ms it is exp(-2 pi 50 0.001) = 0.730 short of the target
    sensor = Sensor(SensorSettings(cutoff_hz=50.0), even(0.5), np.random.default_rng(0))
    sensor.advance(even(1.0), 1000)
    expected = np.log(1.0) + np.exp(-2.0 * np.pi * 0.05) * np.log(0.5)
    assert np.allclose(sensor._pixels.level, expected, atol=1e-5)


def test_a_slow_pixel_goes_on_when_its_image_rests():
    no_change = np.tile([WIDTH, 0], (HEIGHT, 1))
    sensor = Sensor(SensorSettings(cutoff_hz=20.0), even(0.2), np.random.default_rng(0))
    sensor.advance(even(0.8), 1000)
    for index in range(2, 200):
        sensor.advance(even(0.8), 1000 * index, spans=no_change)
    events = sensor.collect()
    assert events['t'].max() > 10_000
    assert len(events) / (HEIGHT * WIDTH) == pytest.approx(np.log(4.0) / 0.2 - 0.5, abs=0.1)


def test_dark_pixels_are_slower_than_bright_ones():
    image = even(0.05)
    image[:, WIDTH // 2:] = 0.5
    sensor = Sensor(SensorSettings(cutoff_hz=50.0), image, np.random.default_rng(0))
    sensor.advance(1.5 * image, 1000)
    level = sensor._pixels.level - [[response(v) for v in row] for row in image]
    assert level[0, 0] < 0.5 * level[0, -1]


def test_the_leak_makes_on_events_at_its_rate():
    events = watch([even(0.5)] * 4001, leak_hz=2.0)  # 4 s, 240 pixels
    assert (events['p'] == 1).all()
    assert len(events) == pytest.approx(2.0 * 4.0 * HEIGHT * WIDTH, rel=0.1)


def test_untouched_pixels_leak_as_touched_ones_do():
    """Pixels at rest are skipped until their leak makes them fire."""
    no_change = np.tile([WIDTH, 0], (HEIGHT, 1))
    sensor = Sensor(SensorSettings(leak_hz=2.0), even(0.5), np.random.default_rng(0))
    for index in range(1, 4001):
        sensor.advance(even(0.5), 1000 * index, spans=no_change)
    skipped, touched = sensor.collect(), watch([even(0.5)] * 4001, leak_hz=2.0)
    assert len(skipped) == pytest.approx(len(touched), abs=3)


@pytest.mark.parametrize(('brightness', 'share'), ((0.0, 1.0), (1.0, 0.25)))
def test_shot_noise_is_four_times_rarer_in_white_than_in_black(brightness, share):
    # log is straight below DARK, so black still has a finite level of ln(DARK) - 1
    events = watch([even(brightness)] * 2001, shot_hz=10.0)
    share = 1.0 - 0.75 * np.exp(np.log(DARK) - 1.0) if brightness == 0.0 else share
    assert len(events) == pytest.approx(10.0 * share * 2.0 * HEIGHT * WIDTH, rel=0.1)
    assert 0.4 < events['p'].mean() < 0.6


def test_hot_pixels_fire_where_they_are_and_nowhere_else():
    events = watch([even(0.5)] * 500, hot_pixels=3, hot_hz=500.0)
    assert len(np.unique(events[['x', 'y']])) == 3


def test_jitter_delays_events_but_keeps_them_sorted_and_loses_none():
    images = [*moving_edge(80), *[moving_edge(80)[-1]] * 3]
    plain, shaken = watch(images), watch(images, jitter_us=1500)
    assert len(plain) == len(shaken)
    assert (np.diff(shaken['t']) >= 0).all()
    delay = np.sort(shaken['t']).mean() - plain['t'].mean()
    assert delay == pytest.approx(750.0, abs=60.0)


def test_the_neighbor_filter_drops_lone_events_and_keeps_an_edge():
    noise = watch([even(0.5)] * 200, shot_hz=0.5)
    assert len(watch([even(0.5)] * 200, shot_hz=0.5, neighbor_us=2000)) < 0.2 * len(noise)
    edge = watch(moving_edge(80))
    assert len(watch(moving_edge(80), neighbor_us=70_000)) > 0.95 * len(edge)


@given(seed=st.integers(0, 2**32 - 1), jitter_us=st.integers(0, 3000))
def test_events_are_sorted_and_inside_the_image(seed, jitter_us):
    events = watch(moving_edge(30), seed=seed, jitter_us=jitter_us, shot_hz=20.0, leak_hz=1.0,
                   threshold_sigma=0.05, cutoff_hz=100.0, hot_pixels=2)
    assert (np.diff(events['t']) >= 0).all()
    assert events['t'].min() >= 0 and events['t'].max() < 30 * STEP_US
    assert events['x'].max() < WIDTH and events['y'].max() < HEIGHT and events['p'].max() <= 1


def test_a_noisy_sensor_gives_the_same_events_for_the_same_seed():
    noisy = {'shot_hz': 20.0, 'leak_hz': 1.0, 'threshold_sigma': 0.05, 'hot_pixels': 2,
             'jitter_us': 100}
    first, second, other = (watch(moving_edge(30), seed=seed, **noisy) for seed in (7, 7, 8))
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_the_buffer_grows_when_a_step_makes_more_events_than_it_holds():
    events = watch([even(0.1), even(0.9)], threshold_on=0.02, threshold_off=0.02)
    assert len(events) > 1 << 14
    assert len(events) / (HEIGHT * WIDTH) == pytest.approx(np.log(9.0) / 0.02 - 0.5, abs=0.2)
