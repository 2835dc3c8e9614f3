# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Objects other than the person: static poles and bars, flying balls, a bar in a hand.

All are round cones drawn by the same renderer as the body, so objects and body occlude each other.
"""

from dataclasses import dataclass

import numpy as np

from hybrid_pose_ros.settings import check, param
from hybrid_pose_ros.simulation.body import BODY_POINTS, MATERIALS, Cones
from hybrid_pose_ros.simulation.camera import MIDDLE, Camera
from hybrid_pose_ros.simulation.renderer import TILE, Paint
from hybrid_pose_ros.simulation.textures import cloth

PROP_MATERIALS = 3
"""Number of object materials; their indices follow those of the body."""
BALL_SPAN_M = 0.02
"""Length of the cone of a ball [m]; not 0, since its texture needs an axis."""


@dataclass(frozen=True)
class PropSettings:
    """Numbers of objects; the seed determines their positions and sizes."""

    poles: int = param(0, 'Number of static poles and bars, most of them behind the person.',
                       low=0, high=40)
    balls: int = param(0, 'Number of balls that swing across the image.', low=0, high=20)
    held: bool = param(False, 'Whether the person holds a bar.')

    def __post_init__(self):
        check(self)

    @property
    def number(self) -> int:
        """Number of cones."""
        return self.poles + self.balls + self.held


class Props:
    """The objects of one scene."""

    def __init__(self, settings: PropSettings, camera: Camera, rng: np.random.Generator):
        """Draw position, size, material and motion of each object.

        Args:
            settings: number of objects.
            camera: the camera at its initial pose; objects are placed in its view.
            rng: random generator.
        """
        self._settings = settings
        depth_m = camera.to_camera(MIDDLE)[2]
        poles, balls = settings.poles, settings.balls
        near = rng.random(poles) < 0.1
        behind_m = np.where(near, rng.uniform(-1.0, -0.5, poles), rng.uniform(0.3, 1.4, poles))
        self._poles = _placed(rng, camera, np.maximum(depth_m + behind_m, 0.5))
        direction = rng.normal(size=(poles, 3)) * np.where(
            rng.random((poles, 1)) < 0.5, [0.1, 0.1, 1.0], [1.0, 1.0, 0.3])
        self._pole_span = _unit(direction) * rng.uniform(0.2, 2.0, (poles, 1))
        offset_m = rng.uniform(-0.8, 0.8, balls)
        self._balls = _placed(rng, camera, np.maximum(depth_m + offset_m, 0.5))
        self._swing = _unit(rng.normal(size=(balls, 3))) * rng.uniform(0.3, 1.5, (balls, 1))
        self._omega = 2.0 * np.pi / rng.uniform(0.8, 3.0, balls)
        self._phase = rng.uniform(0.0, 2.0 * np.pi, balls)
        self._hand = ('r_', 'l_')[int(rng.integers(2))]
        self._grip = rng.normal(size=3)  # components along the forearm, across, and up
        self._ends_m = rng.uniform(0.05, 0.9, 2)
        radii = np.concatenate([np.exp(rng.uniform(np.log(0.015), np.log(0.15), poles)),
                                rng.uniform(0.03, 0.15, balls),
                                rng.uniform(0.01, 0.04, int(settings.held))])
        self._radii = np.repeat(radii[:, None], 2, axis=1)
        self._material = len(MATERIALS) + rng.integers(PROP_MATERIALS, size=settings.number)

    def cones(self, points: np.ndarray, times_s: np.ndarray) -> Cones:
        """Return the cones of the objects at times (N,), given the posed bodies (N, 24, 3) [m]."""
        count = len(times_s)
        swing = np.sin(times_s[:, None] * self._omega + self._phase)[..., None] * self._swing
        poles = np.broadcast_to(self._poles, (count, *self._poles.shape))
        balls = self._balls + swing
        starts, ends = [poles, balls], [poles + self._pole_span, balls + [0.0, 0.0, BALL_SPAN_M]]
        if self._settings.held:
            hand, direction = self._held(points)
            starts.append((hand - self._ends_m[0] * direction)[:, None])
            ends.append((hand + self._ends_m[1] * direction)[:, None])
        start, end = np.concatenate(starts, axis=1), np.concatenate(ends, axis=1)
        axis = _unit(end - start)
        side = _unit(np.cross(axis, np.where(np.abs(axis[..., 2:]) < 0.9, [0.0, 0.0, 1.0],
                                             [1.0, 0.0, 0.0])))
        return Cones(start, end, side, self._radii, self._material)

    def _held(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return position (N, 3) [m] and direction (N, 3) of the bar in the hand."""
        elbow, wrist, hand = (points[:, BODY_POINTS.index(self._hand + name)]
                              for name in ('elbow', 'wrist', 'hand'))
        forearm = _unit(wrist - elbow)
        shoulders = _unit(points[:, BODY_POINTS.index('r_shoulder')]
                          - points[:, BODY_POINTS.index('l_shoulder')])
        along, across, up = self._grip
        return hand, _unit(along * forearm + across * shoulders + up * np.array([0.0, 0.0, 1.0]))


def joined(*parts: Cones) -> Cones:
    """Return the cones of several objects at the same times."""
    start, end, side = (np.concatenate([getattr(part, name) for part in parts], axis=1)
                        for name in ('start', 'end', 'side'))
    return Cones(start, end, side, np.concatenate([part.radii for part in parts]),
                 np.concatenate([part.material for part in parts]))


def painted(paint: Paint, rng: np.random.Generator) -> Paint:
    """Return the paint of a body, extended by the object materials."""
    albedo = np.exp(rng.uniform(np.log(0.04), np.log(0.95), PROP_MATERIALS))
    tiles = [cloth(rng, contrast=rng.uniform(0.0, 0.7), scale_m=rng.uniform(0.03, 0.2),
                   stripes=rng.random()) for _ in range(PROP_MATERIALS)]
    return Paint(np.concatenate([paint.albedo, albedo.astype(np.float32)]),
                 np.concatenate([paint.tiles, np.stack(tiles).reshape(-1, TILE, TILE)]))


def _placed(rng: np.random.Generator, camera: Camera, depth_m: np.ndarray) -> np.ndarray:
    """Return random world points (K, 3) [m] at depths (K,) in the image of a camera."""
    pixels = rng.uniform([0.0, 0.0], [camera.width, camera.height], (len(depth_m), 2))
    rays = np.column_stack([pixels, np.ones(len(depth_m))]) @ np.linalg.inv(camera.intrinsics).T
    return (rays * depth_m[:, None] - camera.translation) @ camera.rotation


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
