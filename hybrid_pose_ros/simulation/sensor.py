# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An event sensor: brightness images in, events out.

Each pixel low-passes the log of its brightness and remembers a value of it; one threshold above
the memory an ON event goes out, one below an OFF event, and the memory follows. Between two images
the low-passed value is taken as a straight line and the crossing times are solved for.

While a pixel recovers from an event it is held in reset: afterwards it remembers what it sees then.

Sources: ESIM (Rebecq et al., CoRL 2018) for crossing times; v2e (Hu et al., CVPRW 2021) for the
log that is straight in the dark, bandwidth that falls with brightness, leak and shot noise.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np

from hybrid_pose_ros.events.event_array import EVENT_DTYPE, no_events
from hybrid_pose_ros.settings import check, param

F = np.float32
ONE = F(1.0)
DARK = F(20.0 / 255.0)
"""Brightness below which the response is a straight line."""
LOG_DARK = np.log(DARK)
SETTLED = F(1e-5)
"""A pixel this close to the log of its brightness has reached it."""
SMALLEST_THRESHOLD = 0.01


@dataclass(frozen=True)
class SensorSettings:
    """The event sensor; what is 0 by default is off."""

    threshold_on: float = param(0.2, 'ON threshold, mean over pixels [log units].',
                                low=0.02, high=2.0)
    threshold_off: float = param(0.2, 'OFF threshold, mean over pixels [log units].',
                                 low=0.02, high=2.0)
    threshold_sigma: float = param(0.0, 'Spread of both thresholds between pixels [log units].',
                                   low=0.0, high=0.3)
    cutoff_hz: float = param(0.0, 'Bandwidth of a white pixel [Hz], 0 = infinite.',
                             low=0.0, high=10_000.0)
    leak_hz: float = param(0.0, 'ON events of a pixel at rest [1/s].', low=0.0, high=50.0)
    shot_hz: float = param(0.0, 'Noise events of a dark pixel [1/s]; a quarter in white.',
                           low=0.0, high=100.0)
    hot_pixels: int = param(0, 'Pixels that fire all the time.', low=0, high=1000)
    hot_hz: float = param(100.0, 'Median rate of a hot pixel [1/s].', low=1.0, high=10_000.0)
    refractory_us: int = param(0, 'Time in which a pixel is blind after an event [us].',
                               low=0, high=100_000)
    jitter_us: int = param(0, 'Longest random delay of a time stamp [us].', low=0, high=10_000)
    neighbor_us: int = param(0, 'Keep an event only if one of the 8 pixels around fired within '
                                'this time [us], 0 = keep all.', low=0, high=1_000_000)

    def __post_init__(self):
        check(self)


class Pixels(NamedTuple):
    """What each pixel is and remembers, (H, W), and what each row of them waits for.

    A pixel is not touched while its image rests and its leak does not make it fire.
    """

    threshold_on: np.ndarray  # (H, W) float32 [log units]
    threshold_off: np.ndarray  # (H, W) float32, positive
    leak: np.ndarray  # (H, W) float32, fall of the memory [log units / us]
    level: np.ndarray  # (H, W) float32, low-passed log of the brightness
    above: np.ndarray  # (H, W) float32, level minus memory when it was touched last
    touched_us: np.ndarray  # (H, W) float64
    blind_until: np.ndarray  # (H, W) float64 [us], when it has recovered from its last event
    unsettled: np.ndarray  # (H, 2) int64, first column and end of what still follows its image
    due_us: np.ndarray  # (H,) float64, no pixel of the row fires by its leak before


@numba.njit(cache=True)
def response(brightness):
    """Return the log of a brightness (0 to 1), a straight line below DARK."""
    if brightness > DARK:
        return np.log(brightness)
    return LOG_DARK + brightness / DARK - ONE


@numba.njit(cache=True)
def _responses(image):
    """Return the response to an image (H, W)."""
    out = np.empty_like(image)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            out[y, x] = response(image[y, x])
    return out


@numba.njit(cache=True)
def _low_passed(before, target, brightness, decay):
    """Return a one-pole low-pass after the step, exactly; it is slower where it is dark."""
    share = (F(255.0) * min(brightness, ONE) + F(20.0)) * F(1.0 / 275.0)
    left = (before - target) * np.exp(-decay * share)
    return target + left if abs(left) > SETTLED else target


@numba.njit(cache=True)
def _append(out, count, t, x, y, p):
    """Append an event to the buffer; return it, grown where it was full."""
    if count == len(out):
        full = out
        out = np.empty(2 * count, full.dtype)
        out[:count] = full
    out[count].t, out[count].x, out[count].y, out[count].p = t, x, y, p
    return out


