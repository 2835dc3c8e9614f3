# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a demo: files of an earlier demo are replaced, and nothing else is touched.

A marker tells such a folder from one of the user, and the path in it what the demo made.
"""

import re
from pathlib import Path

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph import SETTINGS
from hybrid_pose_ros.outputs import check_folder, writing

MARKER = '.hybrid_pose_demo'
TEXT = 'hybrid-pose demo made this folder: the next demo in it replaces the files of this one.\n'

LOGS, TAKE, BAG, BAGS, RIG = 'logs', 'take', 'bag', 'bags', 'rig.yaml'
REPORT, PLOT, VIDEO, GIF = 'report.json', 'run.png', 'skeleton.mp4', 'skeleton.gif'

FOLDERS = re.compile(rf'{LOGS}|{TAKE}|{BAG}(_\d+)?|{BAGS}(/\w+)?')
FILES = re.compile('|'.join((
    *map(re.escape, (RIG, REPORT, PLOT, VIDEO, GIF)),
    rf'{LOGS}/(\w+\.)?({"|".join(SETTINGS)})\.log', rf'{TAKE}/\w+\.h5(\.partial)?',
    rf'{BAG}(_\d+)?/(metadata\.yaml|{BAG}(_\d+)?\.mcap)',
    rf'{BAGS}/(?P<camera>\w+)/(metadata\.yaml|(?P=camera)\.mcap)')))
"""What a demo makes, by the path in its folder."""


def check(folder: Path) -> None:
    """Raise InputError unless a demo may write into a folder; nothing is changed."""
    check_folder(folder)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise InputError(f'{folder} is not empty and not of an earlier demo, as it has no '
                         f'{MARKER}: name a new folder')


def claim(folder: Path) -> None:
    """Delete what an earlier demo made, and mark the folder as one of a demo.

    Raises:
        InputError: as `check`, or the folder cannot be written.
    """
    check(folder)
    with writing(folder):
        for path in sorted(folder.rglob('*'), reverse=True):  # a folder after what it holds
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                continue
            if path.is_file() and FILES.fullmatch(name):
                path.unlink()
            elif path.is_dir() and FOLDERS.fullmatch(name) and not any(path.iterdir()):
                path.rmdir()
        (folder / LOGS).mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(TEXT)
