# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose`: the command line, with one module per verb.

The module of a verb has `SUMMARY`, `add_arguments(parser)`, `run(args)`, which returns the results
as a dictionary, and `show(result)`, which prints them. A module that also writes files has
`write(args, result)`, which is called after the results are printed and returns the written paths
by name. A module is imported only when its verb is called, so no verb pays for the imports of
another. `--json` prints the dictionary as the last line of stdout. A user error prints one line on
stderr and exits with status 1; Ctrl-C prints one line and exits with status 130. `kept(args)`
describes which results an interrupted verb keeps. Output arguments (`outputs.py`) are checked
before `run`.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from hybrid_pose_ros.cli.outputs import check_outputs
from hybrid_pose_ros.cli.renamed import with_new_names
from hybrid_pose_ros.errors import InputError, explanation
from hybrid_pose_ros.interrupts import INTERRUPTED, ending, handling, interruptible

VERBS = ('demo', 'up', 'events', 'info', 'params', 'simulate', 'label', 'convert', 'train',
         'evaluate', 'evaluate3d', 'compare', 'reproduce', 'study', 'bag', 'export', 'bench')
"""Verbs; each is a module of this package."""


def _verb(name: str):
    return importlib.import_module(f'hybrid_pose_ros.cli.{name}')


def _parser(verb: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='hybrid-pose', description='Human pose from event cameras: a slow ANN initializes '
        'a fast spiking network.')
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    for name in VERBS if verb is None else (verb,):
        module = _verb(name)
        sub = verbs.add_parser(name, help=module.SUMMARY, description=module.SUMMARY)
        sub.add_argument('--json', action='store_true',
                         help='print the results as one JSON object on the last line of stdout')
        module.add_arguments(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status: 0, 1 for a user error, 130 for an interrupt."""
    argv = sys.argv[1:] if argv is None else list(argv)
    named = argv[0] if argv and argv[0] in VERBS else None
    argv, notices = with_new_names(argv)
    for notice in notices:
        print(f'hybrid-pose {named}: {notice}', file=sys.stderr)
    try:
        with handling(ending(INTERRUPTED, 'hybrid-pose: interrupted')):
            args = _parser(named).parse_args(argv)
            module = _verb(args.verb)
    except Exception as error:
        return _mistake(error, named)
    with interruptible() as interrupt:
        try:
            check_outputs(args)
            result = module.run(args)
            _report(module, args, result)
            if result.get('damage'):  # for an input that is partly readable
                raise InputError(result['damage'])
        except BaseException as error:  # compiled code converts an interrupt into another error
            if not (interrupt.came or isinstance(error, KeyboardInterrupt)):
                return _mistake(error, args.verb)
            kept = module.kept(args) if hasattr(module, 'kept') else 'nothing was written'
            print(f'hybrid-pose {args.verb}: interrupted; {kept}', file=sys.stderr)
            return INTERRUPTED
    return 0


def _report(module: ModuleType, args: argparse.Namespace, result: dict[str, Any]) -> None:
    """Print the results, then write them, so that a failed write loses nothing."""
    written = {}
    if not args.json:
        module.show(result)
    try:
        if hasattr(module, 'write'):
            written = module.write(args, result)
    finally:
        if args.json:
            print(json.dumps(result | written))
    if not args.json:
        for name, path in written.items():
            print(f'{name}: {path}')


def _mistake(error: BaseException, verb: str | None) -> int:
    """Report a user error and return its exit status; raise any other exception."""
    if isinstance(error, BrokenPipeError):  # the reader of stdout, such as `head`, has exited
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    line = explanation(error)
    if line is None:
        raise error
    print(' '.join(('hybrid-pose', verb or '')).rstrip() + f': {line}', file=sys.stderr)
    return 1


if __name__ == '__main__':
    sys.exit(main())
