# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the parameters of all nodes as a documentation page and as a parameter file."""

from collections.abc import Iterator

import yaml

from hybrid_pose_ros.graph.description import SETTINGS
from hybrid_pose_ros.settings import parameters_of, valid_values

PAGE_HEAD = '''\
# Parameters

Written by `tools/write_parameters.py` from the settings classes, which define each parameter
once. `config/hybrid_pose.yaml` contains all of them at their defaults; a parameter file of your
own needs only what differs. Parameters marked *at run time* can be changed with `ros2 param
set` or rqt_reconfigure while the node runs; the others reject changes with the reason.
'''

FILE_HEAD = '''\
# All parameters of all nodes at their defaults, described in docs/parameters.md. Written by
# tools/write_parameters.py. Arguments of the launch file and of `hybrid-pose up` override them.
'''


def page() -> str:
    """Return the text of docs/parameters.md."""
    return f'{PAGE_HEAD}\n{tables()}\n'


def tables() -> str:
    """Return one Markdown table per node."""
    return '\n\n'.join('\n'.join(_table(node, settings)) for node, settings in SETTINGS.items())


def parameter_file() -> str:
    """Return the text of config/hybrid_pose.yaml, which applies to nodes in any namespace."""
    return FILE_HEAD + '\n'.join(yaml.safe_dump(
        {f'/**/{node}': {'ros__parameters': {
            parameter.name: parameter.default for parameter in parameters_of(settings)}}},
        sort_keys=False) for node, settings in SETTINGS.items())


def _table(node: str, settings: type) -> Iterator[str]:
    yield from (f'## {node}', '', '| parameter | default | range | at run time | meaning |',
                '|---|---|---|---|---|')
    for parameter in parameters_of(settings):
        default = "''" if parameter.default == '' else parameter.default
        yield (f'| `{parameter.name}` | {default} | {valid_values(parameter)} | '
               f'{"yes" if parameter.live else ""} | {parameter.description} |')
