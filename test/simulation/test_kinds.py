# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a scene of each kind isolates."""

import dataclasses

import numpy as np
import pytest

from hybrid_pose_ros.simulation.kinds import ISOLATED, KINDS, STATURE_M, random_setting
from hybrid_pose_ros.simulation.scene import SimulatedScene

SEEDS = range(40)
FEET_AND_HEAD = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, STATURE_M]])


def settings(kind):
    return [random_setting(kind, np.random.default_rng(seed)) for seed in SEEDS]


@pytest.mark.parametrize('kind, parts', [
    ('any_heading', set()), ('moving_camera', {'sway'}), ('clutter', {'props'}),
    ('small', set()), ('noisy', {'sensor'})])
def test_a_kind_differs_from_the_benchmark_of_its_seed_in_what_it_isolates(kind, parts):
    for plain, other in zip(settings('benchmark'), settings(kind), strict=True):
        differing = {field.name for field in dataclasses.fields(plain.scene)
                     if getattr(plain.scene, field.name) != getattr(other.scene, field.name)}
        assert differing == parts


def test_headings_are_all_round_and_the_distance_stays():
    angles = []
    for plain, turned in zip(settings('benchmark'), settings('any_heading'), strict=True):
        assert np.linalg.norm(turned.camera.center) == pytest.approx(
            np.linalg.norm(plain.camera.center))
        angles.append(np.arctan2(*(turned.camera.center[:2] - 0)))
    assert {int(np.floor(angle / (np.pi / 2))) for angle in angles} == {-2, -1, 0, 1}


def test_small_people_are_50_to_90_px_tall():
    for setting in settings('small'):
        feet, head = setting.camera.project(FEET_AND_HEAD)
        assert 35 < np.linalg.norm(head - feet) < 115  # shorter from above, longer aside


def test_nobody_is_drawn_or_labeled_where_nobody_is_present():
    for seed in range(4):
        scene, camera = random_setting('nobody', np.random.default_rng(seed))
        assert not scene.staging.present and not scene.props.held
        simulated = SimulatedScene(camera=camera, settings=scene, seed=seed, duration_us=100_000)
        piece = next(iter(simulated))
        assert not piece.labels.visible.any()
        assert (simulated.parts >= 0).any() == (scene.props.number > 0)


def test_things_hide_joints_and_are_hidden():
    """A person among poles hides no more joints than one alone only where poles are behind."""
    hidden = {0: 0, 40: 0}
    for seed in range(3):
        scene, camera = random_setting('benchmark', np.random.default_rng(seed))
        for poles in hidden:
            props = dataclasses.replace(scene.props, poles=poles)
            piece = next(iter(SimulatedScene(
                camera=camera, settings=dataclasses.replace(scene, props=props), seed=seed,
                duration_us=100_000)))
            hidden[poles] += piece.labels.occluded.sum()
    assert hidden[40] > hidden[0]


@pytest.mark.parametrize('kind', [kind for kind in KINDS if kind not in ISOLATED])
def test_settings_of_every_other_kind_are_legal_and_reproducible(kind):
    for seed in SEEDS:
        one, again = (random_setting(kind, np.random.default_rng(seed)) for _ in range(2))
        assert one.scene == again.scene
        assert np.array_equal(one.camera.rotation, again.camera.rotation)


def test_robots_see_people_from_all_sides_and_most_move():
    drawn = settings('robot')
    centers = np.array([setting.camera.center for setting in drawn])
    assert (centers[:, 1] > 0).sum() > 8 and (centers[:, 1] < 0).sum() > 8
    assert 0.4 < np.mean([not setting.scene.sway.still for setting in drawn]) < 0.9
