# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""3D errors [mm] of poses triangulated from several cameras, by row and set of cameras.

    takes -> takes.py: poses of each camera -> triangulation.py -> figures, ready for JSON

Each instant is compared with its own label. A joint is scored if it is inside the images of the
first pair of cameras, so that all sets of cameras are scored on the same joints.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hybrid_pose_ros.datasets.dhp19_rig import dhp19_rig
from hybrid_pose_ros.errors import InputError
from hybrid_pose_ros.evaluation.evaluation_params import EvaluationParams
from hybrid_pose_ros.evaluation.metrics import mean_by_step, rounded
from hybrid_pose_ros.evaluation.takes import (
    ROWS, CameraPoses, Take, camera_poses, joints_mm, take_gaps)
from hybrid_pose_ros.model.checkpoint import Checkpoint, identity
from hybrid_pose_ros.parallel import in_order, one_torch_thread
from hybrid_pose_ros.pose.rig import Rig
from hybrid_pose_ros.pose.triangulation import Triangulated, TriangulationParams, triangulate

NEAR_MM = (50.0, 100.0)
"""Error limits; the fraction of joints within each limit is reported."""

Found = dict[tuple[str, int, bool], CameraPoses]
"""Poses by take, index of the camera, and whether it is blinded."""


class Case(NamedTuple):
    """A set of cameras of a take, one of which may be blinded."""

    name: str
    cameras: tuple[int, ...]  # indices in the rig
    blinded: int | None = None


@dataclass(frozen=True)
class _Task:
    """Input of a worker process for one camera of a take."""

    checkpoint: Checkpoint
    path: Path
    params: EvaluationParams
    blind: bool


class Scored(NamedTuple):
    """Scores of one row and case over all takes: N instants."""

    distance_mm: np.ndarray  # (N, J), NaN if not counted or not found
    error_px: np.ndarray  # (N, J) reprojection error
    cameras: np.ndarray  # (N, J) cameras used
    step: np.ndarray  # (N,)
    counted: np.ndarray  # (N, J) bool


def evaluate3d(checkpoint: Checkpoint, takes: Sequence[Take],
               params: EvaluationParams = EvaluationParams(ann_latency_us=0),
               trust: TriangulationParams = TriangulationParams(), *, blind: bool = True,
               executor: Executor | None = None,
               progress: Callable[[str], None] = lambda name: None) -> dict[str, Any]:
    """Return the figures of every row and set of cameras over all takes, ready for JSON.

    Args:
        checkpoint: the hybrid's weights.
        takes: takes of the same cameras.
        params: settings of each camera's graph.
        trust: thresholds for using cameras.
        blind: with more than two cameras, also blind each one in turn.
        executor: executor for the cameras; None: run them sequentially in this process.
        progress: called with the name of each finished camera.

    Raises:
        InputError: a recording cannot be used, or nothing can be scored.
    """
    cases = [case for case in cases_of(takes[0].rig) if blind or case.blinded is None]
    blinded_ones = {case.blinded for case in cases} - {None}
    keys = [(take.name, number, blinded) for take in takes for number in range(len(take.paths))
            for blinded in ((False, True) if number in blinded_ones else (False,))]
    paths = {take.name: take.paths for take in takes}
    tasks = [_Task(checkpoint, paths[name][number], params, blinded)
             for name, number, blinded in keys]
    found: Found = {}
    for key, poses in zip(keys, in_order(_poses, tasks, executor)):
        found[key] = poses
        progress(f'{key[0]} {takes[0].rig.names[key[1]]}{" blinded" if key[2] else ""}')
    return {
        'preset': checkpoint.preset.name, 'trained': bool(checkpoint.card.get('trained')),
        'identity': identity(checkpoint), 'settings': asdict(params) | asdict(trust),
        'takes': [take.name for take in takes], 'cameras': list(takes[0].rig.names),
        'gaps': {take.name: line for take in takes if (line := take_gaps(take))},
        'cases': {case.name: _case_figures(case, takes, found, trust) for case in cases}}


def cases_of(rig: Rig) -> list[Case]:
    """Return the sets of cameras to compare.

    With four cameras: the front pair of DHP19 (otherwise the first two), all cameras, and all with
    each camera blinded in turn, compared with only the other cameras.
    """
    everyone = tuple(range(len(rig.cameras)))
    front = tuple(index for index in everyone if rig.names[index] in dhp19_rig(2).names)
    pair = front if len(front) == 2 else everyone[:2]
    cases = [Case(_named(rig, pair), pair)]
    if len(everyone) > 2:
        cases.append(Case(_named(rig, everyone), everyone))
        for blinded in everyone:
            others = tuple(index for index in everyone if index != blinded)
            cases += [Case(_named(rig, others), others),
                      Case(f'all, {rig.names[blinded]} blinded', everyone, blinded)]
    return cases


def _named(rig: Rig, cameras: tuple[int, ...]) -> str:
    return ' + '.join(rig.names[index] for index in cameras)