@numba.njit(cache=True)
def _fire(pixels, x, y, rise, start_us, duration, refractory_us, out, count):
    """Let a pixel cross its thresholds while it rises evenly; return the buffer and its count."""
    rate, time = rise / duration, 0.0
    value, blind = float(pixels.above[y, x]), pixels.blind_until[y, x] - start_us
    on, off = pixels.threshold_on[y, x], pixels.threshold_off[y, x]
    while True:
        if blind > time:
            time, value = min(blind, duration), 0.0
        if rate == 0.0:
            break
        gap = on if rate > 0.0 else -off
        crossing = max(time + (gap - value) / rate, time)
        if crossing >= duration:
            break
        out = _append(out, count, start_us + int(crossing), x, y, rate > 0.0)
        count += 1
        time, value = crossing, 0.0
        blind = crossing + refractory_us
        pixels.blind_until[y, x] = start_us + blind
    pixels.above[y, x] = value + rate * (duration - time)
    return out, count


@numba.njit(cache=True)
def _advance(pixels, image, gain, changed, start_us, end_us, cutoff_hz, refractory_us, out, count):
    """Advance from start to end, when the image is seen; return the buffer and its count."""
    height, width = image.shape
    duration = float(end_us - start_us)
    decay = F(2e-6 * np.pi * cutoff_hz * duration)
    for y in range(height):
        first = min(changed[y, 0], pixels.unsettled[y, 0])
        last = max(changed[y, 1], pixels.unsettled[y, 1])
        due = pixels.due_us[y]
        if due < end_us:
            first, last, due = 0, width, np.inf
        behind_first, behind_last = width, 0
        for x in range(first, last):
            brightness = gain * image[y, x]
            target, before = response(brightness), pixels.level[y, x]
            after = target
            if target != before and decay > F(0.0):
                after = _low_passed(before, target, brightness, decay)
                if after != target:
                    behind_first, behind_last = min(behind_first, x), x + 1
            leak = pixels.leak[y, x]
            above = pixels.above[y, x] + leak * F(start_us - pixels.touched_us[y, x])
            rise = after - before + leak * F(duration)
            on = pixels.threshold_on[y, x]
            reached = above + rise
            if rise != F(0.0):
                pixels.level[y, x] = after
                pixels.above[y, x] = above
                pixels.touched_us[y, x] = end_us
                if (-pixels.threshold_off[y, x] < reached < on
                        and pixels.blind_until[y, x] <= start_us):
                    pixels.above[y, x] = reached
                else:
                    out, count = _fire(pixels, x, y, rise, start_us, duration, refractory_us,
                                       out, count)
            if leak > F(0.0):
                due = min(due, end_us + (on - pixels.above[y, x]) / leak)
        pixels.unsettled[y, 0], pixels.unsettled[y, 1] = behind_first, behind_last
        pixels.due_us[y] = due
    return out, count


@numba.njit(cache=True)
def _disturb(pixels, times, columns, rows, polarities, refractory_us, out, count):
    """Fire the given pixels unless they are blind; return the buffer and its count."""
    for i in range(len(times)):
        x, y = columns[i], rows[i]
        if times[i] < pixels.blind_until[y, x]:
            continue
        out = _append(out, count, int(times[i]), x, y, polarities[i])
        count += 1
        pixels.above[y, x] = 0.0
        pixels.touched_us[y, x] = times[i]
        pixels.blind_until[y, x] = times[i] + refractory_us
    return out, count


@numba.njit(cache=True)
def _has_neighbor(events, last_us, window_us):
    """Return which events follow one of a neighbor; last_us (H + 2, W + 2) is carried on."""
    keep = np.zeros(len(events), np.bool_)
    for i in range(len(events)):
        t, x, y = events[i].t, int(events[i].x) + 1, int(events[i].y) + 1
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                if (dx or dy) and t - last_us[y + dy, x + dx] <= window_us:
                    keep[i] = True
        last_us[y, x] = t
    return keep


