# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.simulation.camera import CAMERAS, SwaySettings, look_at
from hybrid_pose_ros.simulation.kinematics import ANGLES, forward_kinematics
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.simulation.renderer import NOTHING
from hybrid_pose_ros.simulation.scene import SimulatedScene
from hybrid_pose_ros.simulation.scene_settings import (
    IDEAL, LIVE, OFFICE, LightSettings, TimingSettings, random_scene)

HAND_L, SHOULDER_R, HIP_R, FOOT_R = 8, 1, 5, 11


class Still:
    """Somebody who holds a posture, with further angles on top."""

    duration_s = np.inf

    def __init__(self, **angles):
        self._angles = np.zeros((1, len(ANGLES)))
        for name, value in angles.items():
            self._angles[0, ANGLES.index(name)] = value

    def sample(self, times_s):
        return np.repeat(forward_kinematics(self._angles), len(times_s), axis=0)


def simulate(motion=None, camera=None, settings=LIVE, *, seed=0, duration_us=100_000):
    """Return the scene, all its events and its slices."""
    scene = SimulatedScene(motion, camera, settings, seed=seed, duration_us=duration_us)
    slices = list(scene)
    return scene, np.concatenate([piece.events for piece in slices]), slices


def test_the_same_seed_gives_the_same_events():
    first, second, other = (simulate(settings=OFFICE, seed=seed)[1] for seed in (3, 3, 4))
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_a_scene_ends_after_its_duration_even_within_a_slice():
    timing = TimingSettings(label_us=1_000, slice_us=4_000)
    _, _, slices = simulate(settings=dataclasses.replace(LIVE, timing=timing), duration_us=6_000)
    assert [piece.end_us for piece in slices] == [4_000, 6_000]


def test_a_slice_must_hold_whole_labels():
    with pytest.raises(InputError, match='slice_us = 2500 is not a multiple of label_us = 1000'):
        TimingSettings(label_us=1_000, slice_us=2_500)


def test_the_events_of_a_slice_are_sorted_and_lie_in_it():
    for piece in simulate(settings=OFFICE, duration_us=300_000)[2]:
        assert (np.diff(piece.events['t']) >= 0).all()
        assert piece.start_us <= piece.events['t'].min(initial=piece.end_us - 1)
        assert piece.events['t'].max(initial=piece.start_us) < piece.end_us


def test_nobody_who_holds_still_makes_an_event():
    assert len(simulate(Still(), settings=IDEAL)[1]) == 0


def test_labels_come_every_millisecond_and_the_last_one_at_the_end():
    _, _, slices = simulate(settings=IDEAL, duration_us=200_000)
    stamps = np.concatenate([piece.labels.t for piece in slices])
    assert np.array_equal(stamps, np.arange(1_000, 201_000, 1_000))


def test_labels_are_the_pinhole_projection_of_the_joints():
    _, _, slices = simulate(camera=CAMERAS['dhp19-3'])
    labels = slices[-1].labels
    view = CAMERAS['dhp19-3']
    x, y, w = view.intrinsics @ (view.rotation @ labels.joints_mm[-1, 0] / 1000.0
                                 + view.translation)
    assert np.allclose(labels.joints_px[-1, 0], (x / w, y / w), atol=1e-3)


def test_joints_lie_inside_the_silhouette():
    scene, _, slices = simulate(GeneratedMotion(2, ('walk', 'squat')), duration_us=8_000)
    x, y = slices[-1].labels.joints_px[-1].astype(int).T
    assert (scene.parts[y, x] != NOTHING).all()


def test_a_hand_behind_the_back_is_hidden_and_one_before_it_is_not():
    _, _, slices = simulate(Still(l_shoulder_flex=-0.5, l_elbow=0.9, l_shoulder_twist=-1.3))
    behind = slices[-1].labels
    _, _, slices = simulate(Still(l_shoulder_flex=0.5, l_elbow=1.2, l_shoulder_twist=-1.3))
    before = slices[-1].labels
    assert behind.occluded[-1, HAND_L] and behind.visible[-1, HAND_L]
    assert not before.occluded[-1, HAND_L]


def test_nothing_of_somebody_who_faces_the_camera_with_arms_out_is_hidden():
    _, _, slices = simulate(Still(l_shoulder_out=0.5, r_shoulder_out=0.5))
    assert not slices[-1].labels.occluded.any()


