# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Collects the unreadable parts of a recording while the rest is read."""

from collections.abc import Iterator
from contextlib import contextmanager

from hybrid_pose_ros.errors import RecordingError

SHOWN = 3


class Faults:
    """Descriptions of the skipped parts of a recording; only the first SHOWN are kept."""

    def __init__(self):
        self._lines: list[str] = []
        self._count = 0

    def add(self, line: str) -> None:
        """Add a line that names a file and its fault; duplicates are counted once."""
        if line not in self._lines:
            self._count += 1
            if len(self._lines) < SHOWN:
                self._lines.append(line)

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Collect a RecordingError instead of raising it."""
        try:
            yield
        except RecordingError as error:
            self.add(str(error))

    def line(self) -> str:
        """Return all faults in one line; '' if there are none."""
        more = self._count - len(self._lines)
        return '; '.join(self._lines) + (f'; and {more} more' if more else '')

    def raise_any(self) -> None:
        """Raise one RecordingError for all faults, if there are any."""
        if self._lines:
            raise RecordingError(self.line())
