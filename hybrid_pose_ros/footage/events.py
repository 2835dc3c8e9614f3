# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events of a simulated sensor (`simulation.sensor`) that observes a video."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.events.event_array import EVENT_DTYPE
from hybrid_pose_ros.footage.interpolation import Flow, Gap, averaged
from hybrid_pose_ros.footage.placement import Placement
from hybrid_pose_ros.footage.video import Frame
from hybrid_pose_ros.simulation.sensor import Sensor, SensorSettings

STEP_PX = 0.7
"""Maximum motion between two images passed to the sensor [px], as for simulated scenes."""
STEP_US = 4_000
"""Maximum time between two images."""
MOST_STEPS = 250
"""Maximum number of images between two frames, however fast the motion."""
PIECE_US = 1_000_000
BLOCK_PX = 32
QUIET_SHARE = 0.25
"""The noise of a picture is measured in this fraction of its blocks, the quietest ones."""


class Piece(NamedTuple):
    """Events of [start_us, end_us)."""

    start_us: int
    end_us: int
    events: np.ndarray  # (N,) EVENT_DTYPE, sorted by time


def video_events(frames: Iterable[Frame], placement: Placement, settings: SensorSettings,
                 rng: np.random.Generator, *, source: str) -> Iterator[Piece]:
    """Yield the events of the sensor in pieces of about one second.

    Args:
        frames: frames of a video, at least two.
        placement: position of the picture on the sensor; the remaining pixels get noise.
        settings: sensor settings.
        rng: random generator for the pixels and all noise.
        source: name of the source, for error messages.

    Raises:
        InputError: the video contains a cut.
    """
    flow, remaining = Flow(), iter(frames)
    first = next(remaining, None)
    if first is None:
        return
    now_us = start_us = first.t_us
    texels = placement.brightness(first.image)
    sensor = Sensor(settings, averaged(texels), rng, start_us=start_us)
    for frame in remaining:
        before_us, now_us = now_us, frame.t_us
        before, texels = texels, placement.brightness(frame.image)
        gap = flow.between(before, texels)
        if gap.cut:
            raise InputError(f'{source} has a cut at {1e-6 * now_us:.2f} s: expected one '
                             'continuous shot, so split the video there')
        _advance(sensor, gap, before_us, now_us)
        if now_us - start_us >= PIECE_US:
            yield _piece(sensor, start_us, now_us, placement, rng)
            start_us = now_us
    if now_us > start_us:
        yield _piece(sensor, start_us, now_us, placement, rng)


def _advance(sensor: Sensor, gap: Gap, start_us: int, end_us: int) -> None:
    """Pass the sensor the images after a frame, up to and including the next frame."""
    steps = int(np.ceil(max(gap.motion_px / STEP_PX, (end_us - start_us) / STEP_US, 1.0)))
    steps = min(steps, MOST_STEPS, end_us - start_us)
    for step in range(1, steps + 1):
        sensor.advance(gap.at(step / steps), start_us + (end_us - start_us) * step // steps)


def _piece(sensor: Sensor, start_us: int, end_us: int, placement: Placement,
           rng: np.random.Generator) -> Piece:
    events = sensor.collect()
    more = noise_around(events, start_us, end_us, placement, rng)
    events['x'] += placement.target.left
    events['y'] += placement.target.top
    events = np.concatenate([events, more])
    return Piece(start_us, end_us, events[np.argsort(events['t'], kind='stable')])


def noise_around(events: np.ndarray, start_us: int, end_us: int, placement: Placement,
                 rng: np.random.Generator) -> np.ndarray:
    """Return noise for the sensor pixels outside the picture.

    Its rate and its fraction of ON events match the picture's quietest blocks.

    Args:
        events: events of the picture from `start_us` to `end_us`, x and y relative to it.
        start_us: start of the noise.
        end_us: end of the noise.
        placement: position of the picture.
        rng: random generator.

    Returns:
        Events in sensor pixels, not sorted.
    """
    around = np.ones((placement.height, placement.width), bool)
    left, top, width, height = placement.target
    around[top:top + height, left:left + width] = False
    y, x = np.nonzero(around)
    columns, rows = max(1, width // BLOCK_PX), max(1, height // BLOCK_PX)
    block = (np.minimum(events['y'] // BLOCK_PX, rows - 1).astype(np.int64) * columns
             + np.minimum(events['x'] // BLOCK_PX, columns - 1))
    counts = np.bincount(block, minlength=columns * rows)
    pixels = np.bincount((np.minimum(np.arange(height) // BLOCK_PX, rows - 1)[:, None] * columns
                          + np.minimum(np.arange(width) // BLOCK_PX, columns - 1)).ravel())
    quiet = np.argsort(counts / pixels)[:max(1, round(QUIET_SHARE * len(counts)))]
    share_on = events['p'][np.isin(block, quiet)].mean() if counts[quiet].any() else 0.5
    noise = np.empty(rng.poisson(counts[quiet].sum() / pixels[quiet].sum() * len(x)), EVENT_DTYPE)
    at = rng.integers(0, max(1, len(x)), len(noise))
    noise['t'] = rng.integers(start_us, end_us, len(noise))
    noise['x'], noise['y'] = x[at], y[at]
    noise['p'] = rng.random(len(noise)) < share_on
    return noise
