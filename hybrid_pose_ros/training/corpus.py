# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loads and splits recordings for training and validation."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.recordings.labeled import LabeledRecording, load_labeled

DHP19_TEST_SUBJECTS = (13, 14, 15, 16, 17)
HELD_OUT_SHARE = 0.2
"""Fraction of the recordings used for testing if the subjects are unknown."""


def load_clips(*folders: str | Path) -> list[LabeledRecording]:
    """Read the recordings (.h5) in folders, each sorted by name.

    Raises:
        InputError: a folder has no recordings, or the sensor sizes differ.
        RecordingError: a recording cannot be read.
    """
    return load_recordings(path for folder in folders for path in _recordings(folder))


def load_recordings(paths: Iterable[Path]) -> list[LabeledRecording]:
    """Read recordings (.h5).

    Raises:
        InputError: the sensor sizes differ.
        RecordingError: a recording cannot be read.
    """
    clips = [load_labeled(path) for path in paths]
    sizes = {(clip.width, clip.height) for clip in clips}
    if len(sizes) > 1:
        raise InputError(f'the recordings have several sensor sizes, {sorted(sizes)}: '
                         'training supports one size at a time')
    return clips


def contents(clips: Iterable[LabeledRecording]) -> list[list[Any]]:
    """Return the name and number of events of each recording, as JSON values."""
    return [[clip.name, len(clip.events)] for clip in clips]


def fingerprint(clips: Iterable[LabeledRecording]) -> str:
    """Return 16 hexadecimal digits that identify the `contents` of a corpus."""
    return hashlib.sha256(json.dumps(contents(clips)).encode()).hexdigest()[:16]


class Split(NamedTuple):
    """Recordings for training and for testing."""

    train: list[Path]
    test: list[Path]
    rule: str  # description of the split


def split(folder: str | Path, test_subjects: Collection[int] = DHP19_TEST_SUBJECTS) -> Split:
    """Split a dataset into training and test recordings.

    The folders `train` and `test` are used if they exist. Otherwise the subject is taken from
    names such as S13_session1_mov2.h5; without subjects, the last fifth is used for testing.

    Raises:
        InputError: a part is empty.
    """
    folder = Path(folder)
    if (folder / 'train').is_dir() and (folder / 'test').is_dir():
        return Split(_recordings(folder / 'train'), _recordings(folder / 'test'),
                     'folders train and test')
    paths = _recordings(folder)
    subjects = [int(match[1]) for path in paths if (match := re.match(r'S(\d+)_', path.name))]
    if len(subjects) == len(paths):
        tested = [subject in test_subjects for subject in subjects]
        rule = f'subjects {", ".join(map(str, sorted(test_subjects)))} for testing'
    else:
        held_out = max(1, round(HELD_OUT_SHARE * len(paths)))
        tested = [index >= len(paths) - held_out for index in range(len(paths))]
        rule = f'the last {held_out} of {len(paths)} recordings for testing'
    parts = {chosen: [path for path, test in zip(paths, tested) if test == chosen]
             for chosen in (False, True)}
    if not all(parts.values()):
        raise InputError(f'{folder} has no recordings to {"test" if parts[False] else "train"} on '
                         f'({rule}): add recordings, or create folders train and test in it')
    return Split(parts[False], parts[True], rule)


def _recordings(folder: str | Path) -> list[Path]:
    """Return the recordings in a folder, sorted by name."""
    paths = sorted(Path(folder).glob('*.h5'))
    if not paths:
        raise InputError(f'no recordings (.h5) in {folder}: create some with '
                         '`hybrid-pose simulate`')
    return paths
