# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of a study, and storage of its intermediate results."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.outputs import writing
from hybrid_pose_ros.recordings.labeled import LabeledRecording
from hybrid_pose_ros.training.corpus import load_clips

@dataclass(frozen=True)
class Options:
    """Options of all studies; each uses those that it needs."""

    recordings: tuple[Path, ...]  # folders of recordings to evaluate on
    output: Path  # folder of result, plot, and intermediate results for resuming
    corpus: tuple[Path, ...] = ()  # folders of recordings to train on
    checkpoint: str = ''  # weights; '': the shipped ones
    batches: int = 150  # of each training
    seed: int = 0
    tell: Callable[[str], None] = lambda line: None  # called with a progress description

    def clips(self) -> list[LabeledRecording]:
        """Return the recordings to evaluate on.

        Raises:
            InputError: no recordings are given.
        """
        if not self.recordings:
            raise InputError('name the folders of recordings to evaluate on, --recording DIR')
        return load_clips(*self.recordings)

    def training_clips(self) -> list[LabeledRecording]:
        """Return the recordings to train on.

        Raises:
            InputError: no recordings are given.
        """
        if not self.corpus:
            raise InputError('this study trains networks: name the folders of recordings to train '
                             'on, --corpus DIR')
        return load_clips(*self.corpus)


def kept(folder: Path, name: str, of: dict[str, Any],
         make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the stored result of an earlier run, or compute and store it.

    Args:
        folder: folder of the study.
        name: name of the result.
        of: everything that the result depends on; if it differs, the result is recomputed.
        make: function that computes the result.
    """
    path = folder / f'{name}.json'
    if path.exists():
        content = json.loads(path.read_text())
        if content['of'] == of:
            return content['found']
    found = make()
    write(path, {'of': of, 'found': found})
    return found


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a result as JSON, atomically.

    Raises:
        InputError: the file cannot be written.
    """
    with writing(path):
        temporary = path.with_suffix('.new')
        temporary.write_text(json.dumps(result, indent=1))
        temporary.replace(path)
