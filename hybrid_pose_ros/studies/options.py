# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a study is asked with, and how the folder that it goes on in is filled."""

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
    """What all studies share; each takes what it needs."""

    recordings: tuple[Path, ...]  # folders, to measure on
    output: Path  # result, plot, and what a study that was killed goes on from
    corpus: tuple[Path, ...] = ()  # folders, to train on
    checkpoint: str = ''  # weights; '': those that ship
    batches: int = 150  # of each training
    seed: int = 0
    tell: Callable[[str], None] = lambda line: None  # is told what is being done

    def clips(self) -> list[LabeledRecording]:
        """Return the recordings to measure on.

        Raises:
            InputError: none are named.
        """
        if not self.recordings:
            raise InputError('name the folders of recordings to measure on, --recording DIR')
        return load_clips(*self.recordings)

    def training_clips(self) -> list[LabeledRecording]:
        """Return the recordings to train on.

        Raises:
            InputError: none are named.
        """
        if not self.corpus:
            raise InputError('this study trains networks: name the folders of recordings to train '
                             'on, --corpus DIR')
        return load_clips(*self.corpus)


def kept(folder: Path, name: str, of: dict[str, Any],
         make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what an earlier run found and left in the folder, or make it and leave it there.

    Args:
        folder: of the study.
        name: of the part.
        of: all that the part depends on; one that was found with something else is made anew.
        make: finds it.
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
    """Write a result as JSON, all of it or nothing.

    Raises:
        InputError: it cannot be written.
    """
    with writing(path):
        temporary = path.with_suffix('.new')
        temporary.write_text(json.dumps(result, indent=1))
        temporary.replace(path)
