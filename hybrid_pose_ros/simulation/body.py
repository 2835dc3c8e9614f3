# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body with volume: round cones between 24 body points, each in one of six materials.

Face, hair, feet, the seat and the front of the clothes distinguish the front from the back.

A round cone is the convex hull of two spheres: a tapered limb, or a capsule if both are equal.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hybrid_pose_ros.settings import check, param

BODY_POINTS = (
    'pelvis', 'spine', 'chest', 'neck', 'head', 'head_top',
    'r_shoulder', 'r_elbow', 'r_wrist', 'r_hand', 'l_shoulder', 'l_elbow', 'l_wrist', 'l_hand',
    'r_hip', 'r_knee', 'r_ankle', 'r_toe', 'r_toe_end',
    'l_hip', 'l_knee', 'l_ankle', 'l_toe', 'l_toe_end')
"""Order of the points of a posed body; r and l refer to the person's right and left."""

MIRRORED_POINTS = tuple(
    BODY_POINTS.index({'r_': 'l_', 'l_': 'r_'}.get(name[:2], name[:2]) + name[2:])
    for name in BODY_POINTS)
"""Index of each point's mirror image."""

MATERIALS = ('skin', 'shirt', 'trousers', 'shoes', 'hair', 'trim')

_JOINT_POINTS = (
    ('head', 'head'), ('r_shoulder', 'r_shoulder'), ('l_shoulder', 'l_shoulder'),
    ('r_elbow', 'r_elbow'), ('l_elbow', 'l_elbow'), ('r_hip', 'r_hip'), ('l_hip', 'l_hip'),
    ('r_wrist', 'r_hand'), ('l_wrist', 'l_hand'), ('r_knee', 'r_knee'), ('l_knee', 'l_knee'),
    ('r_ankle', 'r_ankle'), ('l_ankle', 'l_ankle'))  # a joint is the midpoint of two points
_FIRST = [BODY_POINTS.index(first) for first, _ in _JOINT_POINTS]
_SECOND = [BODY_POINTS.index(second) for _, second in _JOINT_POINTS]

JOINT_RADII_M = np.array([0.13, 0.07, 0.07, 0.045, 0.045, 0.13, 0.13,
                          0.04, 0.04, 0.06, 0.06, 0.05, 0.05])
"""Depth of each joint below the surface of its own limb, (13,) [m]."""


def joints_of(points: np.ndarray) -> np.ndarray:
    """Return the 13 joints (..., 13, 3) of posed bodies (..., 24, 3), in the same unit."""
    return 0.5 * (points[..., _FIRST, :] + points[..., _SECOND, :])


@dataclass(frozen=True)
class BodySettings:
    """Shape and clothing of a person. Albedos are linear, from 0 (black) to 1 (white)."""

    girth: float = param(1.0, 'Scale factor of all radii.', low=0.6, high=1.6)
    limb_girth: float = param(1.0, 'Additional factor for arms and legs.', low=0.6, high=1.6)
    head_girth: float = param(1.0, 'Additional factor for the head.', low=0.7, high=1.4)
    skin: float = param(0.45, 'Albedo of the skin.', low=0.01, high=1.0)
    shirt: float = param(0.14, 'Albedo of the shirt.', low=0.01, high=1.0)
    trousers: float = param(0.08, 'Albedo of the trousers.', low=0.01, high=1.0)
    shoes: float = param(0.3, 'Albedo of the shoes.', low=0.01, high=1.0)
    hair: float = param(0.06, 'Albedo of hair, eyes and beard.', low=0.01, high=1.0)
    trim: float = param(0.5, 'Albedo of the trim on the front of the shirt, such as buttons, a '
                             'tie or an open jacket.',
                        low=0.01, high=1.0)
    trim_m: float = param(0.04, 'Width of the trim [m]; 0: none.', low=0.0, high=0.08)
    cloth_contrast: float = param(0.35, 'Standard deviation of the log albedo of clothes.',
                                  low=0.0, high=1.5)
    skin_contrast: float = param(0.15, 'Standard deviation of the log albedo of skin and hair.',
                                 low=0.0, high=1.5)
    cloth_scale_m: float = param(0.05, 'Size of folds and prints [m].', low=0.015, high=0.4)
    stripes: float = param(0.3, 'Weight of stripes across the limb in the pattern of the clothes.',
                           low=0.0, high=1.0)
    sleeves: bool = param(True, 'Long sleeves; off: bare forearms.')
    shorts: bool = param(False, 'Shorts, with bare shins.')
    loose: float = param(0.0, 'Extra width of the trousers at the ankle [m].', low=0.0, high=0.12)
    long_hair: bool = param(False, 'Whether the hair is shoulder-length.')
    beard: bool = param(False, 'Whether there is a beard.')

    def __post_init__(self):
        check(self)


