# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The initializer's path: events -> last N events -> stacked histogram -> ANN -> state.

The sensor clock alone determines when a state is due and from which events it is computed:

    events  . .. .  .. |.. . .. .| .  . .. |.    the first with min_events, the others at
    states        0    1         2         3     multiples of 1 / rate_hz

A state that is due within a time bin is computed at the end of the bin.

Creating a StateProducer imports torch.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hybrid_pose_ros.model.checkpoint import POSE, Checkpoint
from hybrid_pose_ros.model.layout import REGION, message_layout, state_layout
from hybrid_pose_ros.pose.heatmaps import locate_joints
from hybrid_pose_ros.pose.person_region import PersonRegion
from hybrid_pose_ros.representation.event_window import EventWindow
from hybrid_pose_ros.representation.geometry import (
    InputGeometry, RegionGeometries, window_events)
from hybrid_pose_ros.representation.hot_pixels import HotPixels
from hybrid_pose_ros.representation.stacked_histogram import stacked_histogram
from hybrid_pose_ros.tracking.initializer_params import InitializerParams

if TYPE_CHECKING:
    from hybrid_pose_ros.networks.initializer import StateInitializer

WINDOWS_KEPT = 12
"""Buffer length in windows: the newest, incomplete bin may contain several windows, and a region
may contain only a part of the events."""

RATE_US = 100_000
"""Averaging time of the event rate that decides whether the ANN may sleep."""


NEVER_US = np.iinfo(np.int64).min


class Frame(NamedTuple):
    """An ANN input."""

    sensor_time_us: int  # end of the window of events
    counts: np.ndarray  # (2 * bins, H, W)
    geometry: InputGeometry  # of the region


class AnnPose(NamedTuple):
    """The pose of a state."""

    joints_px: np.ndarray  # (J, 2) float32
    confidence: np.ndarray  # (J,) float32, 0 to 1


