# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bars on stderr, a stage each."""

from rich.console import Console
from rich.progress import Progress


class StageBars:
    """Shows how far each stage is; a bar appears when its stage is first told of."""

    def __init__(self, *, disable: bool = False):
        self._progress = Progress(*Progress.get_default_columns(), '{task.fields[figure]}',
                                  console=Console(stderr=True), disable=disable)
        self._tasks = {}

    def update(self, stage: str, done: int, total: int, figure: str = '') -> None:
        """Show that so much of a stage is done, and a figure of it."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total, figure='')
        self._progress.update(self._tasks[stage], completed=done, total=total, figure=figure)

    def __enter__(self):
        self._progress.start()
        return self

    def __exit__(self, *_):
        self._progress.stop()
