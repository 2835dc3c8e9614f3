# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options for the fields of settings classes, which define default, meaning and valid values."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from hybrid_pose_ros.settings import parameters_of, summary

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar('Settings', bound='DataclassInstance')


def add_options(parser, settings: Any, *names: str, default: str = '') -> None:
    """Declare an option for each named field on a parser or a group of one.

    The option of field step_us is --step-us; a boolean field replay has --replay and --no-replay.
    The parsed arguments have attributes only for the options that were given.

    Args:
        parser: parser of the verb.
        settings: settings with the defaults of the verb, or their class.
        names: fields.
        default: text shown as the default in the help instead of the value.
    """
    fields = {parameter.name: parameter for parameter in parameters_of(settings)}
    for name in names:
        field = fields[name]._replace(default=getattr(settings, name))
        parser.add_argument(
            '--' + name.replace('_', '-'), default=argparse.SUPPRESS,
            help=summary(field, default).replace('%', '%%'),
            **({'action': argparse.BooleanOptionalAction} if field.type is bool else
               {'type': field.type, 'metavar': name.split('_')[-1].upper()}))


def with_options(settings: Settings, args: argparse.Namespace) -> Settings:
    """Return the settings with the values of the options that were given.

    Raises:
        InputError: a value is not valid.
    """
    return replace(settings, **{parameter.name: getattr(args, parameter.name)
                                for parameter in parameters_of(type(settings))
                                if hasattr(args, parameter.name)})
