# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The packets of one topic as one stream of events: gaps, restarts and bad packets are facts.

What `seq` says of a packet:
- It advances by 1: the next packet. By more: packets were lost, and the decoder is informed.
- `seq` and stamp are those of the last packet: a duplicate, dropped.
- It was recently counted as lost, and the stamp is not newer: out of order, dropped.
- It stays: the sender does not number its packets; nothing is lost.
- It steps back otherwise, or jumps ahead past RESTART_JUMP: another run of the driver, or a bag
  that is played again. The decoder is reset.

Header stamps are the host's clock, which may be set at any time. As long as `seq` is contiguous,
they have no effect. After a gap they choose the turn of a clock that wraps, if they are plausible.
Sensor time that steps back by more than STEP_BACK_US is a restart of the sensor.
A bad packet leaves no trace but its count: the next one finds it missing, as if it were lost.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events.codecs import Decoded, PacketDecoder, check_payload
from hybrid_pose_ros.events.event_array import TRIGGER_DTYPE, no_events
from hybrid_pose_ros.events.packet import ENCODINGS, Packet

REORDER_WINDOW = 64
"""A packet that comes behind so many later ones counts as one of another run."""

RESTART_JUMP = 10_000_000
"""Packets lost in a row, 11 to 28 hours of them, after which the stream is taken as another run. A
recorder that is paused for ten minutes loses 150 000."""

STEP_BACK_US = 500_000
"""Times of one run go back by less: packets out of order, a host's clock that is adjusted."""

PERIOD_US, LONGEST_PERIOD_US = 4_000, 100_000
"""Sensor time between two packets: until the stream's own mean is known, and at most."""

STAMP_FACTOR = 10
"""Stamps around a gap are plausible if the lost packets took at most this many times longer or
shorter than packets of this stream do."""


class StreamUpdate(NamedTuple):
    """What one packet brought."""

    events: np.ndarray  # (N,) of EVENT_DTYPE, in decoding order
    triggers: np.ndarray  # (M,) of TRIGGER_DTYPE
    lost_packets: int  # missing between this packet and the last one, bad ones included
    restarted: bool  # first packet of another run: sensor time starts anew


@dataclass
class StreamCounts:
    """Totals since the stream was made."""

    packets: int = 0  # that arrived, whatever became of them
    bad_packets: int = 0  # dropped with a PacketError
    lost_packets: int = 0  # that did not arrive in time or were bad, by their seq
    duplicated: int = 0  # dropped
    out_of_order: int = 0  # dropped; they are among the lost ones too
    restarts: int = 0
    events: int = 0
    triggers: int = 0


class PacketStream:
    """Decodes the packets of one topic, in order of arrival.

    One stream follows one sensor: the first good packet decides the encoding and the size.
    """

    def __init__(self):
        """Begin with nothing known."""
        self.counts = StreamCounts()
        self._last: Packet | None = None  # the last one that was decoded
        self._decoder: PacketDecoder | None = None
        self._missing: set[int] = set()  # seq of packets that were lost lately and may still come
        self._last_us: int | None = None  # sensor time of the last event
        self._first_us = self._first_seq = 0  # of the first event of this run, and its packet

    def update(self, packet: Packet) -> StreamUpdate:
        """Return the events of a packet; none of a duplicate or one that is out of order.

        Raises:
            PacketError: the packet cannot be decoded, or is of another sensor than those before.
                It is counted, and the stream goes on with the next one.
        """
        self.counts.packets += 1
        try:
            self._check(packet)
            update = self._update(packet)
        except PacketError:
            self.counts.bad_packets += 1
            raise
        self.counts.lost_packets += update.lost_packets
        self.counts.restarts += update.restarted
        self.counts.events += len(update.events)
        self.counts.triggers += len(update.triggers)
        return update

    def _check(self, packet: Packet) -> None:
        if packet.encoding not in ENCODINGS:
            raise PacketError(f'encoding {packet.encoding!r} is not known: expected one of '
                              f'{", ".join(ENCODINGS)}')
        if self._last is not None and _sensor(packet) != _sensor(self._last):
            raise PacketError(f'packet {packet.seq} is {_sensor(packet)}, but the stream '
                              f'began with {_sensor(self._last)}: one topic carries one sensor')
        check_payload(packet.encoding, packet.payload, packet.time_base)

    def _update(self, packet: Packet) -> StreamUpdate:
        if self._last is None:
            return self._start(packet, restarted=False)
        step = packet.seq - self._last.seq
        elapsed_ns = packet.stamp_ns - self._last.stamp_ns
        if step == 0 and elapsed_ns == 0:
            self.counts.duplicated += 1
            return _nothing()
        if packet.seq in self._missing and -1000 * STEP_BACK_US <= elapsed_ns <= 0:
            self._missing.remove(packet.seq)
            self.counts.out_of_order += 1
            return _nothing()
        if not 0 <= step <= RESTART_JUMP:
            return self._start(packet, restarted=True)
        if step > 1:
            self._decoder.after_gap(self._gap_us(step, elapsed_ns // 1000))
        self._missing.update(_seqs_before(packet.seq, self._last.seq))
        self._missing = {seq for seq in self._missing if packet.seq - seq <= REORDER_WINDOW}
        decoded = self._decode(packet)
        return StreamUpdate(*decoded, max(step - 1, 0), self._clock_went_back(decoded))

    def _gap_us(self, step: int, elapsed_us: int) -> int:
        """Return the time between the last packet and one that is `step` packets later.

        The stamps give it, unless the host's clock was set meanwhile; then the packets do.
        """
        packets = 0 if self._last_us is None else self._last.seq - self._first_seq
        period_us = (self._last_us - self._first_us) / packets if packets else PERIOD_US
        expected_us = step * min(max(period_us, 1), LONGEST_PERIOD_US)
        plausible = expected_us <= STAMP_FACTOR * elapsed_us <= STAMP_FACTOR ** 2 * expected_us
        return elapsed_us if plausible else round(expected_us)

    def _start(self, packet: Packet, *, restarted: bool) -> StreamUpdate:
        self._decoder = PacketDecoder(packet.encoding, packet.width, packet.height)
        self._missing = set(_seqs_before(packet.seq))
        decoded = self._decode(packet)
        self._last_us = None
        self._clock_went_back(decoded)
        return StreamUpdate(*decoded, 0, restarted)

    def _decode(self, packet: Packet) -> Decoded:
        decoded = self._decoder.decode(packet.payload, packet.time_base)
        self._last = packet._replace(payload=b'')
        return decoded

    def _clock_went_back(self, decoded: Decoded) -> bool:
        """Return whether sensor time is before the last event's, and remember the new one's."""
        if not len(decoded.events):
            return False
        times_us = decoded.events['t']
        went_back = (self._last_us is not None
                     and times_us[0] < self._last_us - STEP_BACK_US)
        if self._last_us is None or went_back:
            self._first_us, self._first_seq = int(times_us[0]), self._last.seq
        self._last_us = int(times_us[-1])
        return bool(went_back)


def _sensor(packet: Packet) -> str:
    return f'{packet.encoding} of {packet.width}x{packet.height} px'


def _seqs_before(seq: int, last: int = -1) -> range:
    """Return the numbers between `last` and `seq`, the nearest REORDER_WINDOW of them."""
    return range(max(last + 1, seq - REORDER_WINDOW), seq)


def _nothing() -> StreamUpdate:
    return StreamUpdate(no_events(), np.empty(0, TRIGGER_DTYPE), 0, False)
