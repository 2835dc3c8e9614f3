# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A moving person before an event camera: events and exact labels, slice by slice of sensor time.

The same motion, camera, settings and seed give the same events.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.simulation import renderer
from hybrid_pose_ros.simulation.body import JOINT_RADII_M, cones, joints_of
from hybrid_pose_ros.simulation.camera import CAMERAS, Camera
from hybrid_pose_ros.simulation.motions import GeneratedMotion, Motion
from hybrid_pose_ros.simulation.scene_settings import LIVE, LightSettings, SceneSettings
from hybrid_pose_ros.simulation.sensor import Sensor
from hybrid_pose_ros.simulation.textures import paint, wall

HIDDEN_BEHIND_M = 0.03
"""A joint is hidden where something lies this much in front of its own limb's surface [m]."""


class Labels(NamedTuple):
    """Where the joints are. N stamps, J = 13 joints."""

    t: np.ndarray  # (N,) int64 [us], sensor time
    joints_px: np.ndarray  # (N, J, 2) float32, x and y in sensor pixels
    joints_mm: np.ndarray  # (N, J, 3) float32, in the world
    visible: np.ndarray  # (N, J) bool: inside the image
    occluded: np.ndarray  # (N, J) bool: inside the image, but behind another part of the body


class Slice(NamedTuple):
    """What happens in [start_us, end_us)."""

    start_us: int
    end_us: int
    events: np.ndarray  # (N,) EVENT_DTYPE, sorted by time
    labels: Labels  # one for each image in the slice, the last one at end_us


class _Frames(NamedTuple):
    """A second of posed bodies, ready to draw. F frames."""

    solids: renderer.Solids  # (F, P)
    labels: Labels  # occluded is not known before the frame is drawn
    depth: np.ndarray  # (F, J) distance of each joint from the lens [m]


class SimulatedScene:
    """An iterator over slices of one scene; endless where the motion is and no duration is set."""

    def __init__(self, motion: Motion | None = None, camera: Camera | None = None,
                 settings: SceneSettings = LIVE, *, seed: int = 0, duration_us: int | None = None):
        """Pose, dress and light the person at time 0.

        Args:
            motion: what the person does; None: our own motions, endless, drawn by the seed.
            camera: None: a DAVIS346 in front of the person.
            settings: of body, background, light, sensor and timing.
            seed: of textures, of the sensor's pixels and of all noise.
            duration_us: end of the scene [us of sensor time]; None: when the motion ends.
        """
        self.camera = camera or CAMERAS['davis346-front']
        self.settings = settings
        self._motion = motion or GeneratedMotion(seed)
        end_s = self._motion.duration_s if duration_us is None else duration_us * 1e-6
        self._end_us = np.inf if np.isinf(end_s) else round(end_s * 1e6)
        appearance, noise = (np.random.default_rng([seed, k]) for k in range(2))
        self._paint = paint(appearance, settings.body)
        shape = (self.camera.height, self.camera.width)
        self._background = wall(appearance, shape, settings.background) * np.float32(
            settings.light.level)
        self._lens = renderer.lens(self.camera)
        self._light = _light(settings.light)
        self._canvas = renderer.canvas(self._background)
        self._now_us = 0
        self._draw(self._frames(np.zeros(1, np.int64)).solids.frame(0))
        self._sensor = Sensor(settings.sensor, self._canvas.brightness, noise)

    @property
    def brightness(self) -> np.ndarray:
        """The image at the end of the last slice, (H, W), 0 to 1; a view, drawn over later."""
        return self._canvas.brightness

    def __iter__(self) -> Iterator[Slice]:
        timing = self.settings.timing
        frames_a_slice = timing.slice_us // timing.frame_us
        slices_a_block = max(1, 250_000 // timing.slice_us)
        while self._now_us + timing.slice_us <= self._end_us:
            left = (self._end_us - self._now_us) // timing.slice_us
            count = int(min(slices_a_block, left)) * frames_a_slice
            stamps = self._now_us + timing.frame_us * np.arange(1, count + 1)
            frames = self._frames(stamps)
            for first in range(0, count, frames_a_slice):
                yield self._slice(frames, first, first + frames_a_slice)

    def _slice(self, frames: _Frames, first: int, last: int) -> Slice:
        start_us = self._now_us
        for index in range(first, last):
            self._show(frames, index)
        labels = Labels(*(field[first:last] for field in frames.labels))
        return Slice(start_us, self._now_us, self._sensor.collect(), labels)

    def _show(self, frames: _Frames, index: int) -> None:
        """Draw one frame, let the sensor look at it, and find the hidden joints."""
        stamp_us = int(frames.labels.t[index])
        before = self._canvas.spans.copy()
        renderer.erase(self._canvas, self._background)
        self._draw(frames.solids.frame(index))
        light = self.settings.light
        gain = 1.0
        changed = _union(before, self._canvas.spans)
        if light.flicker > 0.0:
            gain += light.flicker * np.sin(2e-6 * np.pi * light.flicker_hz * stamp_us)
            changed = None
        self._sensor.advance(self._canvas.brightness, stamp_us, spans=changed, gain=gain)
        self._now_us = stamp_us
        frames.labels.occluded[index] = _hidden(
            self._canvas.distance, frames.labels.joints_px[index],
            frames.labels.visible[index], frames.depth[index])

    def _draw(self, body: renderer.Solids) -> None:
        renderer.draw(self._canvas, body, self._paint, self._lens, self._light)

    def _frames(self, stamps_us: np.ndarray) -> _Frames:
        """Return posed bodies at the stamps (F,)."""
        points = self._motion.sample(stamps_us * 1e-6)
        solids = renderer.solids(cones(points, self.settings.body), self.camera)
        joints = joints_of(points)
        pixels = self.camera.project(joints)
        labels = Labels(stamps_us.astype(np.int64), pixels.astype(np.float32),
                        (1e3 * joints).astype(np.float32), self.camera.contains(pixels),
                        np.zeros(pixels.shape[:2], bool))
        depth = np.linalg.norm(self.camera.to_camera(joints), axis=-1)
        return _Frames(solids, labels, depth)


def _union(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return spans (H, 2) that hold both."""
    return np.stack([np.minimum(first[:, 0], second[:, 0]),
                     np.maximum(first[:, 1], second[:, 1])], axis=1)


def _hidden(distance: np.ndarray, pixels: np.ndarray, visible: np.ndarray,
            depth: np.ndarray) -> np.ndarray:
    """Return which visible joints (J,) have a surface well in front of their own limb's."""
    hidden = np.zeros(len(pixels), bool)
    x, y = pixels[visible].astype(np.int64).T
    hidden[visible] = distance[y, x] < (depth - JOINT_RADII_M)[visible] - HIDDEN_BEHIND_M
    return hidden


def _light(settings: LightSettings) -> renderer.Light:
    """Return the light in the camera's frame: x right, y down, z away from the camera."""
    azimuth, elevation = np.radians([settings.azimuth_deg, settings.elevation_deg])
    values = (np.sin(azimuth) * np.cos(elevation), -np.sin(elevation),
              -np.cos(azimuth) * np.cos(elevation), settings.ambient, settings.level)
    return renderer.Light(*(np.float32(value) for value in values))
