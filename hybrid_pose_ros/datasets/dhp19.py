# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DHP19 on disk: which recordings there are, of whom, and their four channels.

17 people make 33 movements in 5 sessions before four event cameras of 346x260 px. The split is the
paper's: subjects 1 to 12 are trained on, 13 to 17 tested. Two forms are read: the published one,
with the folders DVS_movies and Vicon_data, and the HDF5 files that the paper's code reads.
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
"""Of each session."""
CHANNELS = range(len(CAMERA_OF_CHANNEL))
MOVIES, VICON = 'DVS_movies', 'Vicon_data'
"""Folders of the published form."""


class RecordingName(NamedTuple):
    """Who does what."""

    subject: int  # 1 to 17
    session: int  # 1 to 5
    movement: int  # 1 to MOVEMENTS[session - 1]

    def __str__(self) -> str:
        return f'S{self.subject}_session{self.session}_mov{self.movement}'

    @property
    def known(self) -> bool:
        """Whether the dataset has such a recording."""
        return (self.subject in SUBJECTS['all'] and 1 <= self.session <= len(MOVEMENTS)
                and 1 <= self.movement <= MOVEMENTS[self.session - 1])


class Hdf5Files(NamedTuple):
    """One recording in the form that the paper's code reads."""

    name: RecordingName
    events: Path
    labels: Path

    def load(self, channels: Sequence[int]) -> list[DatasetRecording]:
        """Return channels of the recording.

        Raises:
            RecordingError: a file is not there, damaged, or of another layout.
        """
        return [read_channel(self.events, self.labels, channel) for channel in channels]


class RawFiles(NamedTuple):
    """One recording in the published form."""

    name: RecordingName
    events: Path  # .aedat
    labels: Path  # .mat

    def load(self, channels: Sequence[int]) -> list[DatasetRecording]:
        """Return channels of the recording.

        Raises:
            RecordingError: a file is not there or damaged, or the dataset leaves it out.
        """
        return list(read_channels(self.events, self.labels, channels, str(self.name)))


def find(folder: str | Path, split: str = 'all') -> list[Hdf5Files] | list[RawFiles]:
    """Return the recordings in a folder, by subject, session and movement.

    Args:
        folder: with `S1_session1_mov1_events.h5` and the like, or with the folders of the
            published form.
        split: 'train', 'test' or 'all'.

    Raises:
        InputError: there is no recording of the split, or no labels of any. A recording that
            alone lacks its labels is refused when it is loaded.
    """
    if split not in SUBJECTS:
        raise InputError(f'split {split!r} is not known: choose from {", ".join(SUBJECTS)}')
    folder = Path(folder)
    present = sorted(_raw_files(folder) if (folder / MOVIES).is_dir() else _hdf5_files(folder))
    if not present:
        raise InputError(f'{folder} holds no recordings of DHP19: expected '
                         f'{RecordingName(1, 1, 1)}{EVENTS_END} and the like, or '
                         f'{MOVIES}/S1/session1/mov1.aedat and the like beside {VICON}')
    found = [files for files in present if files.name.subject in SUBJECTS[split]]
    if not found:
        raise InputError(f'{folder} holds no recordings of the split {split}: its subjects are '
                         f'{sorted({files.name.subject for files in present})}')
    missing = [files.labels.name for files in found if not files.labels.is_file()]
    if len(missing) == len(found):
        raise InputError(f'{folder} holds no labels: expected {missing[0]}'
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
    """Return what a file is named after, None where that is no recording of DHP19."""
    match = re.fullmatch(pattern, text, re.ASCII)
    name = match and RecordingName(*map(int, match.groups()))
    return name if name and name.known else None