def _poses(task: _Task) -> CameraPoses:
    with one_torch_thread():
        return camera_poses(task.checkpoint, task.path, task.params, blind=task.blind)


def _case_figures(case: Case, takes: Sequence[Take], found: Found,
                  trust: TriangulationParams) -> dict[str, Any]:
    pair = cases_of(takes[0].rig)[0].cameras
    rows: dict[str, list[Scored]] = {row: [] for row in ROWS}
    for take in takes:
        poses = [found[take.name, index, index == case.blinded] for index in case.cameras]
        counted = np.logical_and.reduce([found[take.name, index, False].inside for index in pair])
        if not counted.any():
            raise InputError(f'{take.name} shows nobody to both {_named(take.rig, pair)}')
        truth_mm = joints_mm(take, poses[0].stamps_us)
        for row in ROWS:
            rows[row].append(score_row(take.rig, case, poses, row, truth_mm, counted, trust))
    scored = {row: Scored(*map(np.concatenate, zip(*parts))) for row, parts in rows.items()}
    return {'rows': {row: summary3d(one) for row, one in scored.items()},
            'hybrid_to_ann': rounded(np.nanmean(scored['hybrid'].distance_mm)
                                     / np.nanmean(scored['ann'].distance_mm)),
            'hybrid_to_ann_by_third': _ratio_by_third(scored['hybrid'], scored['ann']),
            'hybrid_to_ann_by_step': _ratio_by_step(scored['hybrid'], scored['ann'])}


def score_row(rig: Rig, case: Case, poses: Sequence[CameraPoses], row: str, truth_mm: np.ndarray,
              counted: np.ndarray, trust: TriangulationParams) -> Scored:
    """Return the errors of one row of one take.

    Args:
        rig: rig of the take.
        case: set of cameras.
        poses: poses of these cameras.
        row: one of ROWS.
        truth_mm: true joint positions, (T, J, 3).
        counted: which joints are scored, (T, J).
        trust: thresholds for using cameras.
    """
    cameras = Rig(tuple(rig.cameras[index] for index in case.cameras))
    shape = counted.shape
    points = triangulate_poses(cameras, np.stack([one.joints_px[row] for one in poses]),
                               np.stack([one.confidence[row] for one in poses]), trust)
    missed = np.linalg.norm(1e3 * points.points_m.reshape(*shape, 3) - truth_mm, axis=-1)
    return Scored(np.where(counted, missed, np.nan),
                  np.where(counted, points.error_px.reshape(shape), np.nan),
                  points.used.sum(axis=0).reshape(shape), poses[0].step, counted)


def triangulate_poses(rig: Rig, joints_px: np.ndarray, confidence: np.ndarray,
                      trust: TriangulationParams) -> Triangulated:
    """Return T * J consecutive points for poses (C, T, J, 2) with confidence (C, T, J)."""
    count = len(rig.cameras)
    return triangulate(rig, joints_px.reshape(count, -1, 2), confidence.reshape(count, -1), trust)


def summary3d(scored: Scored) -> dict[str, Any]:
    """Return the figures of one row, ready for JSON."""
    found = np.isfinite(scored.distance_mm)
    if not found.any():
        raise InputError('no joint could be triangulated: were the cameras sure of any?')
    distances = scored.distance_mm[found]
    return {
        'mpjpe_mm': rounded(distances.mean()), 'median_mm': rounded(np.median(distances)),
        **{f'share_within_{limit:.0f}_mm': rounded((distances <= limit).mean())
           for limit in NEAR_MM},
        'joints': int(scored.counted.sum()),
        'joints_without_point': int((scored.counted & ~found).sum()),
        'reprojection_error_px': rounded(np.nanmean(scored.error_px)),
        'cameras_used': rounded(scored.cameras[scored.counted].mean()),
        'mpjpe_mm_by_step': mean_by_step(scored.distance_mm, scored.step),
        'mpjpe_mm_by_joint': [rounded(joint[np.isfinite(joint)].mean())
                              if np.isfinite(joint).any() else None
                              for joint in scored.distance_mm.T]}


def _ratio_by_third(one: Scored, other: Scored) -> list[float | None]:
    """Return the ratio of the mean errors in each third of the time since the ANN pass.

    A single step has few instants, so ratios by step scatter by a tenth.
    """
    third = (one.step - 1) * 3 // one.step.max()
    both = np.isfinite(one.distance_mm) & np.isfinite(other.distance_mm)
    ratios = []
    for number in range(3):
        counted = both & (third == number)[:, None]
        ratios.append(rounded(one.distance_mm[counted].mean() / other.distance_mm[counted].mean())
                      if counted.any() else None)
    return ratios


def _ratio_by_step(one: Scored, other: Scored) -> list[float | None]:
    """Return the ratio of the mean errors at the same instants for each step; None without any."""
    means = zip(mean_by_step(one.distance_mm, one.step), mean_by_step(other.distance_mm,
                                                                      one.step))
    return [rounded(mean / base) if mean is not None and base else None for mean, base in means]
