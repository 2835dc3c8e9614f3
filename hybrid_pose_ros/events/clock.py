# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of sensor time to ROS time, which is done only here.

There are three clocks: the sensor's own microseconds, the host's wall clock in the header stamps
of packets, and the recorder's time. A stamp is the host time at which the first bytes of a packet
arrived, so stamp - first event is the clock offset plus a non-negative delay. The minimum over
recent packets is therefore the best estimate of the offset. It includes the chunk length of the
driver (4 to 12 ms), since a packet does not record how long its first event waited. The offset in
use decreases only in small steps, so that stamps of successive time bins never step back.
"""

from collections import deque
from typing import TypeVar

import numpy as np

Times = TypeVar('Times', int, np.ndarray)

SLEW_NS = 50_000
"""Maximum decrease of the offset per packet; less than the shortest time bin."""

JUMP_NS = 200_000_000
"""An offset that differs by more than this belongs to another clock and is adopted immediately."""


EVT3_PERIOD_US = 1 << 24
"""EVT3 counts microseconds in 24 bits, so its clock wraps every 16.8 s."""


class SensorClock:
    """Maps sensor time to host time, based on the least delayed of the last `window` packets."""

    def __init__(self, window: int = 512):
        """Start with an unknown offset."""
        self._offsets_ns: deque[int] = deque(maxlen=window)
        self._offset_ns: int | None = None

    def update(self, stamp_ns: int, first_event_us: int) -> None:
        """Update with a packet's header stamp and the sensor time of its first event."""
        offset_ns, used_ns = stamp_ns - 1000 * first_event_us, self._offset_ns
        if not self._offsets_ns or used_ns is None or abs(offset_ns - used_ns) > JUMP_NS:
            self._offsets_ns.clear()
            used_ns = offset_ns
        self._offsets_ns.append(offset_ns)
        self._offset_ns = used_ns + max(-SLEW_NS, min(self._offsets_ns) - used_ns)

    def restart(self) -> None:
        """Adopt the next packet's offset immediately, after a restart of the sensor clock."""
        self._offsets_ns.clear()

    def to_ros_ns(self, sensor_us: int) -> int:
        """Return the host time [ns] of a sensor time [us].

        Raises:
            RuntimeError: no packet has been received.
        """
        if self._offset_ns is None:
            raise RuntimeError('the clocks are unrelated before the first packet')
        return 1000 * sensor_us + self._offset_ns


def nearest_turn(time_us: Times, near_us: Times, period_us: int = EVT3_PERIOD_US) -> Times:
    """Return `time_us` plus whole periods, as close to `near_us` as possible.

    A process knows a wrapping clock only modulo its period: if it joined the stream one period
    later than another process, its times are one period behind. Times of two processes can be
    compared once those of one have been moved to the clock period of the other.

    Args:
        time_us: sensor time as unwrapped by another process; scalar or array.
        near_us: time of the same clock as unwrapped by this process; scalar or array.
        period_us: clock period; 0 if the clock does not wrap, and `time_us` is returned.
    """
    if not period_us:
        return time_us
    moved_us: Times = time_us + (near_us - time_us + period_us // 2) // period_us * period_us
    return moved_us
