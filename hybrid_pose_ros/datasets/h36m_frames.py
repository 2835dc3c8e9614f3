# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Input frames of the paper's ANN on Event-Human3.6M: color, gray, or counts of 7500 events.

    S1/upsample/Walking_1.54138969/imgs/*.png   gray, with their times [s] in timestamps.txt
    S1/Videos/Walking_1.54138969/imgs/*.png     color, 50 per second, in a folder of the videos
"""

import dataclasses
from pathlib import Path

import cv2
import numpy as np

from hybrid_pose_ros.datasets.h36m import SIZE, SequenceFiles
from hybrid_pose_ros.errors import InputError, RecordingError
from hybrid_pose_ros.model.presets import preset
from hybrid_pose_ros.representation.geometry import input_geometry
from hybrid_pose_ros.representation.stacked_histogram import stacked_histogram

KINDS = ('rgb', 'grayscale', 'count')
VIDEO_MS = 20
"""Interval between two images of a video."""


def frames_at(files: SequenceFiles, stamps_ms: list[int], kind: str,
              videos: Path | None = None) -> np.ndarray:
    """Return the input frames of the ANN at T times, (T, C, 256, 320) float32.

    Args:
        files: files of the sequence.
        stamps_ms: times [ms].
        kind: 'rgb', 3 channels from 0 to 1; 'grayscale', 1 channel from 0 to 255; 'count', 20
            channels of the last 7500 events before each time, or of all if there are fewer.
        videos: folder with the color images of the subjects, for 'rgb'.

    Raises:
        InputError: the kind is unknown, or the folder for 'rgb' is missing.
        RecordingError: the image for a time is missing or cannot be read.
    """
    if kind not in KINDS:
        raise InputError(f'unknown frames {kind!r}: choose from {", ".join(KINDS)}')
    if kind == 'count':
        return _counts(files, stamps_ms)
    if kind == 'grayscale':
        paths = _gray_images(files, stamps_ms)
        images = [_image(path, cv2.IMREAD_GRAYSCALE)[..., None] for path in paths]
        return np.stack(images).transpose(0, 3, 1, 2).astype(np.float32)
    if videos is None:
        raise InputError('color images are not stored with the events: name the video folder')
    paths = _color_images(files, stamps_ms, Path(videos))
    images = [_image(path, cv2.IMREAD_COLOR)[..., ::-1] for path in paths]
    return np.stack(images).transpose(0, 3, 1, 2) / np.float32(255)


def _counts(files: SequenceFiles, stamps_ms: list[int]) -> np.ndarray:
    whole = dataclasses.replace(preset('paper'), crop=SIZE)
    geometry = input_geometry(whole, *SIZE)
    recording, = files.load()
    ends = np.searchsorted(recording.events['t'], 1000 * np.asarray(stamps_ms))
    number = whole.ann.window_events
    return np.stack([
        stacked_histogram(recording.events[max(end - number, 0):end], geometry,
                          bins=whole.ann.bins) for end in ends]).astype(np.float32)


def _gray_images(files: SequenceFiles, stamps_ms: list[int]) -> list[Path]:
    images = sorted((files.folder / 'imgs').glob('*.png'))
    path = files.folder / 'timestamps.txt'
    try:
        times_ms = [round(1000 * float(word)) for word in path.read_text().split()]
    except (OSError, ValueError, OverflowError) as error:
        raise RecordingError(f'{path} is not a list of times in seconds: {error}') from error
    if len(times_ms) != len(images):
        raise RecordingError(f'{path} has {len(times_ms)} times for {len(images)} images')
    by_time = dict(zip(reversed(times_ms), reversed(images)))  # the first of equal times wins
    return [_known(by_time.get(stamp_ms), stamp_ms, path) for stamp_ms in stamps_ms]


def _color_images(files: SequenceFiles, stamps_ms: list[int], videos: Path) -> list[Path]:
    folder = videos / files.subject / 'Videos' / files.folder.name / 'imgs'
    images = dict(enumerate(sorted(folder.glob('*.png'))))
    return [_known(None if stamp_ms % VIDEO_MS else images.get(stamp_ms // VIDEO_MS), stamp_ms,
                   folder) for stamp_ms in stamps_ms]


def _known(path: Path | None, stamp_ms: int, source: Path) -> Path:
    if path is None:
        raise RecordingError(f'{source} has no image at {stamp_ms} ms')
    return path


def _image(path: Path, mode: int) -> np.ndarray:
    image = cv2.imread(str(path), mode)
    if image is None or image.shape[:2] != SIZE[::-1]:
        shape = 'none' if image is None else f'one of {image.shape[1]}x{image.shape[0]}'
        raise RecordingError(f'{path}: expected an image of {SIZE[0]}x{SIZE[1]} px, found {shape}')
    return image
