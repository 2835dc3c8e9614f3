# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of a bag of ours, deserialized without ROS."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hybrid_pose_ros.recordings.bag_messages import bag_messages
from hybrid_pose_ros.recordings.message_types import typestore


class TypedMessage(NamedTuple):
    """One message; it has the fields of the ROS message, arrays as NumPy's."""

    topic: str
    log_time_ns: int
    message: Any


def typed_messages(bag: str | Path, topics: Collection[str] | None = None
                   ) -> Iterator[TypedMessage]:
    """Yield the messages of a bag in the order of the log.

    Raises:
        RecordingError: no bag, or one that is cut short; what is whole is yielded before.
    """
    store = typestore()
    for topic, type_name, log_time_ns, cdr in bag_messages(bag, topics):
        yield TypedMessage(topic, log_time_ns, store.deserialize_cdr(cdr, type_name))
