# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converts recordings and simulated scenes to a driver's packets with their times."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import PacketError
from hybrid_pose_ros.events.clock import EVT3_PERIOD_US
from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.playback.player_params import PlayerParams
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.gaps import LONGEST_GAP_US
from hybrid_pose_ros.recordings.hdf5 import LABEL_CENTER_PX, Hdf5Recording, Labels
from hybrid_pose_ros.recordings.recording import PacketRecording, Recording
from hybrid_pose_ros.simulation.camera import CAMERAS
from hybrid_pose_ros.simulation.scene import SimulatedScene


class GroundTruth(NamedTuple):
    """True joint positions at one instant."""

    stamp_us: int  # sensor time
    joints_px: np.ndarray  # (J, 2) float32
    visible: np.ndarray  # (J,) bool


class DuePacket(NamedTuple):
    """A packet and the time at which a driver would send it; its stamp is `due_us` in ns."""

    due_us: int  # time since the start of playback, in sensor time without long gaps
    packet: Packet
    truth: GroundTruth | None = None
    gap_us: int = 0  # length of the skipped gap before it, if any


class DuePart(NamedTuple):
    """The events for a packet to be encoded; fields as in `DuePacket`."""

    due_us: int
    events: np.ndarray
    truth: GroundTruth | None
    gap_us: int = 0


class _Playhead:
    """Converts sensor time to time since the start of playback, with long gaps closed."""

    def __init__(self, start_us: int):
        """Start at a sensor time."""
        self.due_us = 0
        self._start_us = self._latest_us = start_us

    def move(self, first_us: int, last_us: int) -> int:
        """Advance to a packet's first event; return the length of the skipped gap, if any."""
        gap_us = first_us - self._latest_us
        gap_us = gap_us if gap_us > LONGEST_GAP_US else 0
        self._start_us += max(0, gap_us - LONGEST_GAP_US)
        self._latest_us = max(self._latest_us, last_us)
        self.due_us = max(self.due_us, first_us - self._start_us)  # events may step back
        return gap_us

    def restart(self, first_us: int) -> None:
        """Continue without a pause after a restart of the sensor clock."""
        self._start_us, self._latest_us = first_us - self.due_us, first_us


def due_packets(params: PlayerParams) -> Iterator[DuePacket]:
    """Return the packets selected by the parameters, in order; files are opened immediately.

    Raises:
        RecordingError: there is no such recording, or its format is unknown.
    """
    period_us = round(1e6 / params.packets_per_s)
    if not params.recording:
        scene = SimulatedScene(camera=CAMERAS[params.camera], seed=params.seed,
                               duration_us=round(params.duration_s * 1e6) or None,
                               sensor=list(CAMERAS).index(params.camera))
        return simulated_packets(scene, period_us, params.frame_id)
    recording = open_recording(params.recording, params.topic or None)
    if isinstance(recording, PacketRecording):
        return recorded_packets(recording)
    return encoded_packets(recording, period_us, params.frame_id)


def recorded_packets(recording: PacketRecording) -> Iterator[DuePacket]:
    """Yield a bag's packets as recorded, spaced by the times of their first events.

    Header stamps are ignored, since they are from a host whose clock may have been set, or which
    read a file faster than real time. A packet without events is due at the same time as the
    previous one.
    """
    stream, head, restarted = PacketStream(), None, False
    for packet in recording.packets():
        gap_us = 0
        with suppress(PacketError):  # bad packets are published, too
            update = stream.update(packet)
            restarted |= update.restarted
            times_us = (update.events if len(update.events) else update.triggers)['t']
            if len(times_us):
                first_us, last_us = int(times_us[0]), int(times_us[-1])
                if head is None:
                    head = _Playhead(first_us)
                elif restarted:
                    head.restart(first_us)
                restarted = False
                gap_us = head.move(first_us, last_us)
        due_us = 0 if head is None else head.due_us
        yield DuePacket(due_us, packet._replace(stamp_ns=1000 * due_us), gap_us=gap_us)


def encoded_packets(recording: Recording, period_us: int, frame_id: str) -> Iterator[DuePacket]:
    """Yield a recording's events as EVT3 packets, one per period of sensor time.

    A label at the end of a packet is attached as ground truth.
    """
    labels = recording.labels() if isinstance(recording, Hdf5Recording) else None

    def pieces() -> Iterator[DuePart]:
        head, before_us = None, 0
        for events in recording.event_chunks(period_us):
            index = int(events['t'].max()) // period_us
            if head is None:
                head = _Playhead(index * period_us)
                # An EVT3 decoder starts in the first period of the clock.
                before_us = index * period_us // EVT3_PERIOD_US * EVT3_PERIOD_US
            end_us = (index + 1) * period_us
            gap_us = head.move(end_us, end_us)
            truth = None if labels is None else _truth(labels, end_us, before_us)
            yield DuePart(head.due_us, events, truth, gap_us)
    yield from _packets(pieces(), recording.width, recording.height, frame_id)


def _truth(labels: Labels, stamp_us: int, before_us: int) -> GroundTruth | None:
    """Return the label at a time, or None."""
    at = np.searchsorted(labels.t, stamp_us)
    if at == len(labels.t) or labels.t[at] != stamp_us:
        return None
    return GroundTruth(stamp_us - before_us, labels.joints_px[at] - np.float32(LABEL_CENTER_PX),
                       labels.visible[at])


def simulated_packets(scene: SimulatedScene, period_us: int, frame_id: str) -> Iterator[DuePacket]:
    """Yield a scene's events as EVT3 packets, one per period or slice, whichever is longer."""
    def pieces() -> Iterator[DuePart]:
        pending: list[np.ndarray] = []
        due_us = period_us
        for part in scene:
            pending.append(part.events)
            if part.end_us >= due_us:
                labels = part.labels
                truth = GroundTruth(int(labels.t[-1]), labels.joints_px[-1] - LABEL_CENTER_PX,
                                    labels.visible[-1])
                yield DuePart(part.end_us, np.concatenate(pending), truth)
                pending = []
                due_us = part.end_us + period_us
    yield from _packets(pieces(), scene.camera.width, scene.camera.height, frame_id)


def _packets(parts: Iterable[DuePart], width: int, height: int, frame_id: str
             ) -> Iterator[DuePacket]:
    encoder = Evt3Encoder(width, height)
    for seq, (due_us, events, truth, gap_us) in enumerate(parts):
        yield DuePacket(due_us, Packet(
            stamp_ns=1000 * due_us, frame_id=frame_id, width=width, height=height, seq=seq,
            time_base=0, encoding='evt3', payload=encoder.encode(events)), truth, gap_us)
