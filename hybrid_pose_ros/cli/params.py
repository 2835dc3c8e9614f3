# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose params`: list the parameters of all nodes, as in docs/parameters.md."""

import argparse
from typing import Any

from hybrid_pose_ros.graph.description import SETTINGS
from hybrid_pose_ros.graph.parameter_texts import tables
from hybrid_pose_ros.settings import parameters_of, valid_values

SUMMARY = 'List the parameters of all nodes: default, range, and whether settable at run time.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments."""


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters by node."""
    return {node: [{'name': parameter.name, 'default': parameter.default,
                    'range': valid_values(parameter), 'live': parameter.live,
                    'meaning': parameter.description} for parameter in parameters_of(settings)]
            for node, settings in SETTINGS.items()}


def show(result: dict[str, Any]) -> None:
    """Print one Markdown table per node."""
    print(tables())
