# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Output arguments of a verb, checked before the verb runs."""

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import Any

from hybrid_pose_ros.outputs import check_folder, check_new_file

KINDS = {'folder': check_folder, 'new file': check_new_file}


def add_output(parser, flag: str, kind: str | Callable[[argparse.Namespace], str], *,
               needs: Sequence[str] = (), **options: Any) -> None:
    """Declare an argument on a parser or a group of one.

    Args:
        parser: parser of the verb.
        flag: name of the argument, such as --output.
        kind: one of KINDS, or a function that returns it if it depends on other arguments.
        needs: modules that the output requires, otherwise imported only when it is written.
        options: keyword arguments of `add_argument`.
    """
    name = parser.add_argument(flag, **options).dest
    outputs = parser.get_default('outputs') or ()
    parser.set_defaults(outputs=(*outputs, (name, kind, needs)))


def check_outputs(args: argparse.Namespace) -> None:
    """Check all output arguments.

    Raises:
        InputError: an output is not writable.
        ModuleNotFoundError: a module that an output needs is not installed.
    """
    for name, kind, needs in getattr(args, 'outputs', ()):
        if path := getattr(args, name):
            KINDS[kind(args) if callable(kind) else kind](path)
            for module in needs:
                importlib.import_module(module)