class Sensor:
    """A sensor that looks at one image after the other."""

    def __init__(self, settings: SensorSettings, image: np.ndarray, rng: np.random.Generator, *,
                 start_us: int = 0):
        """Start at rest before an image.

        Args:
            settings: of the sensor.
            image: first brightness, (H, W), 0 to 1.
            rng: source of the pixels' spread and of all noise.
            start_us: time of the image.
        """
        shape = image.shape
        self._settings = settings
        self._rng = rng
        self._now_us = start_us
        self._everywhere = np.tile([0, shape[1]], (shape[0], 1))
        on = self._threshold(settings.threshold_on, shape)
        off = self._threshold(settings.threshold_off, shape)
        leak = settings.leak_hz * on * 1e-6 * 10.0 ** (0.1 * rng.standard_normal(shape))
        # somewhere between the thresholds, or the pixels of a moving edge would fire in step
        above = rng.uniform(-off, on).astype(np.float32)
        self._pixels = Pixels(
            on, off, leak.astype(np.float32), _responses(image.astype(np.float32)), above,
            np.full(shape, float(start_us)), np.full(shape, -np.inf),
            np.tile([shape[1], 0], (shape[0], 1)),
            np.full(shape[0], float(start_us) if settings.leak_hz > 0.0 else np.inf))
        hot = rng.choice(image.size, settings.hot_pixels, replace=False)
        self._hot_y, self._hot_x = np.unravel_index(hot, shape)
        self._hot_hz = settings.hot_hz * 10.0 ** rng.uniform(-0.5, 0.5, len(hot))
        self._hot_on = rng.random(len(hot)) < 0.5
        self._out = np.empty(1 << 14, EVENT_DTYPE)
        self._count = 0
        self._late = no_events()  # delayed beyond what was collected
        self._last_us = np.full((shape[0] + 2, shape[1] + 2), -(1 << 62), np.int64)

    def _threshold(self, mean: float, shape: tuple[int, int]) -> np.ndarray:
        drawn = self._rng.normal(mean, self._settings.threshold_sigma, shape)
        return np.maximum(drawn, SMALLEST_THRESHOLD).astype(np.float32)

    def advance(self, image: np.ndarray, end_us: int, *, spans: np.ndarray | None = None,
                gain: float = 1.0) -> None:
        """Look at the next image.

        Args:
            image: brightness (H, W), 0 to 1.
            end_us: its time.
            spans: first column and end (H, 2), outside of which each row equals the one before;
                None: anything may have changed.
            gain: factor on the brightness; where it changes, the spans must be None.
        """
        settings = self._settings
        changed = self._everywhere if spans is None else spans
        self._out, self._count = _advance(
            self._pixels, image, F(gain), changed, self._now_us, end_us, settings.cutoff_hz,
            float(settings.refractory_us), self._out, self._count)
        if settings.shot_hz > 0.0 or len(self._hot_hz):
            self._out, self._count = _disturb(
                self._pixels, *self._noise(end_us), float(settings.refractory_us),
                self._out, self._count)
        self._now_us = end_us

    def collect(self) -> np.ndarray:
        """Return the events since the last call, sorted by time, all before the present."""
        events = self._out[:self._count].copy()
        self._count = 0
        if self._settings.jitter_us:
            events['t'] += self._rng.integers(0, self._settings.jitter_us + 1, len(events))
            events = np.concatenate([self._late, events])
            late = events['t'] >= self._now_us
            events, self._late = events[~late], events[late]
        events = events[np.argsort(events['t'], kind='stable')]
        if self._settings.neighbor_us:
            events = events[_has_neighbor(events, self._last_us, self._settings.neighbor_us)]
        return events

    def _noise(self, end_us: int):
        """Return times, columns, rows and polarities of noise events until the end."""
        rng, settings = self._rng, self._settings
        height, width = self._pixels.above.shape
        duration_s = (end_us - self._now_us) * 1e-6
        candidates = rng.poisson(settings.shot_hz * 2.0 * height * width * duration_s)
        x, y = rng.integers(0, width, candidates), rng.integers(0, height, candidates)
        bright = np.exp(self._pixels.level[y, x])
        sensitive = settings.threshold_on / self._pixels.threshold_on[y, x]
        fires = 2.0 * rng.random(candidates) < (1.0 - 0.75 * np.minimum(bright, 1.0)) * sensitive
        x, y = x[fires], y[fires]
        bursts = rng.poisson(self._hot_hz * duration_s)
        x = np.concatenate([x, np.repeat(self._hot_x, bursts)])
        y = np.concatenate([y, np.repeat(self._hot_y, bursts)])
        on = np.concatenate([rng.random(len(x) - bursts.sum()) < 0.5,
                             np.repeat(self._hot_on, bursts)])
        times = rng.uniform(self._now_us, end_us, len(x))
        order = np.argsort(times)
        return times[order], x[order], y[order], on[order]
