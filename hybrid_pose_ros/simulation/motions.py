# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motions that we wrote: joint angles over time, turned into body points by forward kinematics.

The person stands near the origin and faces -y. All angles are radians; forward is positive.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.simulation.body import BODY_POINTS


class Motion(Protocol):
    """Anything that poses a body at given times."""

    duration_s: float  # infinite where it never ends

    def sample(self, times_s: np.ndarray) -> np.ndarray:
        """Return the body points (N, 24, 3) [m] at times (N,) [s]."""
        ...


ANGLES = ('yaw', 'lean', 'side_lean', 'bend', 'twist', 'nod', 'look', 'hop_m', 'x_m', 'y_m') + tuple(
    side + name for side in ('r_', 'l_') for name in (
        'shoulder_flex', 'shoulder_out', 'shoulder_twist', 'elbow', 'hip_flex', 'hip_out',
        'knee', 'foot'))
"""What a posture is made of; a foot's angle is its pitch against the floor."""

_INDEX = {name: index for index, name in enumerate(ANGLES)}
_REST = {'shoulder_out': 0.14, 'elbow': 0.2, 'hip_out': 0.06, 'hip_flex': 0.02, 'knee': 0.05}
BLEND_S = 0.7
"""How long one activity fades into the next."""


class Style(NamedTuple):
    """How a person does an activity this time."""

    pace: float  # factor on the speed, about 1
    reach: float  # factor on the amplitude, about 1
    side: str  # 'r_' or 'l_': the hand or leg that leads
    phase: float  # 0 to 1


def _other(side: str) -> str:
    return 'l_' if side == 'r_' else 'r_'


def _swing(phase: np.ndarray) -> np.ndarray:
    """Return 0 to 1 to 0, once a turn of the phase [rad]."""
    return 0.5 - 0.5 * np.cos(phase)


def _lift(phase: np.ndarray) -> np.ndarray:
    """Return the positive half of a sine with rounded corners, 0 to about 1."""
    sine = np.sin(phase)
    return 0.5 * (sine + np.sqrt(sine * sine + 0.04))


