# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A moving person in front of an event camera: events and exact labels, in slices of sensor time.

Motion, camera, settings and seed fully determine the events.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.simulation import renderer
from hybrid_pose_ros.simulation.body import JOINT_RADII_M, Cones, cones, joints_of
from hybrid_pose_ros.simulation.camera import CAMERAS, MIDDLE, Camera, sway
from hybrid_pose_ros.simulation.motions import GeneratedMotion, Motion
from hybrid_pose_ros.simulation.props import Props, joined, painted
from hybrid_pose_ros.simulation.scene_settings import LIVE, LightSettings, SceneSettings
from hybrid_pose_ros.simulation.sensor import Sensor
from hybrid_pose_ros.simulation.textures import paint, wall

HIDDEN_BEHIND_M = 0.03
"""A joint counts as hidden if a surface is this far in front of that of its own limb [m]."""
BLOCK_US = 200_000
"""Duration of the bodies posed in one batch."""
MOST_STEPS = 10
"""Maximum number of images per label, however fast the motion."""
WALL_BEHIND_M = 1.5
WALL_MARGIN = 0.5
"""Margin of the wall on each side of the image for a swaying camera, as a fraction of the size."""


class Labels(NamedTuple):
    """Joint positions at N stamps, J = 13 joints."""

    t: np.ndarray  # (N,) int64 [us], sensor time
    joints_px: np.ndarray  # (N, J, 2) float32, x and y in sensor pixels
    joints_mm: np.ndarray  # (N, J, 3) float32, world frame
    visible: np.ndarray  # (N, J) bool: inside the image
    occluded: np.ndarray  # (N, J) bool: inside the image but hidden


class Slice(NamedTuple):
    """Events and labels of [start_us, end_us)."""

    start_us: int
    end_us: int
    events: np.ndarray  # (N,) EVENT_DTYPE, sorted by time
    labels: Labels  # one per label_us, the last one at end_us
    camera: Camera  # one pose per label if it sways


class _Block(NamedTuple):
    """Posed bodies ready to be drawn: N labels and F frames, some of which are between labels."""

    labels: Labels  # occluded is unknown until the frame is drawn
    depth: np.ndarray  # (N, J) distance of each joint from the lens [m]
    stamps_us: np.ndarray  # (F,)
    frames_until: np.ndarray  # (N + 1,): label n belongs to frame frames_until[n + 1] - 1
    solids: renderer.Solids  # (F, P)
    camera: Camera  # F poses if it sways


