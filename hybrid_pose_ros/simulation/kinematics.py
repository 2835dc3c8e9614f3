# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics of a person: from joint angles to body points.

The person stands near the origin and faces -y. All angles are radians; forward is positive.
"""

import numpy as np

from hybrid_pose_ros.simulation.body import BODY_POINTS

_LIMB_ANGLES = ('shoulder_flex', 'shoulder_out', 'shoulder_twist', 'elbow', 'hip_flex', 'hip_out',
                'knee', 'foot')
ANGLES = ('yaw', 'lean', 'side_lean', 'bend', 'twist', 'nod', 'look', 'hop_m', 'x_m', 'y_m',
          *('r_' + name for name in _LIMB_ANGLES), *('l_' + name for name in _LIMB_ANGLES))
"""Components of a posture; the angle of a foot is its pitch relative to the floor."""

ANGLE_INDEX = {name: index for index, name in enumerate(ANGLES)}

# offset of each point from its parent, x to the person's left and y to the back [m]
_SPINE, _CHEST = np.array([0.0, 0.0, 0.115]), np.array([0.0, -0.005, 0.115])
_NECK = np.array([0.0, 0.015, 0.245])
_HEAD, _HEAD_TOP = np.array([0.0, -0.03, 0.14]), np.array([0.0, 0.0, 0.105])
_SHOULDER = np.array([0.185, 0.01, -0.055])  # from the neck
_HIP = np.array([0.09, 0.0, -0.085])  # from the pelvis
_UPPER_ARM, _FOREARM, _HAND, _THIGH, _SHIN = 0.285, 0.25, 0.09, 0.42, 0.415
_TOE, _TOE_END = np.array([0.0, -0.125, -0.055]), np.array([0.0, -0.185, -0.06])
_SOLE_M = 0.09  # height of the ankle above the floor
_DOWN = np.array([0.0, 0.0, -1.0])


def smooth_step(x: np.ndarray) -> np.ndarray:
    """Return 0 below 0, 1 above 1, and a twice continuously differentiable step in between."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (x * (6.0 * x - 15.0) + 10.0)


def _rotation(axis: int, angle: np.ndarray) -> np.ndarray:
    """Return rotations (N, 3, 3) by angles (N,) about axis 0 (x), 1 (y) or 2 (z)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    rotation = np.zeros((len(angle), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    rotation[:, axis, axis] = 1.0
    rotation[:, i, i] = rotation[:, j, j] = cosine
    rotation[:, i, j], rotation[:, j, i] = -sine, sine
    return rotation


def forward_kinematics(angles: np.ndarray, stature_m: float = 1.75) -> np.ndarray:
    """Return the body points (N, 24, 3) [m] of postures (N, len(ANGLES)); lowest foot at z = 0."""
    angle = {name: angles[:, index] for name, index in ANGLE_INDEX.items()}
    heading = _rotation(2, angle['yaw'])
    pelvis = heading @ _rotation(1, angle['side_lean']) @ _rotation(0, angle['lean'])
    half_bend = _rotation(2, 0.5 * angle['twist']) @ _rotation(0, 0.5 * angle['bend'])
    waist = pelvis @ half_bend
    chest = waist @ half_bend
    place = {'pelvis': np.zeros((len(angles), 3))}
    place['spine'] = pelvis @ _SPINE
    place['chest'] = place['spine'] + waist @ _CHEST
    place['neck'] = place['chest'] + chest @ _NECK
    head = chest @ _rotation(2, angle['look']) @ _rotation(0, angle['nod'])
    place['head'] = place['neck'] + head @ _HEAD
    place['head_top'] = place['head'] + head @ _HEAD_TOP
    for side, left in (('r_', -1.0), ('l_', 1.0)):
        limb = {name: angle[side + name] for name in _LIMB_ANGLES}
        found = {**_arm(limb, place['neck'], chest, left),
                 **_leg(limb, place['pelvis'], pelvis, heading, left)}
        place |= {side + name: where for name, where in found.items()}
    points = np.stack([place[name] for name in BODY_POINTS], axis=1)
    return _on_the_floor(points, angle) * (stature_m / 1.75)


def _arm(limb: dict, neck: np.ndarray, chest: np.ndarray, left: float) -> dict:
    """Return the points of an arm; left is 1 for the left arm and -1 for the right one."""
    upper = (chest @ _rotation(1, -left * limb['shoulder_out'])
             @ _rotation(0, -limb['shoulder_flex'])
             @ _rotation(2, left * limb['shoulder_twist']))
    forearm = upper @ _rotation(0, -limb['elbow'])
    # the collarbone follows a raised arm
    raised = 0.05 * smooth_step(0.5 * (upper @ _DOWN)[:, 2:] + 0.5) * -_DOWN
    shoulder = neck + chest @ (_SHOULDER * [left, 1.0, 1.0]) + raised
    elbow = shoulder + upper @ (_UPPER_ARM * _DOWN)
    wrist = elbow + forearm @ (_FOREARM * _DOWN)
    return {'shoulder': shoulder, 'elbow': elbow, 'wrist': wrist,
            'hand': wrist + forearm @ (_HAND * _DOWN)}


def _leg(limb: dict, middle: np.ndarray, pelvis: np.ndarray, heading: np.ndarray,
         left: float) -> dict:
    """Return the points of a leg; left is 1 for the left leg and -1 for the right one."""
    thigh = (pelvis @ _rotation(1, -left * limb['hip_out'])
             @ _rotation(0, -limb['hip_flex']))
    shin = thigh @ _rotation(0, limb['knee'])
    outward = _rotation(2, np.full(len(heading), 0.2 * left))
    foot = heading @ outward @ _rotation(0, limb['foot'])
    hip = middle + pelvis @ (_HIP * [left, 1.0, 1.0])
    knee = hip + thigh @ (_THIGH * _DOWN)
    ankle = knee + shin @ (_SHIN * _DOWN)
    return {'hip': hip, 'knee': knee, 'ankle': ankle, 'toe': ankle + foot @ _TOE,
            'toe_end': ankle + foot @ _TOE_END}


def _on_the_floor(points: np.ndarray, angle: dict) -> np.ndarray:
    """Translate the bodies so that the supporting foot stays still on the floor."""
    ankles = points[:, [BODY_POINTS.index('r_ankle'), BODY_POINTS.index('l_ankle')]]
    height = ankles[..., 2] - _SOLE_M
    lowest = height.min(axis=1, keepdims=True)
    weight = np.exp(-(height - lowest) / 0.03)
    weight /= weight.sum(axis=1, keepdims=True)
    floor = np.sum(weight * height, axis=1)
    move = -np.einsum('nf,nfc->nc', weight, ankles)
    move[:, 0] = angle['x_m'] + 0.35 * move[:, 0]  # partly over the supporting foot
    move[:, 1] += angle['y_m']
    move[:, 2] = angle['hop_m'] - floor
    return points + move[:, None]
