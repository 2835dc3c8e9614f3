# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose`: one command line, a verb a module.

A verb's module has `SUMMARY`, `add_arguments(parser)`, `run(args)`, which returns a dictionary of
results, and `show(result)`, which prints it for people. A module that also leaves results in files
has `write(args, result)`, called after they are printed, which returns the paths by name. Modules
are imported when their verb is called, so that no verb pays for the imports of another. `--json`
prints the dictionary as the last line of stdout; a user's mistake is one line on stderr and exit
status 1. Ctrl-C is one line, too, and exit status 130; a module whose verb keeps something says
what in `kept(args)`. What arguments name as outputs (`outputs.py`) is checked before `run`.
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
from hybrid_pose_ros.errors import InputError, explanation
from hybrid_pose_ros.interrupts import INTERRUPTED, ending, handling, interruptible

VERBS = ('demo', 'up', 'events', 'info', 'params', 'simulate', 'convert', 'train', 'evaluate',
         'evaluate3d', 'compare', 'reproduce', 'study', 'bag', 'export', 'bench')
"""Each is a module of this package."""


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
                         help='print the results as one JSON object, the last line of stdout')
        module.add_arguments(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status: 0, 1 for a mistake in what the user gave, or 130."""
    argv = sys.argv[1:] if argv is None else list(argv)
    named = argv[0] if argv and argv[0] in VERBS else None
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
            if result.get('damage'):  # of an input of which the rest was used
                raise InputError(result['damage'])
        except BaseException as error:  # compiled code makes an interrupt an error of its own
            if not (interrupt.came or isinstance(error, KeyboardInterrupt)):
                return _mistake(error, args.verb)
            kept = module.kept(args) if hasattr(module, 'kept') else 'nothing was written'
            print(f'hybrid-pose {args.verb}: interrupted; {kept}', file=sys.stderr)
            return INTERRUPTED
    return 0


def _report(module: ModuleType, args: argparse.Namespace, result: dict[str, Any]) -> None:
    """Print the results, and write them: those that cannot be written are not lost."""
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
    """Return the exit status of a mistake that is not ours; raise what is."""
    if isinstance(error, BrokenPipeError):  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    line = explanation(error)
    if line is None:
        raise error
    print(' '.join(('hybrid-pose', verb or '')).rstrip() + f': {line}', file=sys.stderr)
    return 1


if __name__ == '__main__':
    sys.exit(main())
