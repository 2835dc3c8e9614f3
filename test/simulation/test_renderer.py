# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hybrid_pose_ros.simulation import renderer
from hybrid_pose_ros.simulation.body import CONE_NAMES, BodySettings, Cones, cones
from hybrid_pose_ros.simulation.camera import CAMERAS, look_at
from hybrid_pose_ros.simulation.motions import GeneratedMotion
from hybrid_pose_ros.simulation.renderer import NOTHING, TILE, Light, Paint
from hybrid_pose_ros.simulation.textures import paint

VIEW = look_at((0.0, -2.0, 1.0), (0.0, 0.0, 1.0), focal_px=300.0)
AMBIENT = Light(*np.array([0.0, 0.0, -1.0, 1.0, 1.0], np.float32))
PLAIN = Paint(np.array([0.8, 0.4], np.float32), np.ones((2, TILE, TILE), np.float32))


def draw(start, end, radii, *, material=None, light=AMBIENT, view=VIEW):
    """Return a canvas with cones between world points (P, 3) before a black wall."""
    start, end = np.array([start], np.float64), np.array([end], np.float64)
    side = np.broadcast_to([1.0, 0.0, 0.0], start.shape)
    material = np.zeros(start.shape[1], np.int64) if material is None else np.array(material)
    body = Cones(start, end, side, np.array(radii, np.float64), material)
    seen = renderer.canvas(np.zeros((view.height, view.width), np.float32))
    renderer.draw(seen, renderer.solids(body, view).frame(0), PLAIN, renderer.lens(view), light)
    return seen


def test_a_sphere_is_a_disc_of_the_right_size_at_the_right_place():
    seen = draw([(0.0, 0.0, 1.0)], [(0.0, 1e-6, 1.0)], [(0.1, 0.1)])
    rows, columns = np.nonzero(seen.part != NOTHING)
    assert (columns + 0.5).mean() == pytest.approx(173.0, abs=0.1)
    assert (rows + 0.5).mean() == pytest.approx(130.0, abs=0.1)
    radius_px = 300.0 * np.tan(np.arcsin(0.1 / 2.0))
    assert seen.brightness.sum() / 0.8 == pytest.approx(np.pi * radius_px ** 2, rel=0.005)


def test_the_nearest_point_of_a_sphere_is_its_radius_before_its_middle():
    seen = draw([(0.0, 0.0, 1.0)], [(0.0, 1e-6, 1.0)], [(0.1, 0.1)])
    assert seen.distance[130, 173] == pytest.approx(1.9, abs=3e-4)


def test_a_capsule_covers_its_rectangle_and_two_half_discs():
    seen = draw([(0.0, 0.0, 0.8)], [(0.0, 0.0, 1.2)], [(0.05, 0.05)])
    area = 60.0 * 15.0 + np.pi * 7.5 ** 2
    assert seen.brightness.sum() / 0.8 == pytest.approx(area, rel=0.01)


def test_every_pixel_of_a_round_cone_agrees_with_a_thousand_spheres():
    """The closed forms for coverage and first hit, against the definition of a round cone."""
    start, end, radii = (-0.3, 0.5, 0.8), (0.25, -0.6, 1.2), (0.05, 0.15)
    seen = draw([start], [end], [radii])
    shares = np.linspace(0.0, 1.0, 1000)
    middles = VIEW.to_camera(np.outer(1.0 - shares, start) + np.outer(shares, end))
    radius = radii[0] + shares * (radii[1] - radii[0])
    lens = renderer.lens(VIEW)
    for x, y in np.random.default_rng(0).integers(0, (346, 260), (3000, 2)):
        ray = np.array([(x + 0.5 - lens.cx) / lens.fx, (y + 0.5 - lens.cy) / lens.fy, 1.0])
        ray /= np.linalg.norm(ray)
        along = middles @ ray
        beside2 = (middles ** 2).sum(axis=1) - along ** 2
        clearance = (np.sqrt(beside2) - radius).min()
        hit = beside2 < radius ** 2
        if clearance < -0.01:
            entry = (along - np.sqrt(np.maximum(radius ** 2 - beside2, 0.0)))[hit].min()
            assert seen.distance[y, x] == pytest.approx(entry, abs=1e-3)
        elif clearance > 0.01:
            assert np.isinf(seen.distance[y, x])


