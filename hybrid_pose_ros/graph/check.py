# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks user input for a graph before any process is started. Imports no ROS."""

import difflib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.graph.description import PACKAGE, RENAMED, SETTINGS, NodeSpec, prefixes
from hybrid_pose_ros.graph.parameter_files import Section, read_sections
from hybrid_pose_ros.representation.lens import load_calibration
from hybrid_pose_ros.settings import parameters_of

OF_EVERY_NODE = ('use_sim_time', 'start_type_description_service')
OVERRIDES = 'qos_overrides.'
"""Parameters declared by rclpy itself."""


def require_packages(names: Iterable[str]) -> None:
    """Raise InputError with the install command if packages are missing."""
    missing = [name for name in names if not any(
        (prefix / 'share/ament_index/resource_index/packages' / name).exists()
        for prefix in prefixes())]
    if missing:
        distribution = os.environ.get('ROS_DISTRO', '$ROS_DISTRO')
        debian = ' '.join(f'ros-{distribution}-{name.replace("_", "-")}' for name in missing)
        raise InputError(f'{", ".join(missing)} not installed: sudo apt install {debian}')


def check_graph(nodes: Iterable[NodeSpec], params_file: str | Path) -> None:
    """Check nodes and their parameter file.

    Raises:
        InputError: a package is missing, the file sets an unknown parameter, or a parameter has
            an invalid value or names a file that cannot be used.
    """
    nodes = list(nodes)
    if any(node.name == 'ros4hri' for node in nodes):
        require_packages(['hri_msgs'])
    sections = [_renamed(section) for section in read_sections(params_file)]
    for section in sections:
        _check_names(section, params_file)
        if section.node in SETTINGS:
            _settings(section.node, section.parameters, f'{params_file}: ')
    for name in {node.name for node in nodes} & {section.node for section in sections}:
        _check_namespace(name, nodes, sections, params_file)
    for node in nodes:
        known = {parameter.name for parameter in parameters_of(SETTINGS[node.name])}
        values = {name: value for section in sections if section.is_for(f'/{node.full_name}')
                  for name, value in section.parameters.items() if name in known}
        _check_files(_settings(node.name, values | dict(node.parameters)))


def with_old_sections(nodes: Iterable[NodeSpec], params_file: str | Path
                      ) -> tuple[tuple[NodeSpec, ...], list[str]]:
    """Return the nodes with the parameters that a file sets under a node name of 0.1.0.

    ROS would ignore them, since no node has that name.

    Returns:
        The nodes, and a notice for each such section.
    """
    old = [section for section in read_sections(params_file) if section.node in RENAMED]
    new = [_renamed(section) for section in old]
    notices = [f'{params_file}: {before.pattern} is deprecated and will be ignored from the next '
               f'release on: write {after.pattern}' for before, after in zip(old, new)]
    return tuple(replace(node, parameters={
        **{name: value for section in new if section.is_for(f'/{node.full_name}')
           for name, value in section.parameters.items()},
        **node.parameters}) for node in nodes), notices


def _renamed(section: Section) -> Section:
    """Return the section under the current name of its node."""
    start, slash, node = section.pattern.rpartition('/')
    return section._replace(pattern=start + slash + RENAMED.get(node, node))


def _check_names(section: Section, path: str | Path) -> None:
    """Raise InputError if a section is for an unknown node or sets an unknown parameter."""
    if '*' in section.node:
        settings = list(SETTINGS.values())
    elif section.node in SETTINGS:
        settings = [SETTINGS[section.node]]
    else:
        raise InputError(f'{path} names an unknown node {section.pattern}; {PACKAGE} has '
                         f'{", ".join(SETTINGS)}{_guess(section.node, SETTINGS)}')
    known = {parameter.name for each in settings for parameter in parameters_of(each)}
    for name in section.parameters:
        if name not in known and name not in OF_EVERY_NODE and not name.startswith(OVERRIDES):
            raise InputError(f'{path} sets {name} of {section.pattern}, which does not have this '
                             f'parameter: `hybrid-pose params` lists them{_guess(name, known)}')


def _check_namespace(name: str, nodes: list[NodeSpec], sections: list[Section],
                     path: str | Path) -> None:
    """Raise InputError if a file configures nodes of this name only in other namespaces."""
    started = [f'/{node.full_name}' for node in nodes if node.name == name]
    meant = [section for section in sections if section.node == name]
    if not any(section.is_for(node) for section in meant for node in started):
        raise InputError(f'{path} sets parameters of {meant[0].pattern}, but this graph has '
                         f'{", ".join(started)}: write /**/{name} for any namespace')


def _settings(node: str, values: dict[str, Any], where: str = '') -> Any:
    """Return the settings of a node; integers are converted to floats where ROS would do so."""
    kinds = {parameter.name: parameter.type for parameter in parameters_of(SETTINGS[node])}
    typed = {name: float(value) if kinds[name] is float and type(value) is int else value
             for name, value in values.items() if name in kinds}
    try:
        return SETTINGS[node](**typed)
    except InputError as error:
        raise InputError(f'{where}{node}: {error}') from error


def _check_files(settings: Any) -> None:
    """Raise InputError if a file named in the settings cannot be used."""
    if calibration := getattr(settings, 'calibration', ''):
        load_calibration(calibration)
    for kind, name in (('weights', 'checkpoint'), ('recording', 'recording'), ('rig', 'rig')):
        path = getattr(settings, name, '')
        if path and not Path(path).exists():
            raise InputError(f'no {kind} at {path}')


def _guess(name: str, known: Iterable[str]) -> str:
    """Return a suggestion for a misspelled name, or an empty string."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean {found[0]}?' if found else ''
