# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small states whose every value is the number of the state, so that a torn one shows."""

import os

import numpy as np

from hybrid_pose_ros.transport.descriptor import StateDescriptor, tensor_specs
from hybrid_pose_ros.transport.reader import StateView
from hybrid_pose_ros.transport.ring import StateRing

MODEL = 'edge:0123abcd'
TENSORS = tensor_specs({'membrane.enc0': (40, 30, 16), 'membrane.res1': (5, 7, 3),
                        'heatmap': (20, 15, 13)})


def new_ring(**options) -> StateRing:
    """Return a ring of such states."""
    return StateRing(TENSORS, **{'model': MODEL, **options})


def fill(tensors: dict[str, np.ndarray], value: float) -> None:
    """Write one value into every element of every tensor."""
    for tensor in tensors.values():
        tensor[...] = value


def write_state(ring: StateRing, **options) -> StateDescriptor:
    """Write the ring's next state; its sensor time is its number in milliseconds."""
    write = ring.begin()
    fill(write.tensors, write.sequence)
    return write.commit(sensor_time_us=1000 * write.sequence, **options)


def holds(view: StateView, value: float) -> bool:
    """Return whether every element of every tensor has that value."""
    return all((tensor == value).all() for tensor in view.tensors.values())


def segments() -> set[str]:
    """Return the names of this package's segments that are in /dev/shm."""
    return {name for name in os.listdir('/dev/shm') if name.startswith('hybrid_pose.')}


def own_segments() -> set[str]:
    """Return the names of those that this process made."""
    return {name for name in segments() if name.startswith(f'hybrid_pose.{os.getpid()}.')}