class Cones(NamedTuple):
    """The round cones of N posed bodies, P cones each."""

    start: np.ndarray  # (N, P, 3) float64 [m]
    end: np.ndarray  # (N, P, 3)
    side: np.ndarray  # (N, P, 3) unit vector across the cone, where its texture starts
    radii: np.ndarray  # (P, 2) at start and end [m]
    material: np.ndarray  # (P,) int64, index into MATERIALS


class Wardrobe(NamedTuple):
    """The part of the cones that does not depend on the pose: radii and materials."""

    radii: np.ndarray  # (P, 2) [m]
    material: np.ndarray  # (P,) int64


# name, start, end, radii [m] at both ends, material; ends are body points or from _places()
_TORSO = (
    ('pelvis', 'r_hip', 'l_hip', 0.105, 0.105, 'trousers'),
    ('belly', 'pelvis', 'spine', 0.108, 0.112, 'shirt'),
    ('r_side', 'r_waist', 'r_chest', 0.105, 0.105, 'shirt'),
    ('l_side', 'l_waist', 'l_chest', 0.105, 0.105, 'shirt'),
    ('girdle', 'r_shoulder', 'l_shoulder', 0.062, 0.062, 'shirt'),
    ('neck', 'neck', 'head', 0.055, 0.055, 'skin'),
    ('head', 'chin', 'skull', 0.07, 0.095, 'skin'),
    ('hair', 'nape', 'crown', 0.08, 0.088, 'hair'),
    ('jaw', 'jaw', 'chin', 0.04, 0.066, 'skin'),
    ('eyes', 'r_eye', 'l_eye', 0.014, 0.014, 'hair'),
    ('nose', 'bridge', 'tip', 0.012, 0.018, 'skin'),
    ('trim', 'throat', 'navel', 0.0, 0.0, 'trim'),
)
_SIDE = (
    ('upper_arm', 'shoulder', 'elbow', 0.055, 0.042, 'shirt'),
    ('forearm', 'elbow', 'wrist', 0.04, 0.028, 'shirt'),
    ('hand', 'wrist', 'finger', 0.032, 0.03, 'skin'),
    ('seat', 'hip', 'seat', 0.075, 0.082, 'trousers'),
    ('thigh', 'hip', 'knee', 0.085, 0.058, 'trousers'),
    ('shin', 'knee', 'ankle', 0.056, 0.042, 'trousers'),
    ('foot', 'heel', 'toe', 0.036, 0.034, 'shoes'),
)
# points of the face: offsets to the right, forward and up from the center of the head [m]
_FACE = (
    ('r_eye', 0.034, 0.09, 0.018), ('l_eye', -0.034, 0.09, 0.018),
    ('bridge', 0.0, 0.093, 0.008), ('tip', 0.0, 0.104, -0.022), ('jaw', 0.0, 0.058, -0.075),
)


def _cone_table() -> list[tuple]:
    sides = [(f'{side}{name}', f'{side}{start}', f'{side}{end}', *rest)
             for name, start, end, *rest in _SIDE for side in ('r_', 'l_')]
    return [*_TORSO, *sides]


_CONES = _cone_table()
_HEAD = ('head', 'hair', 'neck', 'jaw', 'eyes', 'nose')
CONE_NAMES = tuple(row[0] for row in _CONES)


