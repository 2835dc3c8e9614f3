# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's windows for training and evaluation: an ANN state, then ten bins.

    |<- the ANN's last events ->|t0 - bin 0 - | - bin 1 - | ... | - bin 9 - |t0 + 100 ms
                          label |             label 1           label 9

As published, bins divide the time from the window's first to its last event rather than the sensor
clock, and the label of a bin is that of its start. The ANN's label is one step before t0. Labels
are whole cells.

The set of windows also follows the published loaders. A recording ends one step after its last
label. t0 is a multiple of 100 ms after the first label. The first t0 is not before the event that
follows the ANN's first 7500 events (event 7500, counted from 0). Of the windows that fit in the
recording, the last one is used only by the ANN, since the sequence loader omits it.

Source: arXiv 2303.14176 and its published code.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.model.presets import Preset
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.representation.geometry import InputGeometry, input_geometry
from hybrid_pose_ros.representation.stacked_histogram import stacked_histogram


class Window(NamedTuple):
    """A window of a clip."""

    clip: int  # index
    start_us: int


class Targets(NamedTuple):
    """Joint positions at T times."""

    cells: np.ndarray  # x and y of each joint's cell, (T, J, 2) int64
    shown: np.ndarray  # (T, J) bool: visible, and inside the input
    pixels: np.ndarray  # x and y of each joint's pixel, (T, J, 2)


class Windows:
    """All windows of clips of one sensor."""

    def __init__(self, clips: Sequence[LabeledRecording], preset: Preset, steps: int):
        """Find the windows with this number of the preset's steps.

        Raises:
            InputError: there are no windows, or the sensor does not match the preset.
        """
        self._clips, self._preset, self._steps = clips, preset, steps
        self.geometry: InputGeometry = input_geometry(preset, clips[0].width, clips[0].height)
        starts = [self._starts(clip) for clip in clips]
        # Windows for the ANN alone, and windows with bins for the SNN.
        self.frames = [Window(index, start_us) for index, of_clip in enumerate(starts)
                       for start_us in of_clip]
        self.all = [Window(index, start_us) for index, of_clip in enumerate(starts)
                    for start_us in of_clip[:-1]]
        if not self.all:
            raise InputError(
                f'none of the recordings ({len(clips)}) has {preset.ann.window_events} events '
                f'followed by {2 * self.duration_us // 1000} ms with labels: they are too short')

    @property
    def duration_us(self) -> int:
        """Time between two ANN states [us]."""
        return self._steps * self._preset.step_us

    def frame(self, window: Window, *, later_us: int = 0) -> np.ndarray:
        """Return the ANN input at the start of the window, or later, (2 * bins, H, W) uint16."""
        clip, ann = self._clips[window.clip], self._preset.ann
        last = int(np.searchsorted(clip.events['t'], window.start_us + later_us))
        events = clip.events[max(0, last - ann.window_events):last]
        return stacked_histogram(events, self.geometry, bins=ann.bins)

    def counts(self, window: Window) -> np.ndarray:
        """Return the events of each bin, (T, 2, H, W) uint16."""
        events = self._clips[window.clip].events_between(window.start_us,
                                                         window.start_us + self.duration_us)
        counts = stacked_histogram(events, self.geometry, bins=self._steps)
        return counts.reshape(2, self._steps, *counts.shape[1:]).swapaxes(0, 1)

    def step_targets(self, window: Window) -> Targets:
        """Return the targets of each bin."""
        return self._targets(window, np.arange(self._steps))

    def frame_targets(self, window: Window) -> Targets:
        """Return the targets of the ANN at the start of the window; T is 1."""
        return self._targets(window, np.array([-1]))

    def _targets(self, window: Window, steps: np.ndarray) -> Targets:
        clip, geometry = self._clips[window.clip], self.geometry
        joints, visible, _ = clip.joints_at(window.start_us + steps * self._preset.step_us)
        cells = np.floor(geometry.to_heatmap(joints) + 0.5).astype(np.int64)
        size = np.array([geometry.width, geometry.height]) // geometry.heatmap_stride
        inside = ((cells >= 0) & (cells < size)).all(axis=-1)
        return Targets(cells, visible & inside, np.floor(joints + 0.5))

    def _starts(self, clip: LabeledRecording) -> range:
        """Return t0 of all windows that fit in a clip."""
        needed = self._preset.ann.window_events
        if len(clip.events) <= needed:
            return range(0)
        times_us = clip.events['t']
        ready_us = max(int(times_us[needed]), int(times_us[needed - 1]) + 1,  # all 7500 precede t0
                       clip.start_us + self._preset.step_us)
        first = -(-(ready_us - clip.start_us) // self.duration_us)
        last = (clip.end_us + self._preset.step_us - clip.start_us) // self.duration_us
        return range(clip.start_us + first * self.duration_us,
                     clip.start_us + last * self.duration_us, self.duration_us)