def test_the_nearer_of_two_hides_the_other_in_any_order():
    near, far = (0.0, -0.5, 1.0), (0.0, 0.5, 1.0)
    for first, second, nearest in ((near, far, 0), (far, near, 1)):
        seen = draw([first, second], [first, second], [(0.1, 0.1), (0.1, 0.1)],
                    material=[0, 1])
        assert seen.part[130, 173] == nearest
        assert seen.brightness[130, 173] == pytest.approx(PLAIN.albedo[nearest])


def test_an_edge_moves_smoothly_between_two_pixels():
    """Its pixel brightens as the limb covers it, in steps as small as the limb's."""
    sums, most = [], 0.0
    before = None
    for shift in np.linspace(0.0, 0.01, 31):  # 1.5 px
        seen = draw([(shift, 0.0, 0.8)], [(shift, 0.0, 1.2)], [(0.05, 0.05)])
        sums.append(seen.brightness.sum())
        if before is not None:
            most = max(most, np.abs(seen.brightness - before).max())
        before = seen.brightness
    assert np.ptp(sums) / np.mean(sums) < 0.002
    assert most < 0.8 * 0.05 * 1.3


def test_the_side_towards_the_light_is_brighter():
    from_right = Light(*np.array([1.0, 0.0, 0.0, 0.3, 1.0], np.float32))
    seen = draw([(0.0, 0.0, 0.8)], [(0.0, 0.0, 1.2)], [(0.1, 0.1)], light=from_right)
    assert seen.brightness[130, 183] > 2.0 * seen.brightness[130, 163]


def test_the_spans_hold_all_that_was_drawn_and_erasing_restores_the_wall():
    body = cones(GeneratedMotion(0).sample(np.array([1.0])), BodySettings())
    view = CAMERAS['dhp19-2']
    wall = np.full((260, 346), 0.3, np.float32)
    seen = renderer.canvas(wall)
    look = paint(np.random.default_rng(0), BodySettings())
    renderer.draw(seen, renderer.solids(body, view).frame(0), look, renderer.lens(view), AMBIENT)
    changed = seen.brightness != wall
    column = np.arange(346)
    assert not changed[(column < seen.spans[:, :1]) | (column >= seen.spans[:, 1:])].any()
    assert changed.any()
    renderer.erase(seen, wall)
    assert np.array_equal(seen.brightness, wall)
    assert np.isinf(seen.distance).all() and (seen.part == NOTHING).all()


@pytest.mark.parametrize('place', ((0.0, -5.0, 1.0), (0.0, -2.0, 1.0), (50.0, 0.0, 1.0)))
def test_what_is_behind_at_or_beside_the_camera_is_not_drawn(place):
    assert (draw([place], [place], [(0.1, 0.1)]).part == NOTHING).all()


@pytest.mark.parametrize('trim_m', (0.02, 0.08))
@pytest.mark.parametrize('girth', (0.85, 1.2))
def test_face_and_trim_are_seen_from_the_front_only_and_the_seat_from_behind(trim_m, girth):
    """Nothing but these tells a standing person's front from the back."""
    settings = BodySettings(girth=girth, trim_m=trim_m)
    body = cones(GeneratedMotion(0).sample(np.array([1.0])), settings)  # faces -y

    def pixels(y_m):
        view = look_at(np.array([0.0, y_m, 1.2]), np.array([0.0, 0.0, 1.0]), focal_px=340.0,
                       width=346, height=260)
        seen = renderer.canvas(np.full((260, 346), 0.3, np.float32))
        look = paint(np.random.default_rng(0), settings)
        renderer.draw(seen, renderer.solids(body, view).frame(0), look, renderer.lens(view),
                      AMBIENT)
        return {name: int((seen.part == index).sum()) for index, name in enumerate(CONE_NAMES)}

    front, back = pixels(-3.0), pixels(3.0)
    for name in ('eyes', 'nose', 'trim'):
        assert front[name] > 0 and back[name] == 0
    for name in ('r_seat', 'l_seat', 'hair'):
        assert back[name] > front[name]
