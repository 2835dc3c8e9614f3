# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters that are written once."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.description import SETTINGS
from hybrid_pose_ros.settings import Parameter, check, param, parameters_of


@dataclass(frozen=True)
class Oven:
    """Settings as a node has them."""

    heat_c: int = param(180, 'Temperature [C].', low=50, high=250)
    hours: float = param(0.5, 'Time [h].', low=0.0, high=24.0)
    mode: str = param('top', 'Where the heat comes from.', choices=('top', 'bottom'))
    note: str = param('', 'For the cook.')
    light: bool = param(False, 'See it rise.')

    def __post_init__(self):
        check(self)


def test_a_field_tells_all_that_was_declared():
    assert list(parameters_of(Oven))[0] == Parameter(
        'heat_c', int, 180, 'Temperature [C].', 50, 250, ())
    assert [parameter.type for parameter in parameters_of(Oven)] == [int, float, str, str, bool]


@given(st.integers())
def test_a_number_is_legal_exactly_in_its_range(heat_c):
    if 50 <= heat_c <= 250:
        assert Oven(heat_c=heat_c).heat_c == heat_c
    else:
        with pytest.raises(InputError, match=f'heat_c = {heat_c} is (below|above) the'):
            Oven(heat_c=heat_c)


@pytest.mark.parametrize('values, said', (
    ({'heat_c': 180.0}, 'heat_c = 180.0 must be of type int, not float'),
    ({'heat_c': True}, 'heat_c = True must be of type int, not bool'),
    ({'hours': 1}, 'hours = 1 must be of type float, not int'),
    ({'hours': float('inf')}, 'hours = inf is above the maximum 24.0'),
    ({'light': 1}, 'light = 1 must be of type bool, not int'),
    ({'note': None}, 'note = None must be of type str, not NoneType'),
    ({'mode': 'left'}, "mode = 'left' must be one of top, bottom")))
def test_what_is_not_legal_is_refused_with_what_is(values, said):
    with pytest.raises(InputError, match=said):
        Oven(**values)


def test_what_is_not_a_number_is_in_no_range():
    with pytest.raises(InputError, match='hours = nan'):
        Oven(hours=float('nan'))


@pytest.mark.parametrize('node', SETTINGS)
def test_the_defaults_of_every_node_are_legal_and_described(node):
    SETTINGS[node]()
    for parameter in parameters_of(SETTINGS[node]):
        assert parameter.description.endswith('.')
        assert parameter.type in (bool, int, float, str)
