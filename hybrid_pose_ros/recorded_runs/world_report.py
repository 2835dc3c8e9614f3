# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Report of the 3D poses in a recorded run of several cameras: poses, cameras used, error.

If the players publish ground truth, the joints that all cameras see are triangulated and used as
the reference.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.pose.rig import Rig
from hybrid_pose_ros.pose.triangulation import TriangulationParams, triangulate
from hybrid_pose_ros.recorded_runs.run_report import RecordedRun
from hybrid_pose_ros.recordings.pose_topics import WORLD
from hybrid_pose_ros.recordings.typed_messages import typed_messages

LEVELS = (50, 95, 99)


def world_report(rig: Rig, bags: Sequence[Path], runs: Sequence[RecordedRun]) -> dict[str, Any]:
    """Return the figures of the 3D poses, ready for JSON.

    Args:
        rig: rig of the cameras.
        bags: the bag of each camera; one of them contains the 3D poses.
        runs: the contents of the bags.
    """
    messages = [message for bag in bags for message in typed_messages(bag, [WORLD])]
    poses = [message for _, _, message in messages]
    other = next((pose for pose in poses if len(pose.missing) != len(rig.names)), None)
    if other is not None:
        raise InputError(f'a 3D pose is from {len(other.missing)} cameras, the rig has '
                         f'{len(rig.names)}: expected the rig of the recorded run')
    report: dict[str, Any] = {'poses': len(poses)}
    if not poses:
        return report
    cameras = np.array([pose.cameras for pose in poses])
    errors_px = np.array([pose.reprojection_error_px for pose in poses])
    report |= {
        'instants_missing': int(sum(np.diff([pose.instant_us for pose in poses])
                                    > np.median(np.diff([pose.instant_us for pose in poses])))),
        'share_of_joints': round(float((cameras > 0).mean()), 4),
        'cameras_used': round(float(cameras[cameras > 0].mean()), 3) if cameras.any() else 0.0,
        'camera_missing': {name: round(float(np.mean([pose.missing[number] for pose in poses])), 4)
                           for number, name in enumerate(rig.names)},
        'reprojection_error_px': _level(errors_px[np.isfinite(errors_px)]),
        'latency_ms': _level([pose.event_latency_ms for pose in poses]),
        'compute_ms': _level([pose.compute_ms for pose in poses])}
    log_ns = np.array([log_time_ns for _, log_time_ns, _ in messages])
    missed_mm = errors_mm(rig, poses, [_truth_at(run, poses, log_ns) for run in runs])
    if len(missed_mm):
        report |= {'mpjpe_mm': round(float(missed_mm.mean()), 2),
                   'median_mm': round(float(np.median(missed_mm)), 2)}
    return report


def _truth_at(run: RecordedRun, poses: Sequence[Any], log_ns: np.ndarray) -> dict[int, Any]:
    """Return a camera's ground truth at the instants of poses, matched on its own clock."""
    own_us = run.event_times.in_turn(np.array([pose.instant_us for pose in poses]), log_ns)
    truth = {int(row.sensor_time_us): row for row in run.truth}
    return {pose.instant_us: truth[int(time_us)] for pose, time_us in zip(poses, own_us)
            if int(time_us) in truth}


def errors_mm(rig: Rig, poses: Sequence[Any], truths: Sequence[dict[int, Any]]) -> np.ndarray:
    """Return the errors of joints [mm] at the instants at which all cameras have ground truth.

    Args:
        rig: rig of the cameras.
        poses: Skeleton3D messages on the sensors' common clock.
        truths: for each camera, Skeleton2D by sensor time; confidence 0: outside the image.
    """
    missed = [np.zeros(0)]
    for pose in poses:
        seen = [truth[pose.instant_us] for truth in truths if pose.instant_us in truth]
        if len(seen) < len(truths):
            continue
        pixels = np.array([np.stack([one.x_px, one.y_px], axis=1) for one in seen])
        true = triangulate(rig, pixels, np.ones(pixels.shape[:2]), TriangulationParams(
            outlier_px=0.0)).points_m
        found = np.stack([pose.x_m, pose.y_m, pose.z_m], axis=1)
        inside = np.all([one.confidence > 0 for one in seen], axis=0)
        distance = 1e3 * np.linalg.norm(found - true, axis=1)
        missed.append(distance[inside & np.isfinite(distance)])
    return np.concatenate(missed)


def _level(values: Sequence[float] | np.ndarray) -> dict[str, float] | None:
    if not len(values):
        return None
    return {f'p{level}': round(float(value), 4)
            for level, value in zip(LEVELS, np.percentile(values, LEVELS))}
