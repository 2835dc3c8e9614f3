# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times the triangulation of aligned poses from 2 and 4 cameras with 13 joints.

The reference is the linear solution of each joint in NumPy (SVD). For exact pixels both must yield
the same points. With two cameras, Python calls take longer than the arithmetic.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hybrid_pose_ros.datasets.dhp19_rig import DHP19_NUMBERS, dhp19_rig
from hybrid_pose_ros.pose.alignment import TimedPose
from hybrid_pose_ros.pose.rig import Rig, project
from hybrid_pose_ros.pose.triangulation import TriangulationParams, triangulate_ideal
from hybrid_pose_ros.pose.triangulator import Triangulator, TriangulatorParams
from hybrid_pose_ros.tasks.skeleton import JOINTS

UNSHARP_PX = 3.0
"""Pixel noise during timing, so that outliers are handled as in practice."""
FARTHEST_APART_M = 1e-6


def triangulation_benchmark(*, rounds: int = 2_000) -> dict[str, Any]:
    """Return, for each number of cameras, the time per pose: median and 95th percentile [ms].

    Returns:
        By `N cameras`: `ours` (triangulation alone), `numpy`, `numpy_over_ours`, and `node` (a
        pose in the node's core, with alignment and undistortion).

    Raises:
        RuntimeError: the two methods disagree.
    """
    return {f'{cameras} cameras': _of_rig(dhp19_rig(cameras), rounds)
            for cameras in DHP19_NUMBERS}


def _of_rig(rig: Rig, rounds: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    points = rng.uniform([-0.5, -0.5, 0.1], [0.5, 0.5, 1.8], (len(JOINTS), 3))
    exact = np.stack([project(camera, points) for camera in rig.cameras])
    confidence, trust = np.full(exact.shape[:2], 0.8), TriangulationParams()
    found = triangulate_ideal(rig.projections, exact, confidence, trust).points_m
    apart_m = np.abs(found - linear(rig.projections, exact)).max()
    if not apart_m < FARTHEST_APART_M:
        raise RuntimeError(f'triangulation and its plain equations differ by {apart_m} m')
    pixels = exact + rng.normal(0.0, UNSHARP_PX, exact.shape)
    projections = rig.projections
    ours = _durations_ms(
        lambda: triangulate_ideal(projections, pixels, confidence, trust), rounds)
    plain = _durations_ms(lambda: linear(projections, pixels), max(10, rounds // 20))
    return {'ours': _levels(ours), 'numpy': _levels(plain),
            'numpy_over_ours': round(float(np.median(plain) / np.median(ours)), 1),
            'node': _levels(_node_ms(rig, pixels, rounds))}


def linear(projections: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Return the points (N, 3), each solved from homogeneous linear equations."""
    points = []
    for joint in range(pixels.shape[1]):
        rows = [pixel * matrix[2] - matrix[axis] for matrix, seen in zip(projections, pixels)
                for axis, pixel in enumerate(seen[joint])]
        point = np.linalg.svd(np.array(rows))[2][-1]
        points.append(point[:3] / point[3])
    return np.array(points)


def _node_ms(rig: Rig, pixels: np.ndarray, rounds: int) -> list[float]:
    """Return the time that the node's core takes per instant, including the cameras' poses."""
    core = Triangulator(rig, TriangulatorParams(rig='none'))
    confidence, durations = np.full(len(JOINTS), 0.8), []
    for step in range(rounds):
        started_ns, made = time.perf_counter_ns(), 0
        for camera, seen in enumerate(pixels):
            made += len(core.update(camera, [TimedPose(1_000 * step + 100 * camera, seen,
                                                       confidence)]))
        if made and step > rounds // 10:
            durations.append((time.perf_counter_ns() - started_ns) * 1e-6 / made)
    return durations


def _durations_ms(work: Callable[[], Any], rounds: int) -> list[float]:
    durations = []
    for number in range(rounds + rounds // 10):
        started_ns = time.perf_counter_ns()
        work()
        if number >= rounds // 10:
            durations.append((time.perf_counter_ns() - started_ns) * 1e-6)
    return durations


def _levels(durations_ms: list[float]) -> dict[str, float]:
    return {'median_ms': round(float(np.median(durations_ms)), 4),
            'p95_ms': round(float(np.percentile(durations_ms, 95)), 4)}
