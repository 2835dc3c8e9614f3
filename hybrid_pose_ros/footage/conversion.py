# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converts videos to labeled recordings."""

import dataclasses
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.footage.events import video_events
from hybrid_pose_ros.footage.labels import FrameLabels, label_frames
from hybrid_pose_ros.footage.placement import PictureFinder, Placement, placed
from hybrid_pose_ros.footage.recording import (
    SensorLabels, complete_file, write_recording, write_sheet)
from hybrid_pose_ros.footage.teacher import Teacher
from hybrid_pose_ros.footage.video import Frame, Video
from hybrid_pose_ros.simulation.scene_settings import SceneSettings


class VideoJob(NamedTuple):
    """One video to convert."""

    path: Path
    output: Path
    width: int  # of the sensor [px]
    height: int
    settings: Callable[[np.random.Generator], SceneSettings]  # only the sensor settings are used
    seed: int
    teacher: str | None  # Python of the teacher's environment; None: no labels
    slowed: float = 1.0
    overlay: bool = False

    def rng(self) -> np.random.Generator:
        """Return the random generator of this video, which is independent of the other videos."""
        return np.random.default_rng([self.seed, 32, zlib.crc32(self.path.name.encode())])


def convert_video(job: VideoJob) -> dict[str, Any]:
    """Write the recording of one video; return facts, or the reason for rejection as 'refused'."""
    try:
        return _converted(job)
    except InputError as error:
        return {'refused': str(error)}


def _converted(job: VideoJob) -> dict[str, Any]:
    began_s = time.process_time()
    video, finder = Video(job.path, slowed=job.slowed), PictureFinder()
    labels, teacher = None, ''
    if job.teacher is None:
        end_us = max(frame.t_us for frame in _watched(video, finder))
    else:
        with Teacher(job.teacher) as process:
            teacher = process.name
            labels = label_frames(_watched(video, finder), process.joints, source=str(job.path))
        end_us = int(labels.t[-1])
    placement = placed(finder.picture(), job.width, job.height)
    rng = job.rng()
    sensor = job.settings(rng).sensor
    origin = {'video': job.path.name, 'teacher': teacher, 'slowed': job.slowed, 'seed': job.seed,
              'sensor': dataclasses.asdict(sensor)}
    with complete_file(job.output) as partial:
        pieces = (piece.events for piece in video_events(video, placement, sensor, rng,
                                                         source=str(job.path)))
        events = write_recording(partial, job.width, job.height, pieces,
                                 labels and on_sensor(labels, placement), encoding='video',
                                 origin=origin)
        if labels and job.overlay:
            write_sheet(job.output.with_suffix('.png'), partial, video, labels)
    return {'output': str(job.output), 'duration_s': 1e-6 * end_us, 'events': events,
            'labels': len(labels.t) if labels else 0,
            'known_share': labels.known_share if labels else 0.0,
            'core_s': time.process_time() - began_s}


def on_sensor(labels: FrameLabels, placement: Placement) -> SensorLabels:
    """Return the labels in sensor pixels."""
    joints = placement.to_sensor(labels.joints_px)
    return SensorLabels(labels.t, joints, placement.contains(joints))


def _watched(frames: Iterable[Frame], finder: PictureFinder) -> Iterator[Frame]:
    """Yield the frames, passing each to the picture finder."""
    for frame in frames:
        finder.update(frame.image)
        yield frame
