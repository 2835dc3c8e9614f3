# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options take default, meaning and valid values from the settings that they change."""

import argparse
from dataclasses import dataclass

import pytest

from hybrid_pose_ros.cli.main import main
from hybrid_pose_ros.cli.options import add_options, with_options
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.graph.description import ARGUMENTS, SETTINGS
from hybrid_pose_ros.pose.triangulation import TriangulationParams
from hybrid_pose_ros.reproduction.reproduction_params import ReproductionParams
from hybrid_pose_ros.settings import check, param, parameters_of, summary, valid_values
from hybrid_pose_ros.training.training_params import StreamParams, TrainingParams

GRAPH = ('step_us', 'ann_rate_hz', 'region_of_interest', 'stride_us', 'max_s')
OPTIONS = (
    ('evaluate', EvaluationParams, (*GRAPH, 'ann_delay_us', 'replay', 'quiet_events_per_s',
                                    'ann_latency_us', 'pose_latency_us', 'seed')),
    ('compare', EvaluationParams, GRAPH),
    ('evaluate3d', EvaluationParams, GRAPH),
    ('evaluate3d', TriangulationParams, ('least_confidence', 'outlier_px')),
    ('reproduce', ReproductionParams, ('preset', 'systems', 'published', 'epochs', 'seed')),
    ('train', StreamParams, ('draws', 'kept', 'workers')),
    ('train', TrainingParams, (
        'preset', 'network', 'task', 'start', 'seed', 'device', 'precision', 'averaged',
        'ann_learning_rate', 'snn_learning_rate', 'ann_batch', 'snn_batch', 'ann_iterations',
        'snn_iterations')),
    ('bag', EvaluationParams, ('step_us', 'ann_rate_hz', 'ann_delay_us', 'quiet_events_per_s')))
OTHER_DEFAULTS = {('bag', 'step_us'): 'as recorded, else 1000', ('bag', 'ann_delay_us'): '10000'}


@dataclass(frozen=True)
class Oven:
    """Settings as a verb has them."""

    heat_c: int = param(180, 'Temperature [C].', low=50, high=250)
    hours: float = param(0.5, 'Time at 100 % [h].', low=0.0, high=24.0)
    mode: str = param('top', 'Where the heat comes from.', choices=('top', 'bottom'))
    light: bool = param(True, 'LED.')
    locked: bool = param(False, 'Lock the door.')

    def __post_init__(self):
        check(self)


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_options(parser, Oven(hours=2.0), 'heat_c', 'hours', 'mode', 'light', 'locked')
    return parser


def test_options_that_are_not_given_keep_the_defaults(parser):
    assert with_options(Oven(hours=2.0), parser.parse_args([])) == Oven(hours=2.0)


def test_options_that_are_given_change_their_fields_only(parser):
    args = parser.parse_args(['--heat-c', '200', '--hours', '1', '--no-light', '--locked'])
    assert with_options(Oven(), args) == Oven(heat_c=200, hours=1.0, light=False, locked=True)


def test_a_value_that_is_not_valid_is_rejected_as_by_the_settings(parser):
    for words, message in ((['--heat-c', '20'], 'below the minimum 50'),
                           (['--mode', 'left'], 'must be one of top, bottom')):
        with pytest.raises(InputError, match=message):
            with_options(Oven(), parser.parse_args(words))


def test_the_help_has_meaning_default_and_valid_values(parser):
    text = ' '.join(parser.format_help().split())
    assert text.endswith(
        '--heat-c C temperature [C] (180; 50 to 250) '
        '--hours HOURS time at 100 % [h] (2; 0.0 to 24.0) '
        '--mode MODE where the heat comes from (top; top, bottom) '
        '--light, --no-light LED (on) --locked, --no-locked lock the door (off)')


@pytest.mark.parametrize('argument', ARGUMENTS, ids=lambda argument: argument.name)
def test_the_help_of_up_is_that_of_the_parameters_of_the_nodes(argument, capsys):
    text = help_of('up', capsys)
    assert f'--{argument.name.replace("_", "-")} ' in text and argument.description in text
    for node, name in argument.sets:
        field = next(field for field in parameters_of(SETTINGS[node]) if field.name == name)
        assert argument.own or argument.description == summary(field)


def help_of(verb: str, capsys) -> str:
    """Return the help of a verb with single spaces."""
    with pytest.raises(SystemExit):
        main([verb, '--help'])
    return ' '.join(capsys.readouterr().out.split())


@pytest.mark.parametrize('verb, settings, names', OPTIONS, ids=lambda value: str(value)[:8])
def test_the_help_of_a_verb_is_that_of_its_settings(verb, settings, names, capsys):
    text = help_of(verb, capsys)
    fields = {field.name: field for field in parameters_of(settings)}
    for name in names:
        field = fields[name]
        assert f' --{name.replace("_", "-")}' in text
        if field.type is bool:
            shown = 'on' if field.default else 'off'
        else:
            default = field.default if field.type is str else f'{field.default:g}'
            default = OTHER_DEFAULTS.get((verb, name), default)
            shown = '; '.join(filter(None, (default, valid_values(field))))
        meaning = field.description[1:].removesuffix('.')
        expected = f'{meaning} ({shown})' if shown else meaning
        # A line of the help may end at a hyphen.
        assert expected in text or expected in text.replace('- ', '-')
