# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the events of a bag with labels that a teacher derives from its images."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.datasets.dataset_recording import inside_image
from hybrid_pose_ros.errors import InputError, PacketError
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.footage.bag_frames import BagFrames, image_topic
from hybrid_pose_ros.footage.labels import FrameLabels, label_frames
from hybrid_pose_ros.footage.recording import (
    SensorLabels, complete_file, write_recording, write_sheet)
from hybrid_pose_ros.footage.second_camera import SecondCamera
from hybrid_pose_ros.footage.teacher import Teacher
from hybrid_pose_ros.recordings.event_bag import EventBag

DEPTH_ERROR_M = 0.3
"""Half the depth of a person with outstretched arms: joints may be nearer or farther by this."""


class BagJob(NamedTuple):
    """One bag to label."""

    path: Path
    output: Path
    teacher: str  # Python of the teacher's environment
    topic: str | None = None  # of the events
    images: str | None = None  # topic of the images
    camera: SecondCamera | None = None  # None: images and events have the same pixels
    delay_us: int = 0
    overlay: bool = False


class BagEvents(NamedTuple):
    """All events of a bag, and the offset of the sensor clock from the host clock."""

    events: np.ndarray  # of EVENT_DTYPE, in order of time
    offset_ns: int  # host time minus sensor time


def label_bag(job: BagJob, progress: Callable[[int], None] = lambda t_us: None) -> dict[str, Any]:
    """Write the labeled recording of a bag; return facts about it.

    Args:
        job: the bag.
        progress: called with the sensor time of each frame [us].

    Raises:
        InputError: the bag has no events or no images, their clocks differ, the images show
            nobody, or the teacher fails.
    """
    source = EventBag(job.path, job.topic)
    topic = image_topic(job.path, job.images)
    events, offset_ns = bag_events(source)
    span_us = int(events['t'][0]), int(events['t'][-1])
    frames = BagFrames(job.path, topic, events_us=span_us, offset_ns=offset_ns,
                       delay_us=job.delay_us)
    _check_size(next(iter(frames)).image, topic, source, job.camera)
    with Teacher(job.teacher) as teacher:
        found = label_frames(frames, teacher.joints, source=f'{topic} of {job.path}',
                             progress=progress)
    labels = _within(_on_sensor(found, job.camera, source), span_us)
    if len(labels.t) < 2:
        raise InputError(f'{job.path}: {len(labels.t)} images of {topic} are within the events: '
                         'expected at least two')
    origin = {'bag': job.path.name, 'images': topic, 'teacher': teacher.name,
              'delay_us': job.delay_us}
    if job.camera is not None:
        origin['distance_m'] = job.camera.distance_m
    with complete_file(job.output) as partial:
        write_recording(partial, source.width, source.height, [events], labels,
                        encoding=source.encoding, origin=origin)
        if job.overlay:
            write_sheet(job.output.with_suffix('.png'), partial, frames, found)
    facts = {'output': str(job.output), 'duration_s': 1e-6 * (span_us[1] - span_us[0]),
             'events': len(events), 'labels': len(labels.t),
             'known_share': float(np.isfinite(labels.joints_px).all(axis=-1).mean())}
    if job.camera is not None:
        facts |= {'depth_error_m': DEPTH_ERROR_M, 'distance_m': job.camera.distance_m,
                  'parallax_px': job.camera.parallax_px(found.joints_px, DEPTH_ERROR_M)}
    return facts


def bag_events(source: EventBag) -> BagEvents:
    """Return all events of a bag.

    Raises:
        InputError: the bag has no events, or the sensor was restarted.
        RecordingError: the bag is damaged.
    """
    stream, pieces, offsets_ns = PacketStream(), [], []
    for packet in source.packets():
        with suppress(PacketError):
            events = stream.update(packet).events
            if len(events):
                pieces.append(events)
                offsets_ns.append(packet.stamp_ns - 1000 * int(events['t'][0]))
    if not pieces:
        raise InputError(f'{source.path} has packets of {source.topic}, but no events')
    if stream.counts.restarts:
        raise InputError(f'{source.path}: the sensor was restarted {stream.counts.restarts} '
                         'times: expected one run of its clock')
    events = np.concatenate(pieces)
    return BagEvents(events[np.argsort(events['t'], kind='stable')], min(offsets_ns))


def _check_size(image: np.ndarray, topic: str, source: EventBag,
                camera: SecondCamera | None) -> None:
    height, width = image.shape[:2]
    expected = ((source.width, source.height) if camera is None
                else (camera.frames.width, camera.frames.height))
    if (width, height) != expected:
        raise InputError(
            f'{topic} has {width}x{height} px, expected {expected[0]}x{expected[1]} as of the '
            + ('event sensor: for a second camera pass --rig' if camera is None else 'rig'))
    if camera is not None and (camera.events.width, camera.events.height) != (source.width,
                                                                              source.height):
        raise InputError(f'the event sensor has {source.width}x{source.height} px, camera '
                         f'{camera.events.name} of the rig {camera.events.width}x'
                         f'{camera.events.height}')


def _on_sensor(labels: FrameLabels, camera: SecondCamera | None, source: EventBag
               ) -> SensorLabels:
    joints = labels.joints_px if camera is None else camera.to_sensor(labels.joints_px)
    return SensorLabels(labels.t, joints, inside_image(joints, source.width, source.height))


def _within(labels: SensorLabels, span_us: tuple[int, int]) -> SensorLabels:
    """Return the labels within the time span of the events."""
    kept = (labels.t >= span_us[0]) & (labels.t <= span_us[1])
    return SensorLabels(*(field[kept] for field in labels))
