# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page and the shipped file of parameters are those of the settings classes."""

from pathlib import Path

import yaml

from hybrid_pose_ros.cli import params
from hybrid_pose_ros.graph import parameter_texts
from hybrid_pose_ros.graph.description import SETTINGS
from hybrid_pose_ros.settings import parameters_of

ROOT = Path(__file__).resolve().parents[2]


def test_page_and_file_are_those_of_the_settings_classes():
    """After a change of a parameter, run tools/write_parameters.py."""
    assert (ROOT / 'docs' / 'parameters.md').read_text() == parameter_texts.page()
    assert (ROOT / 'config' / 'hybrid_pose.yaml').read_text() == parameter_texts.parameter_file()


def test_the_file_has_every_parameter_at_its_default_with_its_type():
    file = yaml.safe_load(parameter_texts.parameter_file())
    assert {node: section['ros__parameters'] for node, section in file.items()} == {
        f'/**/{node}': {parameter.name: parameter.default for parameter in parameters_of(settings)}
        for node, settings in SETTINGS.items()}
    for node, settings in SETTINGS.items():
        settings(**file[f'/**/{node}']['ros__parameters'])  # raises if a type differs


def test_every_field_of_every_node_is_listed():
    rows = params.run(None)
    for node, settings in SETTINGS.items():
        assert [row['name'] for row in rows[node]] == [p.name for p in parameters_of(settings)]


def test_every_parameter_says_what_it_means():
    assert all(row['meaning'].endswith('.') for rows in params.run(None).values() for row in rows)
