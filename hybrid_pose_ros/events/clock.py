# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sensor time to ROS time: the one place where the two meet.

Three clocks: the sensor's own microseconds, the host's wall clock in the packets' header stamps,
and the time at which a recorder wrote. A stamp is the host's time at which a packet's first bytes
arrived, so stamp - first event is the offset of the clocks plus a delay that is never negative:
the smallest of the last packets comes nearest to the offset. The drivers' chunks (4 to 12 ms) stay
in it, as nothing in a packet tells how long its first event waited. The offset in use goes back by
small steps only, so that stamps of successive time bins never step back.
"""

from collections import deque

SLEW_NS = 50_000
"""The offset goes back by at most this much a packet: less than the shortest time bin."""

JUMP_NS = 200_000_000
"""An offset that is further away than this is another clock: it is taken at once."""


EVT3_PERIOD_US = 1 << 24
"""EVT3 counts microseconds in 24 bits: its clock wraps every 16.8 s."""


class SensorClock:
    """Maps sensor time to the host's time, by the least delayed of the last `window` packets."""

    def __init__(self, window: int = 512):
        """Begin with an unknown offset."""
        self._offsets_ns: deque[int] = deque(maxlen=window)
        self._offset_ns: int | None = None

    def update(self, stamp_ns: int, first_event_us: int) -> None:
        """Take in a packet's header stamp and the sensor time of its first event."""
        offset_ns = stamp_ns - 1000 * first_event_us
        if not self._offsets_ns or abs(offset_ns - self._offset_ns) > JUMP_NS:
            self._offsets_ns.clear()
            self._offset_ns = offset_ns
        self._offsets_ns.append(offset_ns)
        way_ns = min(self._offsets_ns) - self._offset_ns
        self._offset_ns += max(-SLEW_NS, way_ns)

    def restart(self) -> None:
        """Take the next packet's offset at once: the sensor's clock began anew."""
        self._offsets_ns.clear()

    def to_ros_ns(self, sensor_us: int) -> int:
        """Return the host's time [ns] at a sensor time [us].

        Raises:
            RuntimeError: no packet has been seen.
        """
        if self._offset_ns is None:
            raise RuntimeError('the clocks can only be related after the first packet')
        return 1000 * sensor_us + self._offset_ns


def nearest_turn(time_us: int, near_us: int, period_us: int = EVT3_PERIOD_US) -> int:
    """Return `time_us`, whole periods added or subtracted, as close to `near_us` as possible.

    A process knows a wrapping clock only modulo its period: one that joined the stream a turn
    later is whole periods behind. Times of two processes are comparable once one of them has been
    brought to the turn of the other. Works on arrays as well as on integers.

    Args:
        time_us: sensor time as another process unwrapped it.
        near_us: sensor time of the same clock, as it is unwrapped here.
        period_us: length of a turn; 0 where the clock does not wrap, and `time_us` is returned.
    """
    if not period_us:
        return time_us
    return time_us + (near_us - time_us + period_us // 2) // period_us * period_us
