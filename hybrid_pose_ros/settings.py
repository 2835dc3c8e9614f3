# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters defined as dataclass fields with default, description and range."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hybrid_pose_ros.errors import InputError


class Parameter(NamedTuple):
    """One declared parameter of a settings class."""

    name: str
    type: type  # bool, int, float or str
    default: Any
    description: str
    low: float | None  # minimum valid value; None: unlimited
    high: float | None
    choices: tuple[str, ...]  # valid strings; empty: any string is valid
    live: bool = False  # can be changed while the node runs


def param(default: Any, description: str, *, low: float | None = None, high: float | None = None,
          choices: Sequence[str] = (), live: bool = False) -> Any:
    """Return a dataclass field with a description, valid values, and whether it is `live`."""
    metadata = {'description': description, 'low': low, 'high': high, 'choices': tuple(choices),
                'live': live}
    return dataclasses.field(default=default, metadata=metadata)


def parameters_of(settings: Any) -> Iterator[Parameter]:
    """Yield the parameters of settings or of a settings class, in the order of the fields."""
    for field in dataclasses.fields(settings):
        yield Parameter(field.name, type(field.default), field.default, **field.metadata)


def valid_values(parameter: Parameter) -> str:
    """Return the choices or the range; '' if any value of the type is valid."""
    if parameter.choices:
        return ', '.join(parameter.choices)
    return '' if parameter.low is None else f'{parameter.low} to {parameter.high}'


def summary(parameter: Parameter, default: str = '') -> str:
    """Return meaning, default and valid values, such as 'length of a bin [us] (1000; 1 to 9999)'.

    Args:
        parameter: parameter.
        default: text shown instead of the default.
    """
    text = parameter.description.removesuffix('.')
    text = text if text[1:2].isupper() else text[:1].lower() + text[1:]
    shown = '; '.join(filter(None, (default or _text(parameter.default), valid_values(parameter))))
    return f'{text} ({shown})' if shown else text


def check(settings: Any) -> None:
    """Raise InputError if a field has the wrong type, is out of range or not a valid choice.

    Settings classes call this in `__post_init__`, before checks that relate several values.
    """
    for parameter in parameters_of(type(settings)):
        value = getattr(settings, parameter.name)
        where = f'parameter {parameter.name} = {value!r}'
        kind = type(value)
        if kind is not parameter.type:
            raise InputError(f'{where} must be of type {parameter.type.__name__}, '
                             f'not {kind.__name__}')
        if parameter.low is not None and not value >= parameter.low:  # NaN fails both comparisons
            raise InputError(f'{where} is below the minimum {parameter.low}')
        if parameter.high is not None and value > parameter.high:
            raise InputError(f'{where} is above the maximum {parameter.high}')
        if parameter.choices and value not in parameter.choices:
            raise InputError(f'{where} must be one of {", ".join(parameter.choices)}')


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return 'on' if value else 'off'
    return f'{value:g}' if isinstance(value, float) else str(value)
