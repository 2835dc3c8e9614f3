# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded run as a video: the events of the last milliseconds and the skeleton over them."""

import itertools
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from hybrid_pose_ros.errors import PacketError, RecordingError
from hybrid_pose_ros.events.event_array import no_events
from hybrid_pose_ros.events.packet_stream import PacketStream
from hybrid_pose_ros.pose.skeleton import Skeleton
from hybrid_pose_ros.recordings.bag_messages import bag_messages
from hybrid_pose_ros.recordings.event_packet_cdr import parse_event_packet
from hybrid_pose_ros.recordings.message_types import typestore
from hybrid_pose_ros.recordings.pose_topics import POSES, one_of, poses_of
from hybrid_pose_ros.visualization.overlay import draw_events, draw_skeleton, draw_text

EVENT_PACKET = 'event_camera_msgs/msg/EventPacket'
EVENTS_US = 20_000
WIDTH_PX = 692


def write_video(bag: Path, path: Path, *, fps: int = 25) -> int:
    """Write an MP4 in real time of the sensor's clock; return the number of frames.

    Raises:
        RecordingError: the bag holds no events, or the video cannot be written.
    """
    writer, frames = None, 0
    try:
        for image in run_frames(bag, period_us=1_000_000 // fps):
            if writer is None:
                height, width = image.shape[:2]
                writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), fps,
                                         (width, height))
                if not writer.isOpened():
                    raise RecordingError(f'{path} cannot be written as MP4')
            writer.write(image)
            frames += 1
    finally:
        if writer is not None:
            writer.release()
    if writer is None:
        raise RecordingError(f'{bag} holds no event: there is nothing to show')
    return frames


def write_gif(bag: Path, path: Path, *, fps: int = 12, seconds: float = 6.0) -> int:
    """Write a GIF of the first seconds, for a page that shows no videos; return its frames.

    Raises:
        RecordingError: the bag holds no events.
    """
    from PIL import Image
    images = [Image.fromarray(image[:, :, ::-1]).quantize(32) for image in itertools.islice(
        run_frames(bag, period_us=1_000_000 // fps), round(fps * seconds))]
    if not images:
        raise RecordingError(f'{bag} holds no event: there is nothing to show')
    images[0].save(path, save_all=True, append_images=images[1:], duration=1000 // fps, loop=0,
                   optimize=True)
    return len(images)


def run_frames(bag: Path, *, period_us: int) -> Iterator[np.ndarray]:
    """Yield an image (H, W, 3) uint8 BGR for each period of sensor time with a skeleton.

    Of a run without any skeleton, one image with the first packets' events.
    """
    store, stream = typestore(), PacketStream()
    batches: deque[np.ndarray] = deque()
    next_us = size = None
    for topic, type_name, _, cdr in bag_messages(bag):
        if type_name == EVENT_PACKET:
            try:
                packet = parse_event_packet(cdr)
                update = stream.update(packet)
            except PacketError:
                continue
            size = packet.width, packet.height
            if update.restarted:
                batches.clear()
                next_us = None
            if len(update.events):
                batches.append(update.events)
        elif one_of(topic, POSES):
            for pose in poses_of(topic, store.deserialize_cdr(cdr, type_name)):
                if next_us is None or pose.sensor_time_us >= next_us:
                    next_us = pose.sensor_time_us + period_us
                    yield _frame(pose, batches)
    if next_us is None and batches:
        image = _enlarged(np.concatenate(batches), *size)
        draw_text(image, 'no skeleton')
        yield image


def _frame(pose, batches: deque[np.ndarray]) -> np.ndarray:
    start_us = pose.sensor_time_us - EVENTS_US
    while batches and batches[0]['t'][-1] < start_us:
        batches.popleft()
    events = np.concatenate([no_events(), *batches])
    events = events[(events['t'] >= start_us) & (events['t'] < pose.sensor_time_us)]
    image = _enlarged(events, pose.width, pose.height)
    skeleton = Skeleton(pose.sensor_time_us, np.stack([pose.x_px, pose.y_px], axis=1),
                        pose.confidence, np.zeros((len(pose.x_px), 2), np.float32))
    draw_skeleton(image, skeleton, trained=pose.trained,
                  scale=image.shape[1] // pose.width, least_confidence=0.05)
    draw_text(image, f't = {pose.sensor_time_us * 1e-6:.3f} s   {1e6 / pose.step_us:.0f} Hz   '
                     f'state {pose.state_age_us * 1e-3:.0f} ms old')
    if not pose.trained:
        draw_text(image, 'untrained weights', 1)
    return image


def _enlarged(events: np.ndarray, width: int, height: int) -> np.ndarray:
    scale = max(1, WIDTH_PX // width)
    return cv2.resize(draw_events(events, width, height), None, fx=scale, fy=scale,
                      interpolation=cv2.INTER_NEAREST)
