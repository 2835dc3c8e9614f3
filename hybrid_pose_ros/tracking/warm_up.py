# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compiles the tracker's kernels, or loads them from the cache, before the first packet."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.events.event_array import event_array
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.model.checkpoint import Checkpoint
from hybrid_pose_ros.tracking.pose_tracker import PoseTracker
from hybrid_pose_ros.tracking.stream_tracker import StreamTracker
from hybrid_pose_ros.tracking.tracker_params import TrackerParams


class Rest(NamedTuple):
    """A resting state, as if the ANN had received no events."""

    sensor_time_us: int
    tensors: dict[str, np.ndarray]

    def is_intact(self) -> bool:
        """Return True, since nothing overwrites it."""
        return True


def warm_up(checkpoint: Checkpoint, params: TrackerParams,
            kind: type[StreamTracker[Any, Any]] = PoseTracker) -> None:
    """Run the complete pipeline once on a small sensor."""
    size = checkpoint.preset.crop if checkpoint.preset.crop[0] else (32, 32)
    tracker = kind(checkpoint, replace(params, calibration=''), *size)
    times_us = np.arange(4) * params.step_us
    packet = Packet(0, '', *size, 0, 0, 'evt3', Evt3Encoder(*size).encode(
        event_array(times_us, [1] * 4, [1] * 4, [1] * 4)))
    stream = PacketStream()
    for _ in tracker.update(stream.update(packet).events):
        pass
    tracker.initialize(Rest(0, {name: np.zeros(shape, np.float32)
                                 for name, shape in tracker.layout.items()}))
    for _ in tracker.update(event_array(times_us + times_us[-1], [1] * 4, [1] * 4, [1] * 4)):
        pass
    # One event, and bins without events: numba compiles arrays of one element separately.
    for _ in tracker.update(event_array([3 * times_us[-1]], [1], [1], [1])):
        pass
