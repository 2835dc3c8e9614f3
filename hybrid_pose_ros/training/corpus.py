# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recordings that training and its validation draw from."""

from pathlib import Path

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.recordings.labeled import LabeledRecording, load_labeled


def load_clips(*folders: str | Path) -> list[LabeledRecording]:
    """Read the recordings (.h5) of folders, each in the order of their names.

    Raises:
        InputError: there is none in one of them, or the sensors differ in size.
        RecordingError: a recording cannot be read.
    """
    clips = []
    for folder in folders:
        paths = sorted(Path(folder).glob('*.h5'))
        if not paths:
            raise InputError(f'no recordings (.h5) in {folder}: make some with '
                             '`hybrid-pose simulate`')
        clips += map(load_labeled, paths)
    sizes = {(clip.width, clip.height) for clip in clips}
    if len(sizes) > 1:
        raise InputError(f'the recordings are of sensors of several sizes, {sorted(sizes)}: '
                         'training takes one size at a time')
    return clips
