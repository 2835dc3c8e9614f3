# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turns the packets of a topic into a stream of events; reports gaps, restarts and bad packets.

Meaning of `seq`:
- It increases by 1: this is the next packet. By more: packets were lost; the decoder is notified.
- `seq` and stamp equal those of the last packet: this is a duplicate, which is dropped.
- It was recently counted as lost, and the stamp is not newer: out of order, dropped.
- It is constant: the sender does not number its packets, and losses are not detected.
- It steps back otherwise, or jumps ahead by more than RESTART_JUMP: the driver was restarted or a
  bag was restarted. The decoder is reset.

Header stamps are on the host clock, which can be set at any time. They have no effect as long as
`seq` is contiguous. After a gap they select the period of a wrapping clock, if they are plausible.
A step back in sensor time by more than STEP_BACK_US is a restart of the sensor. A bad packet is
only counted; for the next packet, it is a lost one.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events.codec import Decoded
from hybrid_pose_ros.events.codecs import PACKET_ENCODINGS, PacketDecoder, check_payload
from hybrid_pose_ros.events.event_array import TRIGGER_DTYPE, no_events
from hybrid_pose_ros.events.packet import Packet

REORDER_WINDOW = 64
"""A packet that arrives after this many later ones belongs to another run."""

RESTART_JUMP = 10_000_000
"""Number of consecutive lost packets (11 to 28 hours) above which the stream counts as another
run. A recorder that is paused for ten minutes loses 150 000."""

STEP_BACK_US = 500_000
"""Maximum step back within a run, due to packets out of order or adjustments of the host clock."""

PERIOD_US, LONGEST_PERIOD_US = 4_000, 100_000
"""Sensor time between two packets: initial estimate and maximum."""

STAMP_FACTOR = 10
"""Stamps around a gap are plausible if the time per lost packet is within this factor of the
stream's mean."""


class StreamUpdate(NamedTuple):
    """Result of one packet."""

    events: np.ndarray  # (N,) of EVENT_DTYPE, in decoding order
    triggers: np.ndarray  # (M,) of TRIGGER_DTYPE
    lost_packets: int  # between the last packet and this one, including bad ones
    restarted: bool  # first packet of another run: sensor time restarts


@dataclass
class StreamCounts:
    """Totals since the stream was created."""

    packets: int = 0  # received, including dropped ones
    bad_packets: int = 0  # dropped with a PacketError
    lost_packets: int = 0  # bad or not received in time, according to seq
    duplicated: int = 0  # dropped
    out_of_order: int = 0  # dropped; also counted as lost
    restarts: int = 0
    events: int = 0
    triggers: int = 0


