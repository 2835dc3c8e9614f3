# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Progress bars on stderr, one per stage."""

from rich.console import Console
from rich.progress import Progress, TaskID


class StageBars:
    """Shows the progress of each stage; a bar appears with the first update of its stage."""

    def __init__(self, *, disable: bool = False):
        self._progress = Progress(*Progress.get_default_columns(), '{task.fields[figure]}',
                                  console=Console(stderr=True), disable=disable)
        self._tasks: dict[str, TaskID] = {}

    def update(self, stage: str, done: int, total: int, figure: str = '') -> None:
        """Update the bar of a stage with its progress and a figure."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total, figure='')
        self._progress.update(self._tasks[stage], completed=done, total=total, figure=figure)

    def __enter__(self) -> 'StageBars':
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