class SimulatedScene:
    """Iterator over the slices of a scene; endless with an endless motion and no duration."""

    def __init__(self, motion: Motion | None = None, camera: Camera | None = None,
                 settings: SceneSettings = LIVE, *, seed: int = 0, duration_us: int | None = None,
                 sensor: int = 0):
        """Pose, texture and light the person at time 0.

        Args:
            motion: motion of the person; None: endless generated motion, determined by the seed.
            camera: the camera; None: a DAVIS346 in front of the person.
            settings: body, background, light, camera motion, sensor and timing.
            seed: random seed of textures, pixels and all noise.
            duration_us: end of the scene [us of sensor time]; None: the end of the motion.
            sensor: index of the sensor if several observe the scene; each has its own noise.
        """
        self.camera = camera or CAMERAS['davis346-front']
        self.settings = settings
        self._seed = seed
        self._motion = motion or GeneratedMotion(seed)
        end_s = self._motion.duration_s if duration_us is None else duration_us * 1e-6
        self._end_us = np.inf if np.isinf(end_s) else round(end_s * 1e6)
        self._now_us = 0
        appearance = np.random.default_rng([seed, 0])
        noise = np.random.default_rng([seed, 1, sensor] if sensor else [seed, 1])
        self._paint = paint(appearance, settings.body)
        self._props = self._build_props()
        self._wall = self._build_wall(appearance)
        self._lens = renderer.lens(self.camera)
        self._background = np.empty((self.camera.height, self.camera.width), np.float32)
        first = self._block(np.zeros(1, np.int64))
        self._see_wall(first.camera, 0)
        self._canvas = renderer.canvas(self._background)
        self._draw(first, 0)
        self._sensor = Sensor(settings.sensor, self._canvas.brightness, noise)

    @property
    def brightness(self) -> np.ndarray:
        """The image at the end of the last slice, (H, W), 0 to 1; a view, which is overwritten."""
        return self._canvas.brightness

    @property
    def parts(self) -> np.ndarray:
        """The body part at each pixel, (H, W); renderer.NOTHING for the wall; also a view."""
        return self._canvas.part

    def __iter__(self) -> Iterator[Slice]:
        timing = self.settings.timing
        block_us = max(BLOCK_US // timing.slice_us, 1) * timing.slice_us
        while self._now_us + timing.label_us <= self._end_us:
            count = int(min(block_us, self._end_us - self._now_us)) // timing.label_us
            block = self._block(self._now_us + timing.label_us * np.arange(count + 1))
            labels_a_slice = timing.slice_us // timing.label_us
            for first in range(0, count, labels_a_slice):
                yield self._slice(block, first, min(first + labels_a_slice, count))

    def _slice(self, block: _Block, first: int, last: int) -> Slice:
        start_us = self._now_us
        for label in range(first, last):
            for frame in range(block.frames_until[label], block.frames_until[label + 1]):
                self._show(block, frame)
            block.labels.occluded[label] = _hidden(
                self._canvas.distance, block.labels.joints_px[label],
                block.labels.visible[label], block.depth[label])
        labels = Labels(*(field[first:last] for field in block.labels))
        camera = self.camera
        if not self.settings.sway.still:
            at = block.frames_until[first + 1:last + 1] - 1
            camera = camera._replace(rotation=block.camera.rotation[at],
                                     translation=block.camera.translation[at])
        return Slice(start_us, self._now_us, self._sensor.collect(), labels, camera)

    def _show(self, block: _Block, frame: int) -> None:
        """Draw one frame and pass it to the sensor."""
        stamp_us = int(block.stamps_us[frame])
        light, still = self.settings.light, self.settings.sway.still
        before = self._canvas.spans.copy()
        if still:
            renderer.erase(self._canvas, self._background)
        else:
            self._see_wall(block.camera, frame)
            self._canvas.spans[:] = 0, self.camera.width
            renderer.erase(self._canvas, self._background)
        self._draw(block, frame)
        gain = 1.0 + light.flicker * np.sin(2e-6 * np.pi * light.flicker_hz * stamp_us)
        changed = _union(before, self._canvas.spans) if still and not light.flicker else None
        self._sensor.advance(self._canvas.brightness, stamp_us, spans=changed, gain=gain)
        self._now_us = stamp_us

    def _draw(self, block: _Block, frame: int) -> None:
        rotation = block.camera.rotation if self.settings.sway.still else \
            block.camera.rotation[frame]
        light = _light(self.settings.light, self.camera.rotation, rotation)
        renderer.draw(self._canvas, block.solids.frame(frame), self._paint, self._lens, light)

    def _build_props(self) -> Props | None:
        """Return the objects of the scene, or None, and add paint for their materials."""
        if not self.settings.props.number:
            return None
        rng = np.random.default_rng([self._seed, 4])
        self._paint = painted(self._paint, rng)
        return Props(self.settings.props, self.camera, rng)

    def _build_wall(self, rng: np.random.Generator) -> np.ndarray:
        """Return the brightness of the wall, larger than the image if the camera sways."""
        grow = 1.0 if self.settings.sway.still else 1.0 + 2.0 * WALL_MARGIN
        shape = round(self.camera.height * grow), round(self.camera.width * grow)
        albedo = wall(rng, shape, self.settings.background)
        return albedo * np.float32(self.settings.light.level)

    def _see_wall(self, camera: Camera, frame: int) -> None:
        """Render the wall, as seen from the camera, into the background."""
        if self.settings.sway.still:
            self._background[:] = self._wall
        else:
            moved = camera._replace(rotation=camera.rotation[frame],
                                    translation=camera.translation[frame])
            renderer.see_wall(self._background, self._wall, _homography(self.camera, moved))

    def _block(self, stamps_us: np.ndarray) -> _Block:
        """Return the bodies posed after the first stamp up to the last, with one label per stamp.

        If there is only one stamp, it is itself drawn and labeled.
        """
        label_stamps = stamps_us[1:] if len(stamps_us) > 1 else stamps_us
        frame_stamps, frames_until = label_stamps, np.arange(len(label_stamps) + 1)
        if len(stamps_us) > 1 and self.settings.timing.step_px > 0.0:
            frame_stamps, frames_until = self._refined(stamps_us)
        points = self._motion.sample(frame_stamps * 1e-6)
        camera = self._camera_at(frame_stamps)
        at = frames_until[1:] - 1
        joints = joints_of(points)
        pixels, depth = camera.project(joints)[at], np.linalg.norm(
            camera.to_camera(joints), axis=-1)[at]
        visible = camera.contains(pixels) & self.settings.staging.present
        labels = Labels(label_stamps.astype(np.int64), pixels.astype(np.float32),
                        (1e3 * joints[at]).astype(np.float32), visible,
                        np.zeros(pixels.shape[:2], bool))
        solids = renderer.solids(self._cones(points, frame_stamps * 1e-6), camera)
        return _Block(labels, depth, frame_stamps, frames_until, solids, camera)

    def _cones(self, points: np.ndarray, times_s: np.ndarray) -> Cones:
        """Return the person, if present, and the objects at times (N,)."""
        body = cones(points, self.settings.body)
        if not self.settings.staging.present:
            body = Cones(*(field[:, :0] for field in body[:3]), *(field[:0] for field in body[3:]))
        return body if self._props is None else joined(body, self._props.cones(points, times_s))

    def _camera_at(self, stamps_us: np.ndarray) -> Camera:
        if self.settings.sway.still:
            return self.camera
        return sway(self.camera, self.settings.sway, stamps_us * 1e-6, self._seed)

    def _refined(self, stamps_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the stamps of all frames, and the end of the frames of each label.

        Frames are added between two labels until no body point moves by more than step_px per
        frame.
        """
        camera = self._camera_at(stamps_us)
        pixels = camera.project(self._motion.sample(stamps_us * 1e-6))
        seen = camera.contains(pixels)
        moved = np.linalg.norm(np.diff(pixels, axis=0), axis=-1)
        farthest = np.where(seen[1:] & seen[:-1], moved, 0.0).max(axis=1)
        steps = np.clip(np.ceil(farthest / self.settings.timing.step_px), 1, MOST_STEPS)
        steps = steps.astype(np.int64)
        frames_until = np.concatenate([[0], np.cumsum(steps)])
        label = np.repeat(np.arange(len(steps)), steps)
        share = (np.arange(len(label)) - frames_until[label] + 1) / steps[label]
        stamps = stamps_us[label] + np.rint(share * np.diff(stamps_us)[label])
        return stamps.astype(np.int64), frames_until


def _union(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return spans (H, 2) that contain both spans of each row."""
    return np.stack([np.minimum(first[:, 0], second[:, 0]),
                     np.maximum(first[:, 1], second[:, 1])], axis=1)


def _hidden(distance: np.ndarray, pixels: np.ndarray, visible: np.ndarray,
            depth: np.ndarray) -> np.ndarray:
    """Return which visible joints (J,) have a surface well in front of their own limb."""
    hidden = np.zeros(len(pixels), bool)
    x, y = pixels[visible].astype(np.int64).T
    hidden[visible] = distance[y, x] < (depth - JOINT_RADII_M)[visible] - HIDDEN_BEHIND_M
    return hidden


def _homography(placed: Camera, moved: Camera) -> np.ndarray:
    """Return the map (3, 3) from a moved camera's pixels to the wall's texels.

    The wall is a plane behind the person, perpendicular to the optical axis at the initial pose;
    its texels are the pixels seen from that pose, plus a margin around them.
    """
    wall_m = placed.to_camera(MIDDLE)[2] + WALL_BEHIND_M
    offset = placed.rotation @ (moved.center - placed.center)
    to_plane = np.outer(offset, [0.0, 0.0, 1.0]) + (wall_m - offset[2]) * np.eye(3)
    turn = placed.rotation @ moved.rotation.T
    margin = np.eye(3)
    margin[:2, 2] = WALL_MARGIN * placed.width, WALL_MARGIN * placed.height
    return margin @ placed.intrinsics @ to_plane @ turn @ np.linalg.inv(moved.intrinsics)


def _light(settings: LightSettings, placed: np.ndarray, rotation: np.ndarray) -> renderer.Light:
    """Return the light in the frame of a rotated camera; rotations (3, 3) before and after it."""
    azimuth, elevation = np.radians([settings.azimuth_deg, settings.elevation_deg])
    direction = np.array([np.sin(azimuth) * np.cos(elevation), -np.sin(elevation),
                          -np.cos(azimuth) * np.cos(elevation)])
    direction = rotation @ placed.T @ direction
    return renderer.Light(*(np.float32(value) for value in
                            (*direction, settings.ambient, settings.level)))
