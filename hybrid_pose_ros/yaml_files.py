# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads YAML files with a size limit, since a few lines of aliases can expand to gigabytes."""

from math import inf
from pathlib import Path
from typing import Any

import yaml

from hybrid_pose_ros.errors import InputError

MOST_VALUES = 10_000
"""Maximum number of values in a file after expanding aliases."""


def read_yaml(path: str | Path, what: str) -> Any:
    """Return the content of a YAML file; errors mention `what`, such as 'calibration'.

    Raises:
        InputError: the file cannot be read, is not YAML, or has more than MOST_VALUES values.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except OSError as error:
        raise InputError(f'no {what} at {path}: {error.strerror}') from error
    except RecursionError as error:
        raise InputError(f'{path} is not a {what}: it is nested too deeply') from error
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError,
            ArithmeticError) as error:  # raised by the loader for some tags
        raise InputError(f'{path} is not a YAML file: {" ".join(str(error).split())}') from error
    if _expanded(content, {}) > MOST_VALUES:
        raise InputError(f'{path} is not a {what}: its aliases expand to more than {MOST_VALUES} '
                         'values')
    return content


def read_mapping(path: str | Path, what: str) -> dict[Any, Any]:
    """Return the mapping in a YAML file.

    Raises:
        InputError: as for `read_yaml`, or the file is not a mapping.
    """
    content = read_yaml(path, what)
    if not isinstance(content, dict):
        raise InputError(f'{path} is not a {what}: expected a mapping of keys, not '
                         f'{type(content).__name__}')
    return content


def _expanded(value: Any, known: dict[int, float]) -> float:
    """Return the number of values in a value after expanding aliases.

    Args:
        value: value from YAML, in which aliases are references to the same object.
        known: results so far, keyed by identity; a value that contains itself is infinite.
    """
    if isinstance(value, str):
        return 1 + len(value) // 100
    if not isinstance(value, (dict, list, tuple, set)):
        return 1
    if id(value) not in known:
        known[id(value)] = inf
        inner = (*value.keys(), *value.values()) if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_expanded(one, known) for one in inner)
    return known[id(value)]
