# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Executors for the independent tasks of a verb: local processes or a Dask cluster."""

import argparse
import os
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.interrupts import end_worker_by_exit


def add_executor_arguments(parser, *, workers: int | None = None) -> None:
    """Declare --workers and --dask on a parser or a group of one."""
    parser.add_argument('--workers', type=int, default=workers or os.cpu_count(), metavar='N',
                        help='number of processes (%(default)s)')
    parser.add_argument('--dask', metavar='ADDRESS', help='use a Dask cluster instead: address of '
                        'its scheduler, or "local"')


def processes(count: int) -> ProcessPoolExecutor:
    """Return a pool of spawned processes; a fork would copy the locks of the progress bar."""
    return ProcessPoolExecutor(count, mp_context=get_context('spawn'),
                               initializer=end_worker_by_exit)


def executor(args: argparse.Namespace) -> Executor:
    """Return the executor that the two arguments select; the caller closes it.

    Raises:
        InputError: the number of workers is below 1, or Dask is not installed.
    """
    if args.workers < 1:
        raise InputError(f'--workers is {args.workers}, but must be 1 or more')
    if args.dask is None:
        return processes(args.workers)
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise InputError('--dask needs the package `distributed`: pip install distributed') \
            from error
    if args.dask == 'local':
        return Client(LocalCluster(n_workers=args.workers, threads_per_worker=1)).get_executor()
    return Client(args.dask).get_executor()