class PacketStream:
    """Decodes the packets of one topic in order of arrival.

    A stream has one sensor: the first valid packet determines the encoding and sensor size.
    """

    def __init__(self) -> None:
        """Start without packets."""
        self.counts = StreamCounts()
        self._run: _Run | None = None  # None before the first packet

    def update(self, packet: Packet) -> StreamUpdate:
        """Return the events of a packet; none if it is a duplicate or out of order.

        Raises:
            PacketError: the packet cannot be decoded or is from another sensor. It is counted, and
                the stream continues with the next packet.
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
        if packet.encoding not in PACKET_ENCODINGS:
            raise PacketError(f'unknown encoding {packet.encoding!r}: expected one of '
                              f'{", ".join(PACKET_ENCODINGS)}')
        if self._run is not None and _sensor(packet) != _sensor(self._run.last):
            raise PacketError(f'packet {packet.seq} is {_sensor(packet)}, but the stream started '
                              f'with {_sensor(self._run.last)}: one topic carries one sensor')
        check_payload(packet.encoding, packet.payload, packet.time_base)

    def _update(self, packet: Packet) -> StreamUpdate:
        run = self._run
        if run is None:
            return self._start(packet, restarted=False)
        step = packet.seq - run.last.seq
        elapsed_ns = packet.stamp_ns - run.last.stamp_ns
        if step == 0 and elapsed_ns == 0:
            self.counts.duplicated += 1
            return _nothing()
        if packet.seq in run.missing and -1000 * STEP_BACK_US <= elapsed_ns <= 0:
            run.missing.remove(packet.seq)
            self.counts.out_of_order += 1
            return _nothing()
        if not 0 <= step <= RESTART_JUMP:
            return self._start(packet, restarted=True)
        decoded, went_back = run.update(packet, step, elapsed_ns // 1000)
        return StreamUpdate(*decoded, max(step - 1, 0), went_back)

    def _start(self, packet: Packet, *, restarted: bool) -> StreamUpdate:
        run = _Run(packet)
        decoded = run.start(packet)
        self._run = run
        return StreamUpdate(*decoded, 0, restarted)


class _Run:
    """The packets of a driver from its start to its end or restart."""

    def __init__(self, first: Packet):
        self.last = first._replace(payload=b'')  # last decoded packet
        self.missing = set(_seqs_before(first.seq))  # recently lost; they may still arrive
        self._decoder = PacketDecoder(first.encoding, first.width, first.height)
        self._first_us, self._first_seq = 0, first.seq  # first event, and its packet
        self._last_us: int | None = None  # sensor time of the last event

    def start(self, packet: Packet) -> Decoded:
        """Decode the first packet."""
        decoded = self._decode(packet)
        self._clock_went_back(decoded)
        return decoded

    def update(self, packet: Packet, step: int, elapsed_us: int) -> tuple[Decoded, bool]:
        """Decode a packet; return its contents, and whether sensor time stepped back before it.

        Args:
            packet: the packet.
            step: difference of its seq to that of the last one; 0 or more.
            elapsed_us: difference of its stamp to that of the last one.
        """
        if step > 1:
            self._decoder.after_gap(self._gap_us(step, elapsed_us))
        self.missing.update(_seqs_before(packet.seq, self.last.seq))
        self.missing = {seq for seq in self.missing if packet.seq - seq <= REORDER_WINDOW}
        decoded = self._decode(packet)
        return decoded, self._clock_went_back(decoded)

    def _gap_us(self, step: int, elapsed_us: int) -> int:
        """Return the time from the last packet to the one `step` packets later.

        It is the difference of the stamps, or an estimate if the host clock was set in between.
        """
        packets, period_us = self.last.seq - self._first_seq, float(PERIOD_US)
        if self._last_us is not None and packets:
            period_us = (self._last_us - self._first_us) / packets
        expected_us = step * min(max(period_us, 1), LONGEST_PERIOD_US)
        plausible = expected_us <= STAMP_FACTOR * elapsed_us <= STAMP_FACTOR ** 2 * expected_us
        return elapsed_us if plausible else round(expected_us)

    def _decode(self, packet: Packet) -> Decoded:
        decoded = self._decoder.decode(packet.payload, packet.time_base)
        self.last = packet._replace(payload=b'')
        return decoded

    def _clock_went_back(self, decoded: Decoded) -> bool:
        """Return whether sensor time has stepped back since the last event; store the new time."""
        if not len(decoded.events):
            return False
        times_us = decoded.events['t']
        went_back = (self._last_us is not None
                     and times_us[0] < self._last_us - STEP_BACK_US)
        if self._last_us is None or went_back:
            self._first_us, self._first_seq = int(times_us[0]), self.last.seq
        self._last_us = int(times_us[-1])
        return bool(went_back)


def _sensor(packet: Packet) -> str:
    return f'{packet.encoding} of {packet.width}x{packet.height} px'


def _seqs_before(seq: int, last: int = -1) -> range:
    """Return the numbers between `last` and `seq`, limited to the last REORDER_WINDOW."""
    return range(max(last + 1, seq - REORDER_WINDOW), seq)


def _nothing() -> StreamUpdate:
    return StreamUpdate(no_events(), np.empty(0, TRIGGER_DTYPE), 0, False)
