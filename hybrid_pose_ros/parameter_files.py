# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a ROS parameter file sets for one node, read without ROS."""

import re
from pathlib import Path
from typing import Any

import yaml


def parameters_in_file(path: str | Path, node: str) -> dict[str, Any]:
    """Return the parameters that a YAML file sets for a node; later sections count more.

    Args:
        path: parameter file.
        node: full name, as in '/left/snn_tracker'.
    """
    parameters = {}
    for pattern, section in (yaml.safe_load(Path(path).read_text()) or {}).items():
        if _matches(pattern, node):
            parameters |= section['ros__parameters']
    return parameters


def _matches(pattern: str, node: str) -> bool:
    """Return whether a section is for a node: * is one name of a namespace, ** any number."""
    words = re.escape('/' + pattern.lstrip('/'))
    return re.fullmatch(words.replace(r'/\*\*', '(/[^/]+)*').replace(r'\*', '[^/]+'),
                        node) is not None