def smooth_step(x: np.ndarray) -> np.ndarray:
    """Return 0 below 0, 1 above 1, and between them a step with two continuous derivatives."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (x * (6.0 * x - 15.0) + 10.0)


def _stand(t, style):
    sway = 2.0 * np.pi * 0.25 * t
    return {'side_lean': 0.015 * np.sin(sway), 'look': 0.25 * style.reach * np.sin(0.6 * sway),
            'bend': 0.03 + 0.01 * np.sin(1.3 * sway)}


def _steps(t, style, *, rate_hz, hip, knee, arms, elbow):
    phase = 2.0 * np.pi * (rate_hz * style.pace * t + style.phase)
    pose = {'twist': -0.12 * arms * np.sin(phase), 'side_lean': 0.03 * np.sin(phase)}
    for side, turn in (('r_', phase), ('l_', phase + np.pi)):
        lift = _lift(turn)
        pose[side + 'hip_flex'] = 0.05 + hip * style.reach * lift
        pose[side + 'knee'] = 0.1 + knee * style.reach * lift
        pose[side + 'foot'] = 0.5 * lift
        pose[side + 'shoulder_flex'] = -arms * style.reach * np.sin(turn) + 0.1
        pose[side + 'elbow'] = elbow - 0.25 * arms * np.sin(turn)
    return pose


def _walk(t, style):
    return _steps(t, style, rate_hz=0.9, hip=0.65, knee=1.15, arms=0.5, elbow=0.45)


def _march(t, style):
    return _steps(t, style, rate_hz=0.8, hip=1.4, knee=1.5, arms=0.8, elbow=0.7)


def _run(t, style):
    phase = 2.0 * np.pi * (1.35 * style.pace * t + style.phase)
    pose = _steps(t, style, rate_hz=1.35, hip=0.8, knee=1.7, arms=0.7, elbow=1.4)
    return {**pose, 'hop_m': 0.05 * np.sin(phase) ** 2, 'lean': 0.08}


def _wave(t, style):
    side, phase = style.side, 2.0 * np.pi * (1.5 * style.pace * t + style.phase)
    return {side + 'shoulder_out': 1.45 + 0.1 * np.sin(phase),
            side + 'shoulder_twist': 1.45 + 0.25 * np.sin(phase),
            side + 'elbow': 1.35 + 0.5 * style.reach * np.sin(phase),
            'look': 0.1 * np.sin(0.3 * phase), 'side_lean': 0.03 * np.sin(0.25 * phase)}


def _jumping_jack(t, style):
    phase = 2.0 * np.pi * 0.9 * style.pace * t
    open_ = _swing(phase)
    pose = {'hop_m': 0.1 * np.sin(phase) ** 2}
    for side in ('r_', 'l_'):
        pose[side + 'shoulder_out'] = 0.15 + 2.55 * style.reach * open_
        pose[side + 'elbow'] = 0.25
        pose[side + 'hip_out'] = 0.06 + 0.38 * open_
        pose[side + 'knee'] = 0.08 + 0.35 * np.cos(phase) ** 4
        pose[side + 'hip_flex'] = 0.04 + 0.17 * np.cos(phase) ** 4
    return pose


def _squat(t, style):
    down = _swing(2.0 * np.pi * 0.4 * style.pace * t) * min(style.reach, 1.1)
    pose = {'bend': 0.35 * down, 'lean': 0.35 * down, 'nod': -0.4 * down}
    for side in ('r_', 'l_'):
        pose[side + 'hip_flex'] = 0.02 + 1.75 * down
        pose[side + 'knee'] = 0.05 + 1.95 * down
        pose[side + 'hip_out'] = 0.06 + 0.25 * down
        pose[side + 'shoulder_flex'] = 1.45 * down
    return pose


def _turn(t, style):
    """Turn once around on the spot, with small steps, in about 2.9 s."""
    progress = smooth_step(t * style.pace / 2.9)
    direction = 1.0 if style.side == 'l_' else -1.0
    yaw = np.where(progress < 1.0, direction * 2.0 * np.pi * progress, 0.0)
    moving = np.minimum(4.0 * progress * (1.0 - progress), 1.0)
    steps = _steps(t, style, rate_hz=1.1, hip=0.4, knee=0.7, arms=0.25, elbow=0.35)
    return {'yaw': yaw, **{name: angle * moving for name, angle in steps.items()}}


def _look_about(t, style):
    swing = np.sin(2.0 * np.pi * 0.22 * style.pace * t)
    return {'yaw': 0.9 * style.reach * swing, 'look': 0.5 * swing, 'twist': 0.35 * swing,
            **_steps(t, style, rate_hz=0.9, hip=0.25, knee=0.45, arms=0.15, elbow=0.3)}


def _arm_circles(t, style):
    phase = 2.0 * np.pi * 0.7 * style.pace * t
    pose = {'bend': 0.02 * np.sin(phase)}
    for side in ('r_', 'l_'):
        pose[side + 'shoulder_out'] = 1.45 + 0.6 * style.reach * np.sin(phase)
        pose[side + 'shoulder_flex'] = 0.6 * style.reach * np.cos(phase)
        pose[side + 'elbow'] = 0.15
    return pose


def _box(t, style):
    phase = 2.0 * np.pi * (1.1 * style.pace * t + style.phase)
    pose = {'twist': 0.25 * np.sin(phase), 'lean': 0.06, 'r_hip_flex': 0.25, 'l_hip_flex': 0.2,
            'r_knee': 0.4, 'l_knee': 0.35, 'hop_m': 0.01 * np.sin(phase) ** 2}
    for side, turn in (('r_', phase), ('l_', phase + np.pi)):
        punch = _lift(turn) ** 2
        pose[side + 'shoulder_flex'] = 0.55 + 0.95 * style.reach * punch
        pose[side + 'shoulder_out'] = 0.3 - 0.2 * punch
        pose[side + 'elbow'] = 2.1 - 1.95 * punch
    return pose


def _kick(t, style):
    lead, phase = style.side, 2.0 * np.pi * 0.5 * style.pace * t
    kick = _lift(phase) ** 2
    back = _lift(phase + np.pi) ** 2
    other = _other(lead)
    return {lead + 'hip_flex': 0.05 + 1.2 * style.reach * kick - 0.35 * back,
            lead + 'knee': 0.1 + 0.9 * back + 0.15 * kick, lead + 'foot': 0.3 * back - 0.7 * kick,
            'lean': -0.12 * kick + 0.1 * back, other + 'knee': 0.18 + 0.05 * kick,
            other + 'hip_flex': 0.1, other + 'shoulder_flex': 0.9 * kick - 0.2 * back,
            lead + 'shoulder_flex': -0.4 * kick, other + 'shoulder_out': 0.4, 'twist': 0.2 * kick}


def _bow(t, style):
    down = _swing(2.0 * np.pi * 0.28 * style.pace * t)
    pose = {'lean': 0.7 * style.reach * down, 'bend': 0.5 * down, 'nod': 0.2 * down}
    for side in ('r_', 'l_'):
        pose[side + 'hip_flex'] = 0.02 + 0.7 * style.reach * down
        pose[side + 'shoulder_flex'] = 0.9 * down
    return pose


def _reach(t, style):
    up = _swing(2.0 * np.pi * 0.35 * style.pace * t)
    lead = style.side
    return {lead + 'shoulder_flex': 2.7 * style.reach * up, lead + 'elbow': 0.2 + 0.9 * up * (1 - up),
            'side_lean': (0.1 if lead == 'r_' else -0.1) * up, 'bend': -0.08 * up,
            'nod': -0.3 * up, 'twist': 0.15 * up}


def _side_step(t, style):
    phase = 2.0 * np.pi * 0.45 * style.pace * t
    pose = {'x_m': 0.28 * style.reach * np.sin(phase)}
    for side, turn in (('r_', phase), ('l_', phase + np.pi)):
        pose[side + 'hip_out'] = 0.06 + 0.3 * np.sin(phase) ** 2
        pose[side + 'hip_flex'] = 0.08 + 0.3 * _lift(2.0 * turn)
        pose[side + 'knee'] = 0.15 + 0.5 * _lift(2.0 * turn)
        pose[side + 'shoulder_out'] = 0.25 + 0.2 * np.sin(phase) ** 2
    return pose


ACTIVITIES: dict[str, Callable[[np.ndarray, Style], dict]] = {
    'walk': _walk, 'wave': _wave, 'jumping_jack': _jumping_jack, 'squat': _squat, 'turn': _turn,
    'stand': _stand, 'march': _march, 'run': _run, 'look_about': _look_about,
    'arm_circles': _arm_circles, 'box': _box, 'kick': _kick, 'bow': _bow, 'reach': _reach,
    'side_step': _side_step}
DEMO = ('walk', 'wave', 'jumping_jack', 'squat', 'turn', 'arm_circles', 'box')


def posture(activity: str, times_s: np.ndarray, style: Style) -> np.ndarray:
    """Return the angles of an activity at times (N,) since it began, (N, len(ANGLES))."""
    angles = np.zeros((len(times_s), len(ANGLES)))
    for name, value in _REST.items():
        angles[:, [_INDEX['r_' + name], _INDEX['l_' + name]]] = value
    for name, value in ACTIVITIES[activity](times_s, style).items():
        angles[:, _INDEX[name]] = value
    return angles


class _Segment(NamedTuple):
    start_s: float
    activity: str
    style: Style


class GeneratedMotion:
    """An endless sequence of activities that fade into each other; the same for the same seed."""

    duration_s = np.inf

    def __init__(self, seed: int = 0, activities: Sequence[str] = DEMO, *, stature_m: float = 1.75,
                 segment_s: tuple[float, float] = (3.5, 6.5)):
        """Draw nothing yet.

        Args:
            seed: of the order, paces and durations.
            activities: names of ACTIVITIES to choose from; each comes once before one comes again.
            stature_m: height of the person [m].
            segment_s: shortest and longest activity [s].
        """
        unknown = [name for name in activities if name not in ACTIVITIES]
        if unknown or not activities:
            raise InputError(f'activities {", ".join(unknown) or "(none)"} are not known: choose '
                             f'from {", ".join(ACTIVITIES)}')
        self._rng = np.random.default_rng(seed)
        self._activities = tuple(activities)
        self._stature_m = stature_m
        self._segment_s = segment_s
        self._queue: list[str] = []
        self._segments: list[_Segment] = []
        self._end_s = 0.0

    def sample(self, times_s: np.ndarray) -> np.ndarray:
        """Return the body points (N, 24, 3) [m] at times (N,) [s]."""
        times_s = np.asarray(times_s, np.float64)
        return forward_kinematics(self.angles(times_s), self._stature_m)

    def angles(self, times_s: np.ndarray) -> np.ndarray:
        """Return the joint angles (N, len(ANGLES)) at times (N,) [s]."""
        self._extend_to(times_s.max(initial=0.0))
        angles = np.zeros((len(times_s), len(ANGLES)))
        ends = [segment.start_s for segment in self._segments[1:]] + [self._end_s]
        for index, (segment, end_s) in enumerate(zip(self._segments, ends, strict=True)):
            since = times_s - segment.start_s
            weight = 1.0 - smooth_step((times_s - end_s) / BLEND_S)
            if index:
                weight = weight - (1.0 - smooth_step(since / BLEND_S))
            active = weight > 0.0
            if active.any():
                angles[active] += weight[active, None] * posture(
                    segment.activity, since[active], segment.style)
        return angles

    def _extend_to(self, time_s: float) -> None:
        rng = self._rng
        while self._end_s <= time_s:
            if not self._queue:
                self._queue = list(rng.permutation(self._activities))
            style = Style(rng.uniform(0.85, 1.2), rng.uniform(0.85, 1.1),
                          ('r_', 'l_')[rng.integers(2)], rng.random())
            self._segments.append(_Segment(self._end_s, str(self._queue.pop()), style))
            self._end_s += rng.uniform(*self._segment_s)


def _rotation(axis: int, angle: np.ndarray) -> np.ndarray:
    """Return rotations (N, 3, 3) by angles (N,) about the axis 0 x, 1 y or 2 z."""
    cosine, sine = np.cos(angle), np.sin(angle)
    rotation = np.zeros((len(angle), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    rotation[:, axis, axis] = 1.0
    rotation[:, i, i] = rotation[:, j, j] = cosine
    rotation[:, i, j], rotation[:, j, i] = -sine, sine
    return rotation


_TRUNK = {'spine': (0.0, 0.0, 0.115), 'chest': (0.0, -0.005, 0.115), 'neck': (0.0, 0.015, 0.245)}
_SHOULDER = np.array([0.185, 0.01, -0.055])  # from the neck; x to the person's left
_HIP = np.array([0.09, 0.0, -0.085])
_UPPER_ARM, _FOREARM, _HAND, _THIGH, _SHIN = 0.285, 0.25, 0.09, 0.42, 0.415
_FOOT = {'toe': (0.0, -0.125, -0.055), 'toe_end': (0.0, -0.185, -0.06)}
_SOLE_M = 0.09  # of the ankle above the floor
_DOWN = np.array([0.0, 0.0, -1.0])


def forward_kinematics(angles: np.ndarray, stature_m: float = 1.75) -> np.ndarray:
    """Return body points (N, 24, 3) [m] of postures (N, len(ANGLES)), lowest foot on the floor."""
    angle = {name: angles[:, index] for name, index in _INDEX.items()}
    place: dict[str, np.ndarray] = {'pelvis': np.zeros((len(angles), 3))}
    heading = _rotation(2, angle['yaw'])
    pelvis = heading @ _rotation(1, angle['side_lean']) @ _rotation(0, angle['lean'])
    half_bend = _rotation(2, 0.5 * angle['twist']) @ _rotation(0, 0.5 * angle['bend'])
    waist = pelvis @ half_bend
    chest = waist @ half_bend
    place['spine'] = pelvis @ np.array(_TRUNK['spine'])
    place['chest'] = place['spine'] + waist @ np.array(_TRUNK['chest'])
    place['neck'] = place['chest'] + chest @ np.array(_TRUNK['neck'])
    head = chest @ _rotation(2, angle['look']) @ _rotation(0, angle['nod'])
    place['head'] = place['neck'] + head @ np.array([0.0, -0.03, 0.14])
    place['head_top'] = place['head'] + head @ np.array([0.0, 0.0, 0.105])
    for side, left in (('r_', -1.0), ('l_', 1.0)):
        mirror = np.array([left, 1.0, 1.0])
        _arm(place, angle, chest, side, left, mirror)
        _leg(place, angle, pelvis, heading, side, left, mirror)
    points = np.stack([place[name] for name in BODY_POINTS], axis=1)
    return _on_the_floor(points, angle) * (stature_m / 1.75)


def _arm(place, angle, chest, side, left, mirror):
    shoulder = (chest @ _rotation(1, -left * angle[side + 'shoulder_out'])
                @ _rotation(0, -angle[side + 'shoulder_flex'])
                @ _rotation(2, left * angle[side + 'shoulder_twist']))
    forearm = shoulder @ _rotation(0, -angle[side + 'elbow'])
    # the collar bone follows a raised arm
    raised = 0.05 * smooth_step(0.5 * (shoulder @ _DOWN)[:, 2:] + 0.5) * -_DOWN
    place[side + 'shoulder'] = place['neck'] + chest @ (mirror * _SHOULDER) + raised
    place[side + 'elbow'] = place[side + 'shoulder'] + shoulder @ (_UPPER_ARM * _DOWN)
    place[side + 'wrist'] = place[side + 'elbow'] + forearm @ (_FOREARM * _DOWN)
    place[side + 'hand'] = place[side + 'wrist'] + forearm @ (_HAND * _DOWN)


def _leg(place, angle, pelvis, heading, side, left, mirror):
    hip = (pelvis @ _rotation(1, -left * angle[side + 'hip_out'])
           @ _rotation(0, -angle[side + 'hip_flex']))
    shin = hip @ _rotation(0, angle[side + 'knee'])
    foot = heading @ _rotation(2, left * 0.2 * np.ones(len(heading))) \
        @ _rotation(0, angle[side + 'foot'])
    place[side + 'hip'] = place['pelvis'] + pelvis @ (mirror * _HIP)
    place[side + 'knee'] = place[side + 'hip'] + hip @ (_THIGH * _DOWN)
    place[side + 'ankle'] = place[side + 'knee'] + shin @ (_SHIN * _DOWN)
    for name, offset in _FOOT.items():
        place[side + name] = place[side + 'ankle'] + foot @ np.array(offset)


def _on_the_floor(points: np.ndarray, angle: dict) -> np.ndarray:
    """Move bodies so that the foot that carries stands still, on the floor."""
    ankles = points[:, [BODY_POINTS.index('r_ankle'), BODY_POINTS.index('l_ankle')]]
    height = ankles[..., 2] - _SOLE_M
    lowest = height.min(axis=1, keepdims=True)
    weight = np.exp(-(height - lowest) / 0.03)
    weight /= weight.sum(axis=1, keepdims=True)
    floor = np.sum(weight * height, axis=1)
    move = -np.einsum('nf,nfc->nc', weight, ankles)
    move[:, 0] = angle['x_m'] + 0.35 * move[:, 0]  # half of the way over the carrying foot
    move[:, 1] += angle['y_m']
    move[:, 2] = angle['hop_m'] - floor
    return points + move[:, None]
