# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Deserializes and validates the messages of a recorded graph without ROS.

Any program can publish any message on any topic, and other versions of a node may publish
different messages under the same type name. Messages that do not match their topic are skipped and
counted.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.events.codecs import MAX_PIXELS
from hybrid_pose_ros.recordings.bag_messages import BagMessage, bag_messages
from hybrid_pose_ros.recordings.message_types import typestore
from hybrid_pose_ros.recordings.pose_topics import (
    SKELETON, SKELETONS, STATE, TRUTH, TYPES, WORLD, one_of)

FARTHEST_US = 1 << 53
"""Limit of sensor times (285 years), so that their differences are exact."""

LONGEST_STEP_US = 1_000_000_000

LONGEST_MS = 1e13
"""Limit of latencies; with a simulated clock, stamps may be from 1970."""

FARTHEST_PX = 1e6

POSE_ARRAYS = 'x_px', 'y_px', 'confidence'
LATENCIES_MS = 'event_latency_ms', 'packet_latency_ms', 'compute_ms'


class TypedMessage(NamedTuple):
    """One message with the fields of the ROS message; arrays are NumPy arrays."""

    topic: str
    log_time_ns: int
    message: Any


class BadMessages:
    """Counts skipped messages per topic and keeps the first reason for each."""

    def __init__(self):
        self._counts: dict[str, int] = {}
        self._reasons: dict[str, str] = {}

    def add(self, topic: str, reason: str, count: int = 1) -> None:
        """Count skipped messages of a topic."""
        self._counts[topic] = self._counts.get(topic, 0) + count
        self._reasons.setdefault(topic, reason)

    def line(self) -> str:
        """Return a one-line report; empty if no message was skipped."""
        return '; '.join(f'{count} of {topic}: {" ".join(self._reasons[topic].split())}'
                         for topic, count in self._counts.items())


class MessageReader:
    """Deserializes messages; those that do not match their topic are counted in `bad`."""

    def __init__(self):
        self.bad = BadMessages()
        self._store = typestore()

    def read(self, message: BagMessage) -> Any | None:
        """Return a message with the fields of its type; None if it is skipped."""
        try:
            return self._read(message)
        except ValueError as error:
            self.bad.add(message.topic, str(error))
            return None

    def _read(self, message: BagMessage) -> Any:
        name = one_of(message.topic, TYPES)
        if name is not None and message.type != TYPES[name]:
            raise ValueError(f'type {message.type or "unknown"}, expected {TYPES[name]}')
        try:
            typed = self._store.deserialize_cdr(message.cdr, message.type)
        except Exception as error:  # errors of struct, NumPy and rosbags have no common base class
            raise ValueError(f'{len(message.cdr)} bytes are not a {message.type} as defined here: '
                             f'{str(error) or type(error).__name__:.200}') from error
        if name in CHECKS:
            CHECKS[name](typed)
        return typed


def typed_messages(bag: str | Path, topics: Collection[str] | None = None,
                   reader: MessageReader | None = None) -> Iterator[TypedMessage]:
    """Yield the messages of a bag in log order.

    Args:
        bag: folder or file.
        topics: topics to read; None for all.
        reader: reader that counts the skipped messages.

    Raises:
        RecordingError: the path is not a bag, or the bag is damaged; raised after all readable
            messages.
    """
    reader = reader or MessageReader()
    for message in bag_messages(bag, topics):
        typed = reader.read(message)
        if typed is not None:
            yield TypedMessage(message.topic, message.log_time_ns, typed)


def _check_skeleton(message: Any) -> None:
    for name in ('sensor_time_us', 'state_age_us'):
        _check_range(message, name, -FARTHEST_US, FARTHEST_US)
    for name in ('width', 'height'):
        _check_range(message, name, 1, 1 << 16)
    if message.width * message.height > MAX_PIXELS:
        raise ValueError(f'a sensor of {message.width}x{message.height} px, expected at most '
                         f'{MAX_PIXELS} pixels')
    for name in POSE_ARRAYS:
        if not (np.abs(getattr(message, name)) <= FARTHEST_PX).all():  # also catches NaN
            raise ValueError(f'{name} contains NaN or more than {FARTHEST_PX:g}')
    _check_ms(message, *LATENCIES_MS)


def _check_pose(message: Any) -> None:
    _check_skeleton(message)
    _check_range(message, 'step_us', 1, LONGEST_STEP_US)


def _check_poses(message: Any) -> None:
    if not message.skeletons:
        raise ValueError('no skeletons, expected at least one')
    for skeleton in message.skeletons:
        _check_pose(skeleton)


def _check_world(message: Any) -> None:
    _check_range(message, 'instant_us', -FARTHEST_US, FARTHEST_US)
    _check_ms(message, 'event_latency_ms', 'compute_ms')


def _check_range(message: Any, name: str, low: int, high: int) -> None:
    if not low <= getattr(message, name) <= high:
        raise ValueError(f'{name} is {getattr(message, name)}, expected {low} to {high}')


def _check_ms(message: Any, *names: str) -> None:
    for name in names:
        if not abs(getattr(message, name)) <= LONGEST_MS:
            raise ValueError(f'{name} is {getattr(message, name)}, expected at most '
                             f'{LONGEST_MS:g}')


CHECKS = {SKELETON: _check_pose, SKELETONS: _check_poses, TRUTH: _check_skeleton,
          WORLD: _check_world, STATE: lambda message: _check_ms(message, 'ann_ms')}
"""Checks of the values of each topic's messages, which raise ValueError."""
