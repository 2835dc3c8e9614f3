# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters that the README shows are those of the settings classes."""

from pathlib import Path

from hybrid_pose_ros.cli import params
from hybrid_pose_ros.graph.description import SETTINGS
from hybrid_pose_ros.settings import parameters_of

README = Path(__file__).resolve().parents[2] / 'README.md'


def test_readme_shows_the_parameters_of_the_settings_classes():
    """Print the section anew with `hybrid-pose params` where this fails."""
    assert params.markdown(params.run(None)) in README.read_text()


def test_every_field_of_every_node_is_listed():
    rows = params.run(None)
    for node, settings in SETTINGS.items():
        assert [row['name'] for row in rows[node]] == [p.name for p in parameters_of(settings)]


def test_every_parameter_says_what_it_means():
    assert all(row['meaning'].endswith('.') for rows in params.run(None).values() for row in rows)
