# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the messages of one sqlite3 file of a bag, which is opened read-only."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.recordings.faults import Faults

COLUMNS = 'topics.name, topics.type, messages.timestamp, messages.data'
Row = tuple[str, str, int, bytes]


def sqlite_messages(file: Path, topics: Collection[str] | None, faults: Faults) -> Iterator[Row]:
    """Yield topic, type, log time [ns] and bytes of each message, in order of log time.

    Args:
        file: file of the bag.
        topics: topics to read; None for all.
        faults: collects damaged rows.

    Raises:
        RecordingError: the rest of the file cannot be read.
    """
    query = f'SELECT {COLUMNS} FROM messages JOIN topics ON messages.topic_id = topics.id '
    names = [] if topics is None else list(topics)
    if topics is not None:
        query += f'WHERE topics.name IN ({", ".join("?" * len(names))}) '
    for row in _rows(file, query + 'ORDER BY messages.timestamp, messages.id', names):
        with faults.collected():
            _check(file, row, (str, str, int, bytes))
            yield row


def sqlite_topics(file: Path) -> dict[str, str]:
    """Return the message type of each topic.

    Raises:
        RecordingError: the file is damaged or not a bag.
    """
    topics = {}
    for row in _rows(file, 'SELECT name, type FROM topics ORDER BY id'):
        _check(file, row, (str, str))
        topics[row[0]] = row[1]
    return topics


def _check(file: Path, row: tuple, types: tuple[type, ...]) -> None:
    """Raise RecordingError unless a row has these types, which sqlite3 does not enforce."""
    if tuple(map(type, row)) != types:
        raise RecordingError(f'{file} is damaged: a row is {row!r:.200}')


def _rows(file: Path, query: str, values: Sequence[str] = ()) -> Iterator[tuple]:
    try:
        database = sqlite3.connect(f'{file.resolve().as_uri()}?mode=ro', uri=True)
        try:
            database.execute('PRAGMA trusted_schema = OFF')
            database.execute('PRAGMA cell_size_check = ON')
            yield from database.execute(query, values)
        finally:
            database.close()
    except (sqlite3.Error, UnicodeDecodeError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        if Path(f'{file}-journal').exists():
            raise RecordingError(
                f'{file} has an unfinished transaction ({reason}): copy it together with '
                f'{file.name}-journal and open the copy with `sqlite3 {file.name} .tables`, which '
                'rolls the transaction back') from error
        damaged = getattr(error, 'sqlite_errorname', '') == 'SQLITE_CORRUPT'
        raise RecordingError(f'{file} is damaged or not a bag: {reason}' + (
            f'; `sqlite3 {file.name} .recover` recovers the readable rows' if damaged else '')
        ) from error
