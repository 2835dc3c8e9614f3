# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Event-Human3.6M: events simulated from the videos of Human3.6M, 320x256 px.

    labels.h5                                S1/Walking 1/cam_view_{0..3} (N, 2, 13) [px],
                                             S1/Walking 1/timestamps_ms (N,), 20 ms apart
    S1/upsample/Walking_1.54138969/events.h5 events/{t, x, y, p}: t [ns] from 0, sorted; x, y from
                                             0, p 1 = ON; ms_to_idx; cam_view, the camera's number

Integer label coordinates are pixel centers. The dataset has neither 3D positions nor camera
parameters. Split and exclusions follow the paper: _ALL sessions and S11's Directions are left out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.datasets.dataset_recording import DatasetRecording, inside_image
from hybrid_pose_ros.datasets.event_tables import (
    check_labeled, check_times, read_event_tables, whole_numbers)
from hybrid_pose_ros.errors import InputError, RecordingError
from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.recordings.hdf5 import LABEL_CENTER_PX, Labels
from hybrid_pose_ros.recordings.hdf5_file import hdf5_file, numbers, tables
from hybrid_pose_ros.tasks.skeleton import JOINTS

SIZE = (320, 256)
SUBJECTS = {'train': ('S1', 'S5', 'S6', 'S7', 'S8'), 'test': ('S9', 'S11'),
            'all': ('S1', 'S5', 'S6', 'S7', 'S8', 'S9', 'S11')}
CAMERA_CODES = ('54138969', '55011271', '58860488', '60457274')
"""Human3.6M's codes of cameras 0 to 3."""
CAMERAS = range(len(CAMERA_CODES))
LEFT_OUT = (('S11', 'Directions'),)
"""Corrupted sequences that the paper excludes."""
BAD_LABELS = (('S9', 'Greeting'), ('S9', 'SittingDown 1'), ('S9', 'Waiting 1'))
"""Sequences whose labels are unreliable according to the paper; they are still read."""

EVENTS_KIND = 'file with events of Event-Human3.6M'
LABELS_KIND = 'file with labels of Event-Human3.6M'


class SequenceFiles(NamedTuple):
    """One action seen by one camera."""

    subject: str
    action: str  # as named in the labels: 'Walking 1'
    camera: int
    folder: Path  # of the sequence
    labels: Path

    @property
    def name(self) -> str:
        """Return the name of the sequence's recording."""
        return f'{self.subject}_{self.action.replace(" ", "_")}_cam{self.camera}'

    def load(self) -> list[DatasetRecording]:
        """Return the recording, up to the earlier end of events and labels.

        Raises:
            RecordingError: a file is missing, damaged, or of another layout.
        """
        path = self.folder / 'events.h5'
        found = read_event_tables(path, EVENTS_KIND, group='events', index='ms_to_idx',
                                  first_pixel=0, size=SIZE)
        self._check_camera(path)
        stamps_ms, joints_px = self._read_labels()
        end_us = 1000 * min(found.milliseconds, int(stamps_ms[-1]))
        events = event_array(found.t // 1000, found.x, found.y, found.p)
        labeled = 1000 * stamps_ms <= end_us
        check_labeled(self.labels, f'{self.subject}/{self.action}/timestamps_ms', labeled, end_us)
        joints_px = joints_px[labeled] + LABEL_CENTER_PX
        with np.errstate(over='ignore'):  # a damaged file may contain any value
            labels = Labels(1000 * stamps_ms[labeled], joints_px.astype(np.float32),
                            np.full((*joints_px.shape[:2], 3), np.nan, np.float32),
                            inside_image(joints_px, *SIZE))
        return [DatasetRecording(self.name, *SIZE, events[events['t'] < end_us], labels, None)]

    def _check_camera(self, path: Path) -> None:
        with hdf5_file(path, EVENTS_KIND) as file:
            if 'cam_view' not in file:
                raise RecordingError(f'{path} is not a {EVENTS_KIND}: it lacks cam_view')
            view = numbers(file, 'cam_view', getattr(file['cam_view'], 'ndim', 0))
            if view.size != 1 or view[()] != self.camera:
                raise RecordingError(f'{path}: cam_view is {view[()]}, expected {self.camera}, '
                                     f'the camera {CAMERA_CODES[self.camera]} of its folder')

    def _read_labels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return times (N,) [ms] and joints (N, 13, 2); integers are pixel centers."""
        group = f'{self.subject}/{self.action}'
        view, times = f'{group}/cam_view_{self.camera}', f'{group}/timestamps_ms'
        with hdf5_file(self.labels, LABELS_KIND) as file:
            found = tables(file, {times: 1, view: 3}, self.labels, LABELS_KIND)
            stamps_ms = whole_numbers(self.labels, times, found[times])
            joints = found[view][()].astype(np.float64)
        if joints.shape != (len(stamps_ms), 2, len(JOINTS)) or not len(joints):
            raise RecordingError(f'{self.labels}: {view} has the shape {joints.shape}, expected '
                                 f'({len(stamps_ms)}, 2, {len(JOINTS)}): a pose for each of '
                                 'timestamps_ms')
        check_times(self.labels, times, stamps_ms)
        joints[~np.isfinite(joints)] = np.nan
        return stamps_ms, joints.transpose(0, 2, 1)


def find(folder: str | Path, split: str = 'all') -> list[SequenceFiles]:
    """Return the sequences in a folder, sorted by subject, action and camera.

    Args:
        folder: contains `labels.h5` and one folder per subject.
        split: 'train', 'test' or 'all'.

    Raises:
        InputError: there are no sequences of the split, or no labels.
    """
    if split not in SUBJECTS:
        raise InputError(f'unknown split {split!r}: choose from {", ".join(SUBJECTS)}')
    folder = Path(folder)
    if not (folder / 'labels.h5').is_file():
        raise InputError(f'{folder} is not Event-Human3.6M: expected labels.h5 in it')
    found = [files for subject in SUBJECTS[split]
             for files in sorted(_sequences(folder, subject))]
    if not found:
        raise InputError(f'{folder} contains no sequences of the split {split}: expected files '
                         f'such as {SUBJECTS[split][0]}/upsample/Walking_1.{CAMERA_CODES[0]}/'
                         'events.h5')
    return found


def _sequences(folder: Path, subject: str) -> Iterator[SequenceFiles]:
    for path in (folder / subject / 'upsample').glob('*/events.h5'):
        action, _, code = path.parent.name.partition('.')
        action = action.replace('_', ' ')
        whole_session = path.parent.name.startswith('_ALL')
        if code in CAMERA_CODES and not whole_session and (subject, action) not in LEFT_OUT:
            yield SequenceFiles(subject, action, CAMERA_CODES.index(code), path.parent,
                                folder / 'labels.h5')
