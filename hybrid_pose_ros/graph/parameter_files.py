# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reader of ROS parameter files that does not import ROS."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.yaml_files import read_yaml

PARAMETERS = 'ros__parameters'


class Section(NamedTuple):
    """A section of a parameter file."""

    pattern: str  # full node names: * matches one component, ** any number of components
    parameters: dict[str, Any]  # by dotted name, such as qos_overrides./a.publisher.depth

    @property
    def node(self) -> str:
        """Name of the node without its namespace, or a wildcard."""
        return self.pattern.rpartition('/')[2]

    def is_for(self, node: str) -> bool:
        """Return whether it applies to a node with this full name, such as '/left/snn_tracker'."""
        words = re.escape(self.pattern).replace(r'/\*\*', '(/[^/]+)*').replace(r'\*', '[^/]+')
        return re.fullmatch(words, node) is not None


def read_sections(path: str | Path) -> list[Section]:
    """Return the sections of a parameter file in order.

    Raises:
        InputError: the file does not exist or is not a parameter file.
    """
    content = read_yaml(path, 'parameter file')
    if content is None:  # the file is empty or has only comments
        return []
    try:
        return list(_sections(content, ''))
    except (TypeError, AttributeError) as error:
        raise InputError(f'{path} is not a parameter file: expected NODE: {{{PARAMETERS}: '
                         f'{{NAME: VALUE}}}}, not {content!r:.60}') from error


def parameters_in_file(path: str | Path, node: str) -> dict[str, Any]:
    """Return the parameters that a file sets for a node; later sections take precedence.

    Args:
        path: parameter file.
        node: full name, such as '/left/snn_tracker'.

    Raises:
        InputError: as for `read_sections`.
    """
    parameters: dict[str, Any] = {}
    for section in read_sections(path):
        if section.is_for(node):
            parameters |= section.parameters
    return parameters


def _sections(content: Mapping[str, Any], namespace: str) -> Iterator[Section]:
    for name, inner in content.items():
        pattern = f'{namespace}/{name.lstrip("/")}'
        if PARAMETERS in inner:
            yield Section(pattern, dict(_flat(inner[PARAMETERS], '')))
        else:
            yield from _sections(inner, pattern)


def _flat(parameters: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in parameters.items():
        if isinstance(value, dict):
            yield from _flat(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value
