# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file without starting what it launches. Skips importers without ROS launch."""

import importlib.util
import os
from pathlib import Path

import pytest
import yaml

from hybrid_pose_ros.graph.description import share

pytest.importorskip('hybrid_pose_ros.msg', reason='needs the built package: run `make build`')
WHY = 'no ROS launch here: it comes with a ROS installation'
launch = pytest.importorskip('launch', reason=WHY)
pytest.importorskip('launch_ros', reason=WHY)

from launch.logging import launch_config  # noqa: E402, F401

FILE = share() / 'launch' / 'hybrid_pose.launch.py'


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, package: str, executable: str) -> None:
    """Install a package with an empty executable below a folder."""
    for name in (f'lib/{package}/{executable}',
                 f'share/ament_index/resource_index/packages/{package}'):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.touch(mode=0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH',
                       f'{folder}:{os.environ.get("AMENT_PREFIX_PATH", "")}')


def visited(**arguments: str) -> list:
    """Return the nodes that the launch file makes of its arguments, which are not started."""
    spec = importlib.util.spec_from_file_location('launch_file', FILE)
    file = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(file)
    context = launch.LaunchContext()
    context.launch_configurations.update(arguments)
    nodes = []
    for entity in file.generate_launch_description().entities:
        nodes += entity.visit(context) or []
    return nodes


def parameters_of(nodes: list, name: str) -> dict[str, str]:
    """Return the parameters that the launch file itself sets for a node."""
    node, = (node for node in nodes if node.node_executable == name)
    own = [entry for entry in node._Node__parameters if isinstance(entry, dict)]
    return {text_of(key): yaml.safe_load(text_of(value)) if isinstance(value, tuple) else value
            for entry in own for key, value in entry.items()}


def text_of(substitutions: tuple) -> str:
    """Return a text of the launch file."""
    return ''.join(part.text for part in substitutions)
