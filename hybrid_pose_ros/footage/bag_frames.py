# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images of a bag as frames in sensor time of its event camera."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hybrid_pose_ros.errors import InputError, RecordingError
from hybrid_pose_ros.footage.video import Frame
from hybrid_pose_ros.recordings.bag_messages import BagMessage, bag_messages, bag_topics
from hybrid_pose_ros.recordings.message_types import typestore

RAW, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'

ENCODINGS = {
    'mono8': (np.uint8, 1, cv2.COLOR_GRAY2BGR), '8UC1': (np.uint8, 1, cv2.COLOR_GRAY2BGR),
    'mono16': (np.uint16, 1, cv2.COLOR_GRAY2BGR), '16UC1': (np.uint16, 1, cv2.COLOR_GRAY2BGR),
    'bgr8': (np.uint8, 3, None), '8UC3': (np.uint8, 3, None),
    'rgb8': (np.uint8, 3, cv2.COLOR_RGB2BGR), 'rgb16': (np.uint16, 3, cv2.COLOR_RGB2BGR),
    'bgr16': (np.uint16, 3, None),
    'bgra8': (np.uint8, 4, cv2.COLOR_BGRA2BGR), 'rgba8': (np.uint8, 4, cv2.COLOR_RGBA2BGR),
    'bayer_rggb8': (np.uint8, 1, cv2.COLOR_BayerRGGB2BGR),
    'bayer_bggr8': (np.uint8, 1, cv2.COLOR_BayerBGGR2BGR),
    'bayer_gbrg8': (np.uint8, 1, cv2.COLOR_BayerGBRG2BGR),
    'bayer_grbg8': (np.uint8, 1, cv2.COLOR_BayerGRBG2BGR)}
"""Value type, channels and conversion of each image encoding."""


def image_topic(bag: Path, wanted: str | None) -> str:
    """Return the name of the image topic.

    Raises:
        RecordingError: there is no image topic, or there are several and `wanted` names none of
            them.
    """
    types = bag_topics(bag)
    found = sorted(topic for topic, kind in types.items() if kind in (RAW, COMPRESSED))
    if not found:
        raise RecordingError(f'{bag} has no images ({RAW} or CompressedImage), only '
                             f'{", ".join(sorted(types)) or "no topics"}: record the image topic '
                             'of the camera as well')
    if wanted is None and len(found) > 1:
        raise RecordingError(f'{bag} has several image topics, choose one with --image-topic: '
                             f'{", ".join(found)}')
    if wanted is not None and wanted not in found:
        raise RecordingError(f'{bag} has no image topic {wanted}, only {", ".join(found)}')
    return wanted or found[0]


class BagFrames:
    """The images of a topic; each iteration starts from the beginning."""

    def __init__(self, bag: Path, topic: str, *, events_us: tuple[int, int], offset_ns: int,
                 delay_us: int = 0):
        """Determine the clock of the stamps: the sensor's, as for a DAVIS, or the host's.

        Args:
            bag: bag folder or file.
            topic: topic of the images.
            events_us: sensor time of the first and last event.
            offset_ns: host time minus sensor time.
            delay_us: time from the middle of the exposure to the stamp.

        Raises:
            RecordingError: the stamps match neither clock.
        """
        self._bag, self._topic = bag, topic
        stamps_ns = np.array([_stamp_ns(message.header) for message in self._messages()], np.int64)
        for origin_ns in (0, offset_ns):
            times_us = (stamps_ns - origin_ns) // 1000 - delay_us
            if ((times_us >= events_us[0]) & (times_us <= events_us[1])).mean() > 0.5:
                self._origin_ns = origin_ns + 1000 * delay_us
                return
        first, last = (1e-9 * int(stamps_ns[index]) for index in (0, -1))
        raise RecordingError(
            f'{bag}: the stamps of {topic} are from {first:.3f} to {last:.3f} s, the events from '
            f'{1e-6 * events_us[0]:.3f} to {1e-6 * events_us[1]:.3f} s of the sensor\'s clock and '
            f'{1e-9 * (offset_ns + 1000 * events_us[0]):.3f} to '
            f'{1e-9 * (offset_ns + 1000 * events_us[1]):.3f} s of the host\'s: expected both on '
            'one clock')

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order of time, with 8-bit images."""
        before_us = None
        for message in self._messages():
            t_us = (_stamp_ns(message.header) - self._origin_ns) // 1000
            if before_us is None or t_us > before_us:
                yield Frame(t_us, self._image(message))
                before_us = t_us

    def _messages(self) -> Iterator[Any]:
        empty = True
        for message in bag_messages(self._bag, [self._topic]):
            empty = False
            yield self._deserialized(message)
        if empty:
            raise RecordingError(f'{self._bag} has no messages of {self._topic}')

    def _deserialized(self, message: BagMessage) -> Any:
        try:
            return typestore().deserialize_cdr(message.cdr, message.type)
        except Exception as error:  # errors of struct, NumPy and rosbags have no common base class
            raise RecordingError(f'{self._bag}: {len(message.cdr)} bytes of {self._topic} are not '
                                 f'a {message.type}') from error

    def _image(self, message: Any) -> np.ndarray:
        """Return the image in a message, (H, W, 3) uint8 BGR."""
        try:
            return compressed(message) if hasattr(message, 'format') else raw(message)
        except InputError as error:
            raise RecordingError(f'{self._bag}: {self._topic}: {error}') from error


def _stamp_ns(header: Any) -> int:
    return 1_000_000_000 * header.stamp.sec + header.stamp.nanosec


def compressed(message: Any) -> np.ndarray:
    """Return the image in a CompressedImage, (H, W, 3) uint8 BGR.

    Raises:
        InputError: the data cannot be decoded.
    """
    image = cv2.imdecode(np.asarray(message.data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f'an image of format {message.format!r:.40} cannot be decoded')
    return image


def raw(message: Any) -> np.ndarray:
    """Return the image in an Image, (H, W, 3) uint8 BGR; of 16-bit values, the upper 8 bits.

    Raises:
        InputError: the encoding is unknown or the size is wrong.
    """
    if message.encoding not in ENCODINGS:
        raise InputError(f'unknown image encoding {message.encoding!r:.40}: expected one of '
                         f'{", ".join(ENCODINGS)}')
    kind, channels, conversion = ENCODINGS[message.encoding]
    kind = np.dtype(kind).newbyteorder('>' if message.is_bigendian else '<')
    row_bytes = message.width * channels * kind.itemsize
    if not row_bytes or message.step < row_bytes \
            or len(message.data) < message.step * message.height or not message.height:
        raise InputError(f'{len(message.data)} bytes are not an image of '
                         f'{message.width}x{message.height} px in {message.encoding}')
    rows = np.asarray(message.data, np.uint8)[:message.step * message.height].reshape(
        message.height, message.step)[:, :row_bytes]
    image = np.ascontiguousarray(rows).view(kind).reshape(message.height, message.width, channels)
    if kind.itemsize == 2:
        image = (image >> 8).astype(np.uint8)
    return image if conversion is None else cv2.cvtColor(image, conversion)
