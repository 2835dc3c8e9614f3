# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DHP19 recordings on disk: names, splits, and loading of the four channels.

17 people perform 33 movements in 5 sessions in front of four event cameras of 346x260 px. The
split follows the paper: subjects 1 to 12 for training, 13 to 17 for testing. Two layouts are
supported: the published one, with the folders DVS_movies and Vicon_data, and the HDF5 files used
by the paper's code.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hybrid_pose_ros.datasets.dataset_recording import DatasetRecording
from hybrid_pose_ros.datasets.dhp19_calibration import CAMERA_OF_CHANNEL
from hybrid_pose_ros.datasets.dhp19_hdf5 import EVENTS_END, LABELS_END, read_channel
from hybrid_pose_ros.datasets.dhp19_raw import read_channels
from hybrid_pose_ros.errors import InputError

SUBJECTS = {'train': range(1, 13), 'test': range(13, 18), 'all': range(1, 18)}
MOVEMENTS = (8, 6, 6, 6, 7)
"""Number of movements in each session."""
CHANNELS = range(len(CAMERA_OF_CHANNEL))
MOVIES, VICON = 'DVS_movies', 'Vicon_data'
"""Folders of the published layout."""


class RecordingName(NamedTuple):
    """Subject, session and movement of a recording."""

    subject: int  # 1 to 17
    session: int  # 1 to 5
    movement: int  # 1 to MOVEMENTS[session - 1]

    def __str__(self) -> str:
        return f'S{self.subject}_session{self.session}_mov{self.movement}'

    @property
    def known(self) -> bool:
        """Whether the dataset contains this recording."""
        return (self.subject in SUBJECTS['all'] and 1 <= self.session <= len(MOVEMENTS)
                and 1 <= self.movement <= MOVEMENTS[self.session - 1])


class Hdf5Files(NamedTuple):
    """One recording in the HDF5 layout of the paper's code."""

    name: RecordingName
    events: Path
    labels: Path

    def load(self, channels: Sequence[int]) -> list[DatasetRecording]:
        """Return channels of the recording.

        Raises:
            RecordingError: a file is missing, damaged, or of another layout.
        """
        return [read_channel(self.events, self.labels, channel) for channel in channels]


class RawFiles(NamedTuple):
    """One recording in the published layout."""

    name: RecordingName
    events: Path  # .aedat
    labels: Path  # .mat

    def load(self, channels: Sequence[int]) -> list[DatasetRecording]:
        """Return channels of the recording.

        Raises:
            RecordingError: a file is missing or damaged, or the dataset excludes the recording.
        """
        return list(read_channels(self.events, self.labels, channels, str(self.name)))


def find(folder: str | Path, split: str = 'all') -> list[Hdf5Files | RawFiles]:
    """Return the recordings in a folder, sorted by subject, session and movement.

    Args:
        folder: contains files such as `S1_session1_mov1_events.h5`, or the folders of the
            published layout.
        split: 'train', 'test' or 'all'.

    Raises:
        InputError: there are no recordings of the split, or none of them has labels. If only some
            lack labels, the error is raised when those are loaded.
    """
    if split not in SUBJECTS:
        raise InputError(f'unknown split {split!r}: choose from {", ".join(SUBJECTS)}')
    folder = Path(folder)
    present: Sequence[Hdf5Files | RawFiles] = (
        sorted(_raw_files(folder)) if (folder / MOVIES).is_dir() else sorted(_hdf5_files(folder)))
    if not present:
        raise InputError(f'{folder} contains no recordings of DHP19: expected files such as '
                         f'{RecordingName(1, 1, 1)}{EVENTS_END}, or '
                         f'{MOVIES}/S1/session1/mov1.aedat next to {VICON}')
    found = [files for files in present if files.name.subject in SUBJECTS[split]]
    if not found:
        raise InputError(f'{folder} contains no recordings of the split {split}: its subjects are '
                         f'{sorted({files.name.subject for files in present})}')
    missing = [files.labels.name for files in found if not files.labels.is_file()]
    if len(missing) == len(found):
        raise InputError(f'{folder} contains no labels: expected {missing[0]}'
                         + (f' and {len(missing) - 1} more' if len(missing) > 1 else ''))
    return found


def _hdf5_files(folder: Path) -> Iterator[Hdf5Files]:
    for path in folder.glob(f'*{EVENTS_END}'):
        name = _named(path.name, r'S(\d+)_session(\d+)_mov(\d+)_events\.h5')
        if name:
            yield Hdf5Files(name, path, path.with_name(f'{name}{LABELS_END}'))


def _raw_files(folder: Path) -> Iterator[RawFiles]:
    for path in folder.glob(f'{MOVIES}/S*/session*/mov*.aedat'):
        name = _named('/'.join(path.parts[-3:]), r'S(\d+)/session(\d+)/mov(\d+)\.aedat')
        if name:
            subject, session, movement = name
            yield RawFiles(name, path, folder / VICON / f'S{subject}_{session}_{movement}.mat')


def _named(text: str, pattern: str) -> RecordingName | None:
    """Return the recording that a file name denotes; None if it is not a DHP19 file."""
    match = re.fullmatch(pattern, text, re.ASCII)
    name = match and RecordingName(*map(int, match.groups()))
    return name if name and name.known else None
