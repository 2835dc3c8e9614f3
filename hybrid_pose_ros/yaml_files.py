# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""YAML files of users, read with a limit: a few lines of aliases can stand for gigabytes."""

from math import inf
from pathlib import Path
from typing import Any

import yaml

from hybrid_pose_ros.errors import InputError

MOST_VALUES = 10_000
"""What a file may hold, each value as often as aliases repeat it."""


def read_yaml(path: str | Path, what: str) -> Any:
    """Return the content of a YAML file; errors say `what` it should be, as 'calibration'.

    Raises:
        InputError: the file cannot be read, is not YAML, or holds more than MOST_VALUES values.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except OSError as error:
        raise InputError(f'no {what} at {path}: {error.strerror}') from error
    except RecursionError as error:
        raise InputError(f'{path} is not a {what}: it is nested too deeply') from error
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError,
            ArithmeticError) as error:  # the loader's own, for some tags
        raise InputError(f'{path} is not a YAML file: {" ".join(str(error).split())}') from error
    if _expanded(content, {}) > MOST_VALUES:
        raise InputError(f'{path} is not a {what}: its aliases stand for more than {MOST_VALUES} '
                         'values')
    return content


def read_mapping(path: str | Path, what: str) -> dict[Any, Any]:
    """Return the mapping in a YAML file.

    Raises:
        InputError: as `read_yaml`, or the file holds something else.
    """
    content = read_yaml(path, what)
    if not isinstance(content, dict):
        raise InputError(f'{path} is not a {what}: expected a mapping of keys, not '
                         f'{type(content).__name__}')
    return content


def _expanded(value: Any, known: dict[int, float]) -> float:
    """Return how many values a value holds, each as often as aliases repeat it.

    Args:
        value: from YAML, whose aliases are one object in several places.
        known: the results so far, by identity; a value that holds itself is infinite.
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
