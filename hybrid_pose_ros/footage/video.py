# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads video files: frames with their own times, upright according to the file's rotation tag."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')  # read once: errors are reported here

import cv2

from hybrid_pose_ros.errors import RecordingError

LOWEST_RATE_HZ = 10.0
LONGEST_GAP_US = 500_000
"""Maximum gap between two frames that is bridged by interpolation."""
COMPLETE = 0.95
"""Minimum fraction of the duration in the header that a complete video contains."""
REENCODE = 're-encode it, for example with `ffmpeg -i IN -vf fps=30 OUT.mp4`'


class Frame(NamedTuple):
    """One image of a camera."""

    t_us: int
    image: np.ndarray  # (H, W, 3) uint8, blue, green, red


class Video:
    """A video file; each iteration starts from the beginning."""

    def __init__(self, path: str | Path, *, slowed: float = 1.0):
        """Open the file.

        Args:
            path: video file of any format that OpenCV reads.
            slowed: factor by which the video is slower than the scene: 8 for a video recorded at
                240 and played at 30 frames per second.

        Raises:
            RecordingError: the file is not a video.
        """
        self.path = Path(path)
        self._slowed = slowed
        capture = self._opened()
        self._duration_us = 0.0
        rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if rate > 0.0 and count > 0.0:
            self._duration_us = 1e6 * count / rate
        capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; the first one is at time 0.

        Raises:
            RecordingError: the times do not increase or have a gap, the frame rate is too low, or
                the file is truncated. It is raised after all readable frames.
        """
        capture = self._opened()
        number, start_us, last_us = 0, 0.0, 0
        try:
            while True:
                read, image = capture.read()
                if not read:
                    break
                now_us = 1000.0 * capture.get(cv2.CAP_PROP_POS_MSEC)
                start_us = start_us if number else now_us
                before_us, last_us = last_us, round((now_us - start_us) / self._slowed)
                if number:
                    self._check_time(number, before_us, last_us)
                yield Frame(last_us, image)
                number += 1
        finally:
            capture.release()
        self._check_end(number, last_us)

    def _opened(self) -> cv2.VideoCapture:
        if not self.path.is_file():
            raise RecordingError(f'{self.path} does not exist')
        logged = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        cv2.utils.logging.setLogLevel(logged)
        if not capture.isOpened():
            raise RecordingError(f'{self.path} is not a video, or it is truncated: no frame can '
                                 'be read')
        return capture

    def _check_time(self, number: int, before_us: int, now_us: int) -> None:
        if now_us <= before_us:
            raise RecordingError(f'{self.path}: frame {number} at {1e-6 * now_us:.3f} s does not '
                                 f'follow the one at {1e-6 * before_us:.3f} s: {REENCODE}')
        if now_us - before_us > LONGEST_GAP_US:
            raise RecordingError(f'{self.path} has no frame from {1e-6 * before_us:.2f} to '
                                 f'{1e-6 * now_us:.2f} s: expected at least '
                                 f'{LOWEST_RATE_HZ:g} per second')

    def _check_end(self, frames: int, last_us: int) -> None:
        if frames < 2:
            raise RecordingError(f'{self.path} has {frames} frames: expected a video')
        rate_hz = 1e6 * (frames - 1) / last_us
        if rate_hz < LOWEST_RATE_HZ:
            raise RecordingError(f'{self.path} has {rate_hz:.1f} frames per second: expected at '
                                 f'least {LOWEST_RATE_HZ:g}, 30 or more are better')
        ends_us = last_us * self._slowed * frames / (frames - 1)
        if ends_us < COMPLETE * self._duration_us:
            raise RecordingError(f'{self.path} is truncated: it has {1e-6 * ends_us:.2f} of '
                                 f'{1e-6 * self._duration_us:.2f} s; cut it there, for example '
                                 'with `ffmpeg -i IN OUT.mp4`')