def wardrobe(settings: BodySettings) -> Wardrobe:
    """Return the radii and materials of all cones of a person."""
    radii = np.array([row[3:5] for row in _CONES]) * settings.girth
    material = np.array([MATERIALS.index(row[5]) for row in _CONES])
    for index, name in enumerate(CONE_NAMES):
        if name[:2] in ('r_', 'l_') and not name.endswith('side'):
            radii[index] *= settings.limb_girth
        if name in _HEAD:
            radii[index] *= settings.head_girth
        if name == 'jaw' and settings.beard:
            material[index] = MATERIALS.index('hair')
        if name == 'trim':
            radii[index] = max(0.5 * settings.trim_m, 0.001)
        if name.endswith('forearm') and not settings.sleeves:
            material[index] = MATERIALS.index('skin')
        if name.endswith('shin'):
            if settings.shorts:
                material[index] = MATERIALS.index('skin')
            else:
                radii[index, 1] += settings.loose
        if name.endswith('thigh'):
            radii[index, 1] += 0.5 * settings.loose
        if name == 'hair' and settings.long_hair:
            radii[index, 0] *= 1.25
    return Wardrobe(radii, material)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _places(points: np.ndarray, settings: BodySettings) -> dict[str, np.ndarray]:
    """Return all points at which cones start or end, each (N, 3) [m]."""
    place = {name: points[:, index] for index, name in enumerate(BODY_POINTS)}
    right = _unit(place['r_shoulder'] - place['l_shoulder'])
    up = _unit(place['head_top'] - place['head'])
    front = _unit(np.cross(up, right))
    trunk = _unit(place['chest'] - place['pelvis'])
    belly = _unit(np.cross(trunk, place['r_hip'] - place['l_hip']))
    for side in ('r_', 'l_'):
        ankle, toe = place[side + 'ankle'], place[side + 'toe']
        shin = _unit(ankle - place[side + 'knee'])
        forward = _unit((toe - ankle) - shin * np.sum((toe - ankle) * shin, -1, keepdims=True))
        place[side + 'heel'] = ankle - 0.04 * forward + 0.04 * shin
        place[side + 'finger'] = (place[side + 'hand']
                                  + 0.3 * (place[side + 'hand'] - place[side + 'wrist']))
        hip, shoulder = place[side + 'hip'], place[side + 'shoulder']
        place[side + 'waist'] = 0.3 * place['pelvis'] + 0.45 * hip + 0.25 * place['spine']
        place[side + 'chest'] = 0.2 * place['neck'] + 0.5 * shoulder + 0.3 * place['chest']
        place[side + 'seat'] = (0.8 * hip + 0.2 * place['pelvis']
                                - 0.045 * settings.girth * belly - 0.03 * trunk)
    depth = 0.1 * settings.girth - 0.5 * settings.trim_m
    place['throat'] = 0.6 * place['neck'] + 0.4 * place['chest'] + (depth - 0.01) * belly
    place['navel'] = 0.3 * place['pelvis'] + 0.7 * place['spine'] + (depth + 0.02) * belly
    size = settings.girth * settings.head_girth
    for name, across_m, front_m, up_m in _FACE:
        place[name] = place['head'] + size * (across_m * right + front_m * front + up_m * up)
    place['chin'] = place['head'] + 0.03 * front - 0.05 * up
    place['skull'] = place['head'] + 0.03 * up
    place['crown'] = place['head'] - 0.018 * front + 0.048 * up
    fall = 0.16 if settings.long_hair else 0.0
    place['nape'] = place['head'] - 0.035 * front - fall * up
    return place


def cones(points: np.ndarray, settings: BodySettings) -> Cones:
    """Return the cones of posed bodies.

    Args:
        points: body points, (N, 24, 3) [m].
        settings: shape and clothing.
    """
    place = _places(points, settings)
    start = np.stack([place[row[1]] for row in _CONES], axis=1)
    end = np.stack([place[row[2]] for row in _CONES], axis=1)
    axis = _unit(end - start)
    right = _unit(place['r_hip'] - place['l_hip'])[:, None]
    front = _unit(np.cross(place['chest'] - place['pelvis'], place['r_hip'] - place['l_hip']))
    across = right - axis * np.sum(axis * right, -1, keepdims=True)
    fallback = front[:, None] - axis * np.sum(axis * front[:, None], -1, keepdims=True)
    # the hip line defines no side for a limb parallel to it: blend in the front continuously
    weight = np.clip(np.linalg.norm(across, axis=-1, keepdims=True) * 3.0, 0.0, 1.0)
    side = _unit(weight * across + (1.0 - weight) * fallback)
    return Cones(start, end, side, *wardrobe(settings))
