# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The initializer's path: events -> the last N of them -> stacked histogram -> ANN -> state.

Imports torch only when a StateProducer is made.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.checkpoint import Checkpoint
from hybrid_pose_ros.initializer_params import InitializerParams
from hybrid_pose_ros.layout import state_layout
from hybrid_pose_ros.representation.event_window import EventWindow
from hybrid_pose_ros.representation.hot_pixels import HotPixels
from hybrid_pose_ros.representation.stacked_histogram import stacked_histogram

WINDOWS_KEPT = 4
"""Events are cut at the border of a time bin; the newest bin may hold some windows' worth."""

RATE_US = 100_000
"""The event rate, below which the ANN may sleep, is an average over about that long."""


class Frame(NamedTuple):
    """What the ANN looks at."""

    sensor_time_us: int  # all events before it are in the frame, none after
    counts: np.ndarray  # (2 * bins, H, W)


class StateProducer:
    """Keeps the last events and makes states of them, when they are due."""

    def __init__(self, checkpoint: Checkpoint, params: InitializerParams, width: int, height: int):
        """Load the ANN for a sensor of width x height pixels."""
        from hybrid_pose_ros.networks.initializer import StateInitializer  # torch
        self._params = params
        self._ann = checkpoint.preset.ann
        self._geometry = params.geometry(checkpoint.preset, width, height)
        self.layout = state_layout(checkpoint.preset, self._geometry.width, self._geometry.height)
        self._network = StateInitializer(checkpoint, params.precision)
        self.precision = self._network.precision
        self._hot = HotPixels(width, height) if params.mask_hot_pixels else None
        self._window = EventWindow(WINDOWS_KEPT * self._ann.window_events,
                                   reach_us=params.reach_us)
        self.input_size = self._geometry.width, self._geometry.height  # cells
        self.slept = 0  # states that were due, but nothing moved
        self._requested = False
        self._forget()

    def warm_up(self) -> None:
        """Run the ANN once on an empty frame: its first pass is much slower than the next ones."""
        counts = np.zeros((2 * self._ann.bins, self._geometry.height, self._geometry.width),
                          np.uint16)
        self.run_into(Frame(0, counts), {name: np.empty(shape, np.float32)
                                         for name, shape in self.layout.items()})

    def set_params(self, params: InitializerParams) -> None:
        """Use other live settings from the next event on; the rest must be as they were."""
        self._params = params

    def append(self, events: np.ndarray) -> None:
        """Take in the next events of the stream."""
        if self._hot is not None:
            events = self._hot.leave_out(events)
        if not len(events):
            return
        newest_us = int(events['t'].max())
        if self._newest_us is not None:
            self._recent *= math.exp(-max(0, newest_us - self._newest_us) / RATE_US)
        self._recent += len(events)
        self._newest_us = newest_us
        self._window.append(events)
        if self.due_in_us() == 0 and not self._requested and self._may_sleep():
            self._last_due_us = newest_us
            self.slept += 1

    def restart(self) -> None:
        """Forget all events: the sensor's clock began anew."""
        self._window.clear()
        self._forget()

    def request(self) -> None:
        """Make the next state due at once: a tracker cannot wait for its time."""
        self._requested = True

    def is_due(self) -> bool:
        """Return whether a state was asked for, or its time has come on the sensor's clock."""
        return self._newest_us is not None and self.due_in_us() == 0

    def due_in_us(self) -> float:
        """Return the time on the sensor's clock until a state is due, 0 where one is."""
        if self._requested or self._last_due_us is None:
            return 0.0
        return max(0.0, self._last_due_us + 1e6 / self._params.rate_hz - self._newest_us)

    def _forget(self) -> None:
        self._recent = 0.0  # events, older ones counting less
        self._newest_us: int | None = None
        self._last_frame_us: int | None = None
        self._last_due_us: int | None = None  # of the last frame, or the last that was slept over

    def _may_sleep(self) -> bool:
        """Return whether nothing moves, and the last state has seen some of what is in reach."""
        return (self._last_frame_us is not None
                and self._newest_us - self._last_frame_us < self._params.reach_us
                and self._recent < self._params.sleep_events_per_s * RATE_US * 1e-6)

    def frame(self) -> Frame | None:
        """Return the frame that ends with the last complete time bin; None with too few events."""
        end_us = self._newest_us // self._params.step_us * self._params.step_us
        window = self._window.latest()
        window = window[np.flatnonzero(window['t'] < end_us)[-self._ann.window_events:]]
        if len(window) < self._params.min_events:
            return None
        self._last_frame_us = self._last_due_us = self._newest_us
        self._requested = False
        return Frame(end_us, stacked_histogram(window, self._geometry, bins=self._ann.bins))

    def run_into(self, frame: Frame, tensors: Mapping[str, np.ndarray]) -> None:
        """Run the ANN and its heads; write the state into tensors of `layout`."""
        self._network.initialize_into(frame.counts, dict(tensors))
