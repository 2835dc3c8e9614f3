# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose params`: the parameters of all nodes, in the format of the README."""

import argparse
from typing import Any

from hybrid_pose_ros.graph.description import SETTINGS
from hybrid_pose_ros.settings import Parameter, parameters_of

SUMMARY = 'list the parameters of all nodes: default, range, whether settable at run time'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments."""


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters by node."""
    return {node: [_row(parameter) for parameter in parameters_of(settings)]
            for node, settings in SETTINGS.items()}


def show(result: dict[str, Any]) -> None:
    """Print one Markdown table per node."""
    print(markdown(result))


def markdown(result: dict[str, Any]) -> str:
    """Return the tables as Markdown."""
    lines = []
    for node, rows in result.items():
        lines += [f'**{node}**', '', '| parameter | default | range | at run time | meaning |',
                  '|---|---|---|---|---|']
        lines += [f'| `{row["name"]}` | {row["default"]} | {row["range"]} | '
                  f'{"yes" if row["live"] else ""} | {row["meaning"]} |' for row in rows]
        lines.append('')
    return '\n'.join(lines).rstrip()


def _row(parameter: Parameter) -> dict[str, Any]:
    legal = ''
    if parameter.choices:
        legal = ', '.join(parameter.choices)
    elif parameter.low is not None:
        legal = f'{parameter.low} to {parameter.high}'
    default = parameter.default if parameter.default != '' else "''"
    return {'name': parameter.name, 'default': default, 'range': legal,
            'live': parameter.live, 'meaning': parameter.description}
