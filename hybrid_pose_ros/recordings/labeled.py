# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A labeled recording in memory, for training and evaluation."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.recordings.gaps import Gaps, find_gaps
from hybrid_pose_ros.recordings.hdf5 import LABEL_CENTER_PX, Hdf5Recording, Labels
from hybrid_pose_ros.recordings.hdf5_file import is_hdf5

LONGEST_STEP_US = 1_000_000
"""Maximum interval between labels across which joint positions are interpolated."""


class LabeledRecording(NamedTuple):
    """Events and joint positions. N labels, J = 13 joints."""

    name: str
    width: int  # of the sensor [px]
    height: int
    events: np.ndarray  # of EVENT_DTYPE, sorted by time
    label_us: np.ndarray  # (N,) int64, sensor time
    joints_px: np.ndarray  # (N, J, 2) float32, integers are pixel centers; NaN: unknown
    visible: np.ndarray  # (N, J) bool: known, and inside the image
    occluded: np.ndarray  # (N, J) bool: self-occluded; all False if not recorded

    @property
    def start_us(self) -> int:
        """Time of the first label."""
        return int(self.label_us[0])

    @property
    def end_us(self) -> int:
        """Time of the last label."""
        return int(self.label_us[-1])

    def events_between(self, start_us: int, end_us: int) -> np.ndarray:
        """Return the events of [start_us, end_us) as a view."""
        first, last = np.searchsorted(self.events['t'], [start_us, end_us])
        return self.events[first:last]

    def joints_at(self, stamps_us: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return interpolated joints (T, J, 2) [px], visible and occluded (T, J).

        Joints are interpolated linearly between two labels, visible if they are visible in both,
        and occluded if they are occluded in either. Between labels that are more than
        LONGEST_STEP_US apart no joint is visible. At the time of a label only that label counts;
        times outside the labels use the nearest label. Unknown joints are returned as 0 and not
        visible.
        """
        before, after, share = _neighbors(self.label_us, stamps_us)
        joints = _between(np.nan_to_num(self.joints_px[before]),
                          np.nan_to_num(self.joints_px[after]), share).astype(np.float32)
        before, after, near = self._counting(before, after, share)
        return (joints, self.visible[before] & self.visible[after] & near[:, None],
                self.occluded[before] | self.occluded[after])

    def known_at(self, stamps_us: np.ndarray) -> np.ndarray:
        """Return which joints are known, inside or outside the image, (T, J) bool.

        A joint that is known but not visible is outside the image; an unknown one may be anywhere.
        """
        before, after, near = self._counting(*_neighbors(self.label_us, stamps_us))
        known = np.isfinite(self.joints_px[before]) & np.isfinite(self.joints_px[after])
        return known.all(axis=-1) & near[:, None]

    def _counting(self, before: np.ndarray, after: np.ndarray, share: np.ndarray
                  ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return which labels have weight, and whether they are close enough, each (T,)."""
        before, after = np.where(share < 1, before, after), np.where(share > 0, after, before)
        return before, after, self.label_us[after] - self.label_us[before] <= LONGEST_STEP_US


def without_gaps(recording: LabeledRecording, gaps: Gaps) -> LabeledRecording:
    """Return the recording on a clock without gaps; labels in the skipped parts are removed."""
    if not len(gaps.end_us):
        return recording
    events = recording.events.copy()
    events['t'] = gaps.closed(events['t'])
    kept = ~gaps.skips(recording.label_us)
    return recording._replace(
        events=events, label_us=gaps.closed(recording.label_us[kept]),
        joints_px=recording.joints_px[kept], visible=recording.visible[kept],
        occluded=recording.occluded[kept])


def skipping_gaps(recording: LabeledRecording) -> tuple[LabeledRecording, str]:
    """Return the recording on a clock without its gaps, and a one-line report of the gaps.

    Labels before the first or after the last event also count as ends of gaps.
    """
    gaps = find_gaps(np.sort(np.append(recording.events['t'], recording.label_us[[0, -1]])))
    return without_gaps(recording, gaps), gaps.line(recording.start_us)


def earlier(recording: LabeledRecording, by_us: int) -> LabeledRecording:
    """Return the recording with all times shifted back by `by_us`."""
    if not by_us:
        return recording
    events = recording.events.copy()
    events['t'] -= by_us
    return recording._replace(events=events, label_us=recording.label_us - by_us)


def places_at(labels: Labels, stamps_us: np.ndarray) -> np.ndarray:
    """Return interpolated joint positions in the world frame, (T, J, 3) [mm]."""
    before, after, share = _neighbors(labels.t, stamps_us)
    places = np.float64(labels.joints_mm)
    return _between(places[before], places[after], share)


def _neighbors(label_us: np.ndarray, stamps_us: np.ndarray
               ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the indices of the labels before and after, and the latter's weight, each (T,)."""
    after = np.clip(np.searchsorted(label_us, stamps_us), 1, len(label_us) - 1)
    before = after - 1
    share = (stamps_us - label_us[before]) / (label_us[after] - label_us[before])
    return before, after, np.clip(share, 0, 1)


def _between(before: np.ndarray, after: np.ndarray, share: np.ndarray) -> np.ndarray:
    share = share[:, None, None]
    return (1 - share) * before + share * after


def load_labeled(path: str | Path) -> LabeledRecording:
    """Read an HDF5 recording of this package.

    Raises:
        InputError: the file has no labels, or they are not in order of time.
        RecordingError: it cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f'no recording at {path}: give the path of an HDF5 file with labels')
    if not is_hdf5(path):
        raise InputError(f'{path} has no labels: expected an HDF5 recording, as written by '
                         '`hybrid-pose simulate`')
    recording = Hdf5Recording(path)
    labels = labels_of(recording)
    return labeled(path.stem, recording.width, recording.height, recording.events(), labels,
                   occluded=recording.occluded(), source=str(path))


def labels_of(recording: Hdf5Recording) -> Labels:
    """Return the labels as stored in the file.

    Raises:
        InputError: the file has no labels.
        RecordingError: the labels have wrong shapes or values.
    """
    labels = recording.labels()
    if labels is None:
        raise InputError(f'{recording.path} has no labels: expected a recording of `hybrid-pose '
                         'simulate` or another with at least two labels')
    return labels


def labeled(name: str, width: int, height: int, events: np.ndarray, labels: Labels, *,
            occluded: np.ndarray | None = None, source: str) -> LabeledRecording:
    """Combine events and labels.

    Args:
        name: name of the recording.
        width: sensor width [px].
        height: sensor height [px].
        events: of EVENT_DTYPE, in decoding order.
        labels: labels as stored in a file.
        occluded: (N, J) bool; None if unknown.
        source: name of the source, for error messages.

    Raises:
        InputError: there are fewer than two labels, they are not in order of time, or they do not
            overlap with the events.
    """
    if len(labels.t) < 2:
        raise InputError(f'{source} has no labels: expected at least two, got {len(labels.t)}')
    if (np.diff(labels.t) <= 0).any():
        raise InputError(f'{source}: the times of its labels do not increase')
    if len(events) and (labels.t[-1] < events['t'].min() or labels.t[0] > events['t'].max()):
        raise InputError(
            f'{source}: its labels are from {labels.t[0]} to {labels.t[-1]} us, its events from '
            f'{events["t"].min()} to {events["t"].max()} us: expected both on one clock')
    finite = np.isfinite(labels.joints_px).all(axis=-1)
    visible = labels.visible & finite
    joints = np.where(finite[..., None], labels.joints_px - LABEL_CENTER_PX, np.nan)
    return LabeledRecording(
        name, width, height, events[np.argsort(events['t'], kind='stable')], labels.t,
        joints.astype(np.float32), visible,
        np.zeros(visible.shape, bool) if occluded is None else occluded)


def load_with_events(path: str | Path) -> LabeledRecording:
    """Read a recording that has labels and events but need not show a person.

    Raises:
        InputError: as for `load_labeled`, or the recording has no events.
        RecordingError: it cannot be read.
    """
    recording = load_labeled(path)
    if not len(recording.events):
        raise InputError(f'{path} is empty: it has labels but no events')
    return recording


def load_seen(path: str | Path) -> LabeledRecording:
    """Read a recording for the evaluation of poses, which must show a person.

    Raises:
        InputError: as for `load_with_events`, or no person is visible.
        RecordingError: it cannot be read.
    """
    recording = load_with_events(path)
    if not recording.visible.any():
        raise InputError(f'{path} shows nobody: no joint is ever inside the image')
    return recording
