# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the whole graph for a long time on a person simulated live, to find losses and growth."""

import os
import tempfile
from pathlib import Path
from typing import Any

from hybrid_pose_ros.benchmarks.graph import run_graph

DURATION_S = 600.0


def soak_benchmark(*, duration_s: float = DURATION_S) -> dict[str, Any]:
    """Return the figures of a run, with memory and handles of each process at three times.

    Raises:
        InputError: a node failed to start.
    """
    with tempfile.TemporaryDirectory() as folder:
        return run_graph(Path(folder, 'soak'), duration_s, {'duration_s': str(duration_s)}) | {
            'duration_s': duration_s, 'cores': os.cpu_count()}
