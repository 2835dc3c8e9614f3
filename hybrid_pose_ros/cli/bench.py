# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hybrid-pose bench`: measure the speeds in docs/performance.md alongside other packages."""

import argparse
import importlib
import json
from collections.abc import Callable

from rich.console import Console

from hybrid_pose_ros.cli.outputs import add_output
from hybrid_pose_ros.cli.up import require_ros
from hybrid_pose_ros.errors import InputError

SUMMARY = 'Measure decoding, state transfer, replay, engine and the whole graph on this machine.'

BENCHMARKS = {
    'decode': 'events per second compared with expelliarmus, faery and evlib',
    'transport': 'state transfer through shared memory compared with DDS',
    'replay': 'delayed states with and without replay, compared with no delay',
    'engine': 'a step of the spiking network compared with dense PyTorch',
    'ann': 'a pass of the ANN and its heads in PyTorch, ONNX Runtime and OpenVINO',
    'triangulation': 'a 3D pose from the poses of 2 and 4 cameras',
    'graph': 'time from packet arrival to published pose; CPU and memory of every process',
    'soak': 'the graph for ten minutes: losses, memory and handles; only if requested by name'}
NEED_ROS = ('transport', 'graph', 'soak')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument('names', nargs='*', metavar='NAME',
                        help='; '.join(f'{name}: {text}' for name, text in BENCHMARKS.items())
                        + '; default: all but soak')
    parser.add_argument('--recordings', help='folder with raw/*.raw recordings for `decode`')
    add_output(parser, '--output', 'folder', needs=('matplotlib',), metavar='DIR',
               help='folder for the plots of `replay` and `engine`')
    parser.add_argument('--duration', type=float,
                        help='duration of `graph` (20) or `soak` (600) [s]')


def run(args: argparse.Namespace) -> dict:
    """Run the selected benchmarks in sequence."""
    names = args.names or [name for name in BENCHMARKS if name != 'soak']
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise InputError(f'unknown benchmark {unknown[0]}: choose from {", ".join(BENCHMARKS)}')
    options = {'decode': {'recordings': args.recordings} if args.recordings else {},
               'replay': {'output': args.output},
               'engine': {'output': args.output},
               **{name: {'duration_s': args.duration} if args.duration else {}
                  for name in ('graph', 'soak')}}
    console = Console(stderr=True)
    results = {}
    for name in names:
        if name in NEED_ROS:
            require_ros()
        with console.status(f'{name}: {BENCHMARKS[name]}'):
            results[name] = _function(name)(**options.get(name, {}))
    return results


def show(results: dict) -> None:
    """Print the figures in the order of the benchmarks."""
    for name, result in results.items():
        print(f'\n{name}: {BENCHMARKS[name]}')
        print(json.dumps(result, indent=2))


def _function(name: str) -> Callable[..., dict]:
    module = importlib.import_module(f'hybrid_pose_ros.benchmarks.{name}')
    return getattr(module, f'{name}_benchmark')