def next_due_us(after_us: int, rate_hz: float, step_us: int) -> int:
    """Return the first multiple of the period after a time, rounded up to the end of its bin."""
    period_us = 1e6 / rate_hz
    turn, due_us = int(after_us // period_us), after_us
    while due_us <= after_us:
        due_us = math.ceil(turn * period_us / step_us - 1e-6) * step_us
        turn += 1
    return due_us


class _Progress:
    """Progress of one stream since its first event; times are sensor times."""

    def __init__(self, first_us: int, params: InitializerParams):
        self.newest_us = first_us
        self.last_frame_us: int | None = None
        self.tried_us = NEVER_US  # end of the last frame, computed or not
        self.recent = 0.0  # exponentially weighted number of events
        self.due_us = self.next_due_us(first_us, params)  # of the next state

    def next_due_us(self, after_us: int, params: InitializerParams) -> int:
        """Return when the next state after a time is due, the first at the end of a bin."""
        if self.last_frame_us is None:
            return (after_us // params.step_us + 1) * params.step_us
        return next_due_us(after_us, params.rate_hz, params.step_us)


class StateProducer:
    """Buffers the newest events and computes states from them when they are due."""

    def __init__(self, checkpoint: Checkpoint, params: InitializerParams, width: int, height: int,
                 *, network: 'StateInitializer | None' = None):
        """Load the ANN for a sensor of width x height pixels, or use a loaded network."""
        self._params = params
        self._ann = checkpoint.preset.ann
        self._geometry = params.geometry(checkpoint.preset, width, height)
        self._maps = state_layout(checkpoint.preset, self._geometry.width, self._geometry.height)
        self.layout = message_layout(self._maps)
        self._geometries = RegionGeometries(self._geometry)
        self._person = PersonRegion(self._geometry)
        self._preset = checkpoint.preset
        self._follows = self._preset.task == POSE and self._preset.crop == (0, 0)
        if network is None:
            from hybrid_pose_ros.networks.initializer import StateInitializer  # torch
            network = StateInitializer(checkpoint, params.precision)
        self.network, self.precision = network, network.precision
        self._hot = HotPixels(width, height) if params.mask_hot_pixels else None
        self._window = EventWindow(WINDOWS_KEPT * self._ann.window_events)
        self.input_size = self._geometry.width, self._geometry.height  # [cells]
        self.slept = 0  # states that were due but not computed, since nothing moved
        self._requested = False
        self._progress: _Progress | None = None  # None before the first event

    @property
    def due_us(self) -> int | None:
        """Time of the next state; None before the first event."""
        return None if self._progress is None else self._progress.due_us

    def warm_up(self) -> None:
        """Run the ANN once on an empty frame, since the first pass is much slower."""
        counts = np.zeros((2 * self._ann.bins, self._geometry.height, self._geometry.width),
                          np.uint16)
        self.run_into(Frame(0, counts, self._geometry), {name: np.empty(shape, np.float32)
                                         for name, shape in self.layout.items()})

    def set_params(self, params: InitializerParams) -> None:
        """Change live settings, effective from the next event; the others must be unchanged."""
        rate_changed = params.rate_hz != self._params.rate_hz
        self._params = params
        progress = self._progress
        if progress is None or progress.last_frame_us is None:
            return
        if rate_changed and not self.is_due():
            progress.due_us = progress.next_due_us(progress.newest_us, params)

    def append(self, events: np.ndarray) -> None:
        """Append the next events of the stream."""
        if self._hot is not None:
            events = self._hot.masked(events)
        if not len(events):
            return
        newest_us = int(events['t'].max())
        progress = self._progress
        if progress is None:
            progress = self._progress = _Progress(int(events['t'].min()), self._params)
        progress.recent *= math.exp(-max(0, newest_us - progress.newest_us) / RATE_US)
        progress.recent += len(events)
        self._window.append(events)
        self.advance(newest_us)

    def advance(self, sensor_us: int) -> None:
        """Advance to a time; all events before it, and at least one, must have been appended."""
        progress = self._progress
        if progress is None:
            return
        progress.newest_us = max(progress.newest_us, sensor_us)
        if self.is_due() and not self._requested and self._may_sleep(progress):
            progress.due_us = progress.next_due_us(progress.newest_us, self._params)
            self.slept += 1

    def restart(self) -> None:
        """Discard all events after a restart of the sensor clock."""
        self._window.clear()
        self._person.lose()
        self._progress = None

    def request(self) -> None:
        """Make the next state due immediately, as requested by a tracker."""
        self._requested = True

    def is_due(self) -> bool:
        """Return whether a state was requested or is due on the sensor clock."""
        return self._progress is not None and self.due_in_us() == 0

    def due_in_us(self) -> int:
        """Return the sensor time until the next state is due; 0 if one is already due."""
        if self._requested or self._progress is None:
            return 0
        return max(0, self._progress.due_us - self._progress.newest_us)

    def frame(self) -> Frame | None:
        """Return the frame for the state that is due; None with too few events or no new ones.

        It ends with the last complete time bin or, with `state_delay_us`, exactly at the due time.
        """
        progress, step_us = self._progress, self._params.step_us
        if progress is None:
            return None
        end_us = progress.newest_us // step_us * step_us
        if self._params.state_delay_us and progress.newest_us >= progress.due_us:
            end_us = progress.due_us
        times_us = self._window.latest()['t']
        since, later = times_us[times_us < end_us], times_us[times_us >= end_us]
        new = self._requested or bool(np.any(since >= progress.tried_us))
        frame = self.frame_at(end_us) if new else None
        progress.tried_us = end_us
        if frame is not None:
            progress.last_frame_us, self._requested = end_us, False
        if end_us >= progress.due_us:
            progress.due_us = progress.next_due_us(
                end_us if new or not len(later) else int(later.min()), self._params)
        return frame

    def frame_at(self, end_us: int) -> Frame | None:
        """Return the frame of the last events before a time; None with too few events."""
        geometry = self._geometries.of(self._person.region)
        window = self._events_before(end_us, geometry)
        if len(window) < self._params.min_events and self._person.region is not None:
            self._person.lose()
            geometry = self._geometry
            window = self._events_before(end_us, geometry)
        if len(window) < self._params.min_events:
            return None
        return Frame(end_us, stacked_histogram(window, geometry, bins=self._ann.bins), geometry)

    def _events_before(self, end_us: int, geometry: InputGeometry) -> np.ndarray:
        events = max(self._params.min_events, window_events(self._preset, geometry))
        return self._window.before(end_us, geometry.cell_of_px, events=events,
                                   reach_us=self._params.reach_us)

    def _may_sleep(self, progress: _Progress) -> bool:
        """Return whether nothing moves and the last state is not older than reach_us."""
        return (progress.last_frame_us is not None
                and progress.newest_us - progress.last_frame_us < self._params.reach_us
                and progress.recent < self._params.sleep_events_per_s * RATE_US * 1e-6)

    def run_into(self, frame: Frame, tensors: Mapping[str, np.ndarray]) -> AnnPose:
        """Run the ANN and its heads; write the state to tensors as in `layout`.

        Returns:
            The ANN pose, which determines the next region (or the peaks of the maps, if they are
            not joints).
        """
        self.network.initialize_into(frame.counts, {name: tensors[name] for name in self._maps})
        tensors[REGION][:] = frame.geometry.region
        cells, confidence = locate_joints(tensors['heatmap'], self._preset.logits)
        pose = AnnPose(frame.geometry.to_px(cells).astype(np.float32), confidence)
        if self._params.region_of_interest and self._follows:
            self._person.update(*pose, margin=self._params.region_margin)
        else:
            self._person.lose()
        return pose
