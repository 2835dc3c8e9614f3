# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Generated motion: joint angles over time, in an endless sequence of activities.

The person stands near the origin and faces -y. All angles are radians; forward is positive.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.simulation.kinematics import (
    ANGLE_INDEX, ANGLES, forward_kinematics, smooth_step)


BLEND_S = 0.7
"""Duration of the transition between two activities."""
_REST = {'shoulder_out': 0.14, 'elbow': 0.2, 'hip_out': 0.06, 'hip_flex': 0.02, 'knee': 0.05}


class Motion(Protocol):
    """A motion that yields the pose of a body at given times."""

    duration_s: float  # infinite for an endless motion

    def sample(self, times_s: np.ndarray) -> np.ndarray:
        """Return the body points (N, 24, 3) [m] at times (N,) [s]."""
        ...


class Style(NamedTuple):
    """Individual variation of an activity."""

    pace: float  # speed factor, about 1
    reach: float  # amplitude factor, about 1
    side: str  # 'r_' or 'l_': the leading hand or leg
    phase: float  # 0 to 1


def _other(side: str) -> str:
    return 'l_' if side == 'r_' else 'r_'


def _swing(phase: np.ndarray) -> np.ndarray:
    """Return values that go from 0 to 1 and back per revolution of the phase [rad]."""
    return 0.5 - 0.5 * np.cos(phase)


def _lift(phase: np.ndarray) -> np.ndarray:
    """Return the positive half of a sine with rounded corners, 0 to about 1."""
    sine = np.sin(phase)
    return 0.5 * (sine + np.sqrt(sine * sine + 0.04))


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
            side + 'shoulder_twist': 1.45 + 0.4 * np.sin(phase),
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
        pose[side + 'shoulder_flex'] = 2.1 * down  # horizontal, since the chest leans
    return pose


def _turn(t, style):
    """Turn once around on the spot with small steps, in about 2.9 s."""
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
    return {lead + 'shoulder_flex': 2.7 * style.reach * up,
            lead + 'elbow': 0.2 + 0.9 * up * (1.0 - up),
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
    """Return the angles of an activity at times (N,) after its start, (N, len(ANGLES))."""
    angles = np.zeros((len(times_s), len(ANGLES)))
    for name, value in _REST.items():
        angles[:, [ANGLE_INDEX['r_' + name], ANGLE_INDEX['l_' + name]]] = value
    for name, value in ACTIVITIES[activity](times_s, style).items():
        angles[:, ANGLE_INDEX[name]] = value
    return angles


class _Segment(NamedTuple):
    start_s: float
    activity: str
    style: Style


class GeneratedMotion:
    """An endless sequence of activities with smooth transitions, determined by the seed."""

    duration_s = np.inf

    def __init__(self, seed: int = 0, activities: Sequence[str] = DEMO, *, stature_m: float = 1.75,
                 segment_s: tuple[float, float] = (3.5, 6.5)):
        """Create the motion; activities are drawn on demand.

        Args:
            seed: random seed of the order, paces and durations.
            activities: names from ACTIVITIES; each occurs once before any is repeated.
            stature_m: height of the person [m].
            segment_s: shortest and longest duration of an activity [s].
        """
        unknown = [name for name in activities if name not in ACTIVITIES]
        if unknown or not activities:
            raise InputError(f'unknown activities {", ".join(unknown) or "(none)"}: choose '
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
