# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings and simulated scenes as the packets that a driver would send, with their times."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.events.evt3_encoder import Evt3Encoder
from hybrid_pose_ros.events.packet import Packet
from hybrid_pose_ros.recordings.formats import open_recording
from hybrid_pose_ros.recordings.hdf5 import LABEL_CENTER_PX, Hdf5Recording, Labels
from hybrid_pose_ros.recordings.player_params import PlayerParams
from hybrid_pose_ros.recordings.recording import PacketRecording, Recording
from hybrid_pose_ros.simulation.camera import CAMERAS
from hybrid_pose_ros.simulation.scene import SimulatedScene


CLOCK_US = 1 << 24
"""After which EVT3's clock begins anew."""


class GroundTruth(NamedTuple):
    """Where the joints really are at one instant."""

    stamp_us: int  # sensor time
    joints_px: np.ndarray  # (J, 2) float32
    visible: np.ndarray  # (J,) bool


class DuePacket(NamedTuple):
    """A packet and when a driver would send it. Its stamp is `due_us` in ns, from 0."""

    due_us: int  # since the start of the playback
    packet: Packet
    truth: GroundTruth | None = None


def due_packets(params: PlayerParams) -> Iterator[DuePacket]:
    """Return the packets that the parameters ask for, in order; a file is opened at once.

    Raises:
        RecordingError: there is no such recording, or of no format that is known.
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
    """Yield a bag's packets as they were recorded, at the distances of their header stamps."""
    first_ns = None
    due_us = 0
    for packet in recording.packets():
        first_ns = packet.stamp_ns if first_ns is None else first_ns
        due_us = max(due_us, (packet.stamp_ns - first_ns) // 1000)  # a stamp may step back
        yield DuePacket(due_us, packet._replace(stamp_ns=1000 * due_us))


def encoded_packets(recording: Recording, period_us: int, frame_id: str) -> Iterator[DuePacket]:
    """Yield a recording's events in EVT3 packets, one a period of the sensor's clock.

    Where a recording of ours has a label of a packet's end, it goes along as the truth.
    """
    labels = recording.labels() if isinstance(recording, Hdf5Recording) else None

    def pieces():
        first = None
        for events in recording.event_chunks(period_us):
            index = int(events['t'].max()) // period_us
            first = index if first is None else first
            truth = None
            if labels is not None:
                # EVT3 forgets the sensor's clock above CLOCK_US; who reads it begins below.
                before_us = first * period_us // CLOCK_US * CLOCK_US
                truth = _truth(labels, (index + 1) * period_us, before_us)
            yield (index - first + 1) * period_us, events, truth
    yield from _packets(pieces(), recording.width, recording.height, frame_id)


def _truth(labels: Labels, stamp_us: int, before_us: int) -> GroundTruth | None:
    """Return the label of a time; None where there is none."""
    at = np.searchsorted(labels.t, stamp_us)
    if at == len(labels.t) or labels.t[at] != stamp_us:
        return None
    return GroundTruth(stamp_us - before_us, labels.joints_px[at] - np.float32(LABEL_CENTER_PX),
                       labels.visible[at])


def simulated_packets(scene: SimulatedScene, period_us: int, frame_id: str) -> Iterator[DuePacket]:
    """Yield a scene's events in EVT3 packets, one a period or a slice, whichever is longer."""
    def pieces():
        pending: list[np.ndarray] = []
        due_us = period_us
        for part in scene:
            pending.append(part.events)
            if part.end_us >= due_us:
                labels = part.labels
                truth = GroundTruth(int(labels.t[-1]), labels.joints_px[-1] - LABEL_CENTER_PX,
                                    labels.visible[-1])
                yield part.end_us, np.concatenate(pending), truth
                pending = []
                due_us = part.end_us + period_us
    yield from _packets(pieces(), scene.camera.width, scene.camera.height, frame_id)


def _packets(pieces: Iterable[tuple[int, np.ndarray, GroundTruth | None]], width: int,
             height: int, frame_id: str) -> Iterator[DuePacket]:
    encoder = Evt3Encoder(width, height)
    for seq, (due_us, events, truth) in enumerate(pieces):
        yield DuePacket(due_us, Packet(
            stamp_ns=1000 * due_us, frame_id=frame_id, width=width, height=height, seq=seq,
            time_base=0, encoding='evt3', payload=encoder.encode(events)), truth)
