# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Renders a recorded run as a video: the events of the last milliseconds with the skeleton."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from hybrid_pose_ros.errors import RecordingError
from hybrid_pose_ros.outputs import check_space
from hybrid_pose_ros.pose.presence import LEAST_PRESENCE, PersonPresence
from hybrid_pose_ros.recorded_runs.run_moments import Moment, run_moments, skeleton_of
from hybrid_pose_ros.visualization.overlay import draw_events, draw_skeleton, draw_text

WIDTH_PX = 692


def write_video(bag: Path, path: Path, *, fps: int = 25) -> int:
    """Write an MP4 that plays in real time of the sensor clock; return the number of frames.

    Raises:
        InputError: the bag has no events, or the video cannot be written.
    """
    writer, frames = None, 0
    try:
        for image in run_frames(bag, period_us=1_000_000 // fps):
            if writer is None:
                height, width = image.shape[:2]
                writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), fps,
                                         (width, height))
                if not writer.isOpened():
                    raise RecordingError(f'{path} cannot be written as MP4')
            check_space(path.parent)  # on a full disk, OpenCV would print an error per frame
            writer.write(image)
            frames += 1
    finally:
        if writer is not None:
            writer.release()
    if writer is None:
        raise RecordingError(f'{bag} has no events: there is nothing to show')
    return frames


def write_gif(bag: Path, path: Path, *, fps: int = 12, seconds: float = 6.0) -> int:
    """Write a GIF of the first seconds, for pages without videos; return the number of frames.

    Raises:
        RecordingError: the bag has no events.
    """
    from PIL import Image
    images = [Image.fromarray(image[:, :, ::-1]).quantize(32) for image in itertools.islice(
        run_frames(bag, period_us=1_000_000 // fps), round(fps * seconds))]
    if not images:
        raise RecordingError(f'{bag} has no events: there is nothing to show')
    images[0].save(path, save_all=True, append_images=images[1:], duration=1000 // fps, loop=0,
                   optimize=True)
    return len(images)


def run_frames(bag: Path, *, period_us: int) -> Iterator[np.ndarray]:
    """Yield an image (H, W, 3) uint8 BGR per period of sensor time that has a skeleton.

    A run without skeletons yields one image with the events of the first packets.
    """
    person = PersonPresence()
    for moment in run_moments(bag, period_us=period_us):
        pose = moment.pose
        presence = 0.0 if pose is None else person.update(pose.confidence, pose.sensor_time_us)
        if moment.events is not None:
            yield _frame(moment, moment.events, present=presence >= LEAST_PRESENCE)


def _frame(moment: Moment, events: np.ndarray, *, present: bool) -> np.ndarray:
    image, pose = _enlarged(events, moment.width, moment.height), moment.pose
    if pose is None:
        draw_text(image, 'no skeleton')
        return image
    if present:
        draw_skeleton(image, skeleton_of(pose), trained=pose.trained,
                      scale=image.shape[1] // pose.width, least_confidence=0.05)
    else:
        draw_text(image, 'nobody', 1)
    draw_text(image, f't = {pose.sensor_time_us * 1e-6:.3f} s   {1e6 / pose.step_us:.0f} Hz   '
                     f'state {pose.state_age_us * 1e-3:.0f} ms old')
    if not pose.trained:
        draw_text(image, 'untrained weights', 2)
    return image


def _enlarged(events: np.ndarray, width: int, height: int) -> np.ndarray:
    scale = max(1, WIDTH_PX // max(width, height))
    return cv2.resize(draw_events(events, width, height), None, fx=scale, fy=scale,
                      interpolation=cv2.INTER_NEAREST)
