# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The output folder of a demo: replaces the files of an earlier demo and nothing else.

A marker file identifies such a folder; the patterns below match the files that a demo writes.
"""

import re
from pathlib import Path

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.description import RENAMED, SETTINGS
from hybrid_pose_ros.outputs import check_folder, writing

MARKER = '.hybrid_pose_demo'
TEXT = 'This folder was written by hybrid-pose demo. The next demo in it replaces these files.\n'

LOGS, TAKE, BAG, BAGS, RIG = 'logs', 'take', 'bag', 'bags', 'rig.yaml'
REPORT, PLOT, VIDEO, GIF = 'report.json', 'run.png', 'skeleton.mp4', 'skeleton.gif'

FOLDERS = re.compile(rf'{LOGS}|{TAKE}|{BAG}(_\d+)?|{BAGS}(/\w+)?')
FILES = re.compile('|'.join((
    *map(re.escape, (RIG, REPORT, PLOT, VIDEO, GIF)),
    rf'{LOGS}/(\w+\.)?({"|".join((*SETTINGS, *RENAMED))})\.log', rf'{TAKE}/\w+\.h5(\.partial)?',
    rf'{BAG}(_\d+)?/(metadata\.yaml|{BAG}(_\d+)?\.mcap)',
    rf'{BAGS}/(?P<camera>\w+)/(metadata\.yaml|(?P=camera)\.mcap)')))
"""Files and folders that a demo writes."""


def check(folder: Path) -> None:
    """Raise InputError unless a demo may write to the folder; no file is changed."""
    check_folder(folder)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise InputError(f'{folder} is neither empty nor from an earlier demo (no '
                         f'{MARKER}): choose a new folder')


def claim(folder: Path) -> None:
    """Delete the files of an earlier demo and write the marker.

    Raises:
        InputError: as in `check`, or the folder is not writable.
    """
    check(folder)
    with writing(folder):
        for path in sorted(folder.rglob('*'), reverse=True):  # a folder after its contents
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                continue
            if path.is_file() and FILES.fullmatch(name):
                path.unlink()
            elif path.is_dir() and FOLDERS.fullmatch(name) and not any(path.iterdir()):
                path.rmdir()
        (folder / LOGS).mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(TEXT)