def test_the_far_side_of_somebody_seen_from_the_left_is_hidden():
    view = look_at((3.0, 0.0, 1.0), (0.0, 0.0, 0.9), focal_px=300.0)
    hidden = simulate(Still(), view)[2][-1].labels.occluded[-1]
    assert hidden[SHOULDER_R] and hidden[HIP_R]
    assert not hidden[SHOULDER_R + 1] and not hidden[HIP_R + 1]


def test_joints_outside_the_image_are_neither_visible_nor_hidden():
    view = look_at((0.0, -1.2, 1.4), (0.0, 0.0, 1.4), focal_px=340.0)
    labels = simulate(Still(), view)[2][-1].labels
    assert not labels.visible[-1, FOOT_R] and not labels.occluded[-1, FOOT_R]
    assert labels.visible[-1, 0]


def test_a_camera_that_sees_nobody_gives_labels_that_say_so():
    view = look_at((0.0, -3.0, 1.0), (0.0, -9.0, 1.0), focal_px=340.0)
    _, events, slices = simulate(GeneratedMotion(0, ('run',)), view, settings=IDEAL)
    assert len(events) == 0
    assert not slices[-1].labels.visible.any()


def test_halving_the_thresholds_about_doubles_the_events():
    counts = []
    for threshold in (0.1, 0.2):
        sensor = dataclasses.replace(IDEAL.sensor, threshold_on=threshold,
                                     threshold_off=threshold)
        setup = dataclasses.replace(IDEAL, sensor=sensor)
        counts.append(len(simulate(GeneratedMotion(1, ('jumping_jack',)), settings=setup,
                                   duration_us=300_000)[1]))
    assert counts[0] / counts[1] == pytest.approx(2.0, rel=0.12)


def test_two_image_rates_agree_about_the_events():
    counts = []
    for label_us in (500, 1_000):
        timing = TimingSettings(label_us=label_us, slice_us=100_000, step_px=0.0)
        setup = dataclasses.replace(OFFICE, timing=timing)
        counts.append(len(simulate(GeneratedMotion(1, ('jumping_jack',)), settings=setup,
                                   duration_us=300_000)[1]))
    assert counts[0] == pytest.approx(counts[1], rel=0.03)


def test_fast_motion_is_drawn_more_finely():
    timing = TimingSettings(label_us=10_000, slice_us=100_000, step_px=0.5)
    scene = SimulatedScene(GeneratedMotion(1, ('box',)),
                           settings=dataclasses.replace(IDEAL, timing=timing))
    block = scene._block(np.arange(0, 500_000, 10_000))
    steps = np.diff(block.frames_until)
    assert steps.min() >= 1 and steps.max() > 3
    assert np.array_equal(block.stamps_us[block.frames_until[1:] - 1], block.labels.t)


def test_a_swaying_camera_makes_events_of_the_wall_and_labels_that_follow():
    setup = dataclasses.replace(IDEAL, sway=SwaySettings(turn_deg=2.0, period_s=1.0))
    _, events, slices = simulate(Still(), settings=setup)
    assert (events['x'] < 50).any() and (events['x'] > 300).any()
    labels, camera = slices[-1].labels, slices[-1].camera
    assert camera.rotation.shape == (len(labels.t), 3, 3)
    last = camera._replace(rotation=camera.rotation[-1], translation=camera.translation[-1])
    assert np.allclose(last.project(labels.joints_mm[-1] / 1000.0), labels.joints_px[-1],
                       atol=0.01)


def test_flicker_makes_events_everywhere():
    setup = dataclasses.replace(IDEAL, light=LightSettings(flicker=0.2))
    _, events, _ = simulate(Still(), settings=setup, duration_us=20_000)
    seen = np.unique(events[['x', 'y']])
    assert len(seen) > 0.9 * 346 * 260


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1))
def test_any_random_scene_can_be_simulated(seed):
    setup = random_scene(np.random.default_rng(seed))
    _, events, slices = simulate(settings=setup, duration_us=10_000, seed=seed)
    assert events['x'].max(initial=0) < 346 and events['y'].max(initial=0) < 260
    assert slices[-1].end_us == 10_000
