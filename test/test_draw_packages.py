# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The picture of the packages, on graphs small enough to check by hand, and as it is in docs/."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / 'tools'))
import draw_packages
from draw_packages import Place, apart, crossings, ordered, places, reduced


def test_the_picture_and_the_table_are_those_of_the_code():
    """After a change of imports, run tools/draw_packages.py."""
    assert draw_packages.PICTURE.read_text() == draw_packages.picture()
    assert draw_packages.PAGE.read_text() == draw_packages.page()


def test_every_package_is_in_a_layer_and_says_what_it_contains():
    packages = {path.parent.name for path in (draw_packages.ROOT / 'hybrid_pose_ros').glob(
        '*/__init__.py')}
    assert {name for row in draw_packages.layers() for name in row} == packages
    assert '|  |' not in draw_packages.table(draw_packages.layers())


def test_imports_in_functions_and_by_name_count():
    found = set(draw_packages._imported(
        'import hybrid_pose_ros.events.clock\n'
        'def f():\n'
        '    from hybrid_pose_ros import pose\n'
        "    return import_module(f'hybrid_pose_ros.nodes.{name}'), 'hybrid_pose_ros/msg/Pose'\n"))
    assert found == {'events', 'pose', 'nodes'}


def test_an_arrow_that_others_replace_is_not_drawn():
    assert reduced({'a': {'b', 'c'}, 'b': {'c'}, 'c': set()}) == {
        'a': {'b'}, 'b': {'c'}, 'c': set()}


def test_an_arrow_passes_through_the_rows_between():
    placed, pieces = places([['a', 'b'], ['c'], ['d']], {
        'a': {'d'}, 'b': {'c', 'd'}, 'c': set(), 'd': set()})
    passing = Place(1, 'd', passing=True)
    assert placed[1] == [Place(1, 'c'), passing]
    assert pieces == [(Place(0, 'a'), passing), (passing, Place(2, 'd')),
                      (Place(0, 'b'), Place(1, 'c')), (Place(0, 'b'), passing)]


def test_rows_are_ordered_so_that_arrows_do_not_cross():
    placed, pieces = places([['a', 'b'], ['c', 'd']], {
        'a': {'d'}, 'b': {'c'}, 'c': set(), 'd': set()})
    assert crossings(placed, pieces) == 1
    assert crossings(ordered(placed, pieces), pieces) == 0


def test_boxes_stay_apart_and_as_close_to_their_places_as_that_allows():
    row = [Place(0, 'a'), Place(0, 'b'), Place(0, 'c')]
    apart_px = row[0].width + draw_packages.GAP
    assert apart([0.0, 0.0, 500.0], row) == [-apart_px / 2, apart_px / 2, 500.0]
