# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events as one structured array, the input of all stages after the decoders.

Points are (x, y) in sensor pixels: origin top left, x right, y down. Time is sensor time.
"""

from collections.abc import Sequence

import numpy as np

Numbers = Sequence[int] | np.ndarray

EVENT_DTYPE = np.dtype([('t', np.int64), ('x', np.uint16), ('y', np.uint16), ('p', np.uint8)],
                       align=True)
"""t [us] on the sensor clock, x and y [px], p (1 = ON, 0 = OFF). Events are in decoding order,
which is the order of time except for steps back of a few microseconds in real sensors."""

TRIGGER_DTYPE = np.dtype([('t', np.int64), ('id', np.uint8), ('edge', np.uint8)], align=True)
"""t [us], index of the input line, edge (1 = rising)."""


def event_array(t: Numbers, x: Numbers, y: Numbers, p: Numbers) -> np.ndarray:
    """Return events (N,) of EVENT_DTYPE from four sequences of equal length."""
    events = np.empty(len(t), EVENT_DTYPE)
    events['t'], events['x'], events['y'], events['p'] = t, x, y, p
    return events


def no_events() -> np.ndarray:
    """Return an empty array, (0,) of EVENT_DTYPE."""
    return np.empty(0, EVENT_DTYPE)
