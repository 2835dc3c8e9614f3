# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated event sensor that converts brightness images to events."""

from dataclasses import dataclass

import numpy as np

from hybrid_pose_ros.events.event_array import EVENT_DTYPE, no_events
from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.simulation.pixels import (
    F, Pixels, advance, disturb, has_neighbor, responses)

SMALLEST_THRESHOLD = 0.01


@dataclass(frozen=True)
class SensorSettings:
    """Settings of the event sensor; effects with default 0 are off."""

    threshold_on: float = param(0.2, 'ON threshold, mean over pixels [log units].',
                                low=0.02, high=2.0)
    threshold_off: float = param(0.2, 'OFF threshold, mean over pixels [log units].',
                                 low=0.02, high=2.0)
    threshold_sigma: float = param(0.0, 'Spread of both thresholds across pixels [log units].',
                                   low=0.0, high=0.3)
    cutoff_hz: float = param(0.0, 'Bandwidth of a white pixel [Hz]; 0 = infinite.',
                             low=0.0, high=10_000.0)
    leak_hz: float = param(0.0, 'Leak rate of a static pixel [ON events/s].', low=0.0, high=50.0)
    shot_hz: float = param(0.0, 'Shot noise of a dark pixel [events/s]; a white pixel has a '
                                'quarter of it.',
                           low=0.0, high=100.0)
    hot_pixels: int = param(0, 'Number of pixels that fire continuously.', low=0, high=1000)
    hot_hz: float = param(100.0, 'Median rate of a hot pixel [1/s].', low=1.0, high=10_000.0)
    refractory_us: int = param(0, 'Refractory period of a pixel after an event [us].',
                               low=0, high=100_000)
    jitter_us: int = param(0, 'Maximum random delay of a time stamp [us].', low=0, high=10_000)
    neighbor_us: int = param(0, 'Keep an event only if one of the 8 neighboring pixels fired '
                             'within this time [us]; 0 = keep all.', low=0, high=1_000_000)

    def __post_init__(self):
        check(self)


class Sensor:
    """An event sensor that observes a sequence of images."""

    def __init__(self, settings: SensorSettings, image: np.ndarray, rng: np.random.Generator, *,
                 start_us: int = 0):
        """Start from a static image.

        Args:
            settings: sensor settings.
            image: first brightness, (H, W), 0 to 1.
            rng: random generator for the spread across pixels and all noise.
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
        # random between the thresholds; otherwise the pixels of a moving edge would fire in step
        above = rng.uniform(-off, on).astype(np.float32)
        self._pixels = Pixels(
            on, off, leak.astype(np.float32), responses(image.astype(np.float32)), above,
            np.full(shape, float(start_us)), np.full(shape, -np.inf),
            np.tile([shape[1], 0], (shape[0], 1)),
            np.full(shape[0], float(start_us) if settings.leak_hz > 0.0 else np.inf))
        hot = rng.choice(image.size, settings.hot_pixels, replace=False)
        self._hot_y, self._hot_x = np.unravel_index(hot, shape)
        self._hot_hz = settings.hot_hz * 10.0 ** rng.uniform(-0.5, 0.5, len(hot))
        self._hot_on = rng.random(len(hot)) < 0.5
        self._out = np.empty(1 << 14, EVENT_DTYPE)
        self._count = 0
        self._late = no_events()  # events delayed beyond the last collection
        self._last_us = np.full((shape[0] + 2, shape[1] + 2), -(1 << 62), np.int64)

    def _threshold(self, mean: float, shape: tuple[int, int]) -> np.ndarray:
        drawn = self._rng.normal(mean, self._settings.threshold_sigma, shape)
        return np.maximum(drawn, SMALLEST_THRESHOLD).astype(np.float32)

    def advance(self, image: np.ndarray, end_us: int, *, spans: np.ndarray | None = None,
                gain: float = 1.0) -> None:
        """Process the next image.

        Args:
            image: brightness (H, W), 0 to 1.
            end_us: time of the image.
            spans: first column and end (H, 2) of the pixels of each row that may differ from the
                previous image; None: all may differ.
            gain: brightness factor; if it changes, spans must be None.
        """
        settings = self._settings
        changed = self._everywhere if spans is None else spans
        self._out, self._count = advance(
            self._pixels, image, F(gain), changed, self._now_us, end_us, settings.cutoff_hz,
            float(settings.refractory_us), self._out, self._count)
        if settings.shot_hz > 0.0 or len(self._hot_hz):
            self._out, self._count = disturb(
                self._pixels, *self._noise(end_us), float(settings.refractory_us),
                self._out, self._count)
        self._now_us = end_us

    def collect(self) -> np.ndarray:
        """Return the events since the last call, sorted by time."""
        events = self._out[:self._count].copy()
        self._count = 0
        if self._settings.jitter_us:
            events['t'] += self._rng.integers(0, self._settings.jitter_us + 1, len(events))
            events = np.concatenate([self._late, events])
            late = events['t'] >= self._now_us
            events, self._late = events[~late], events[late]
        events = events[np.argsort(events['t'], kind='stable')]
        if self._settings.neighbor_us:
            events = events[has_neighbor(events, self._last_us, self._settings.neighbor_us)]
        return events

    def _noise(self, end_us: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return times, columns, rows and polarities of noise events up to `end_us`."""
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
